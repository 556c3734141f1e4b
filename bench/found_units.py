"""Measure how often units that the config does not name are found in the names of files.

The designs are those of `bench/units.py`. The names of the files tell the speaker, the unit and a
number; copies have other names, but the same duration. `python bench/found_units.py >
bench/found_units.md` writes the table; `--cases` and `--designs` set the cases of single rows.
"""

import argparse
import os
from concurrent.futures import ProcessPoolExecutor

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # cases run side by side

import numpy as np
import pandas as pd
from units import DESIGNS, EFFECT, ROWS, SPEAKERS, Drawn, codes, losses
from voxslice.slices.found_units import find_units
from voxslice.utterance_keys import KEY

RIGHT = (r"/u(?P<value>\d+)'", r"(?P<value>\d+/u\d+)'")
"""Ends of the patterns for the unit, and for the unit of a speaker."""


def files(table: pd.DataFrame, unit: str) -> list[str]:
    """Name the file of each utterance, such as `s01/u7x2.wav`."""
    if unit == "source":
        return [f"{speaker}/x{row}.wav" for row, speaker in enumerate(table["speaker"])]
    number = table.groupby(["speaker", unit]).cumcount()
    return [
        f"{speaker}/u{value}x{row}.wav"
        for speaker, value, row in zip(table["speaker"], table[unit], number, strict=True)
    ]


def measure(work: tuple[int, int, bool, bool]) -> tuple[bool, bool]:
    """Whether a unit is found, and whether it is the right one.

    Args:
        work: the position of the design, the seed, whether units have an effect, and whether a
            slice is planted
    """
    position, seed, effect, planted = work
    rng = np.random.default_rng([1, seed, position, planted, effect])
    table, effects, features, (unit, *_) = DESIGNS[position].draw(rng)
    used: Drawn = (table, effects if effect else np.zeros(ROWS), features, [unit])
    if not effect:  # otherwise copies would have the same error
        used = (*used[:3], [])
    loss, _ = losses(rng, used, planted)
    duration = rng.normal(3, 1, ROWS).clip(0.5).round(2)
    if unit == "source":
        duration = duration[codes(table, unit)]
    metadata = table.drop(columns=unit).assign(
        file=files(table, unit), start=0.0, end=duration, duration=duration
    )
    copies = pd.DataFrame(columns=["issue", *KEY, *(f"other_{name}" for name in KEY)])
    rows = find_units(
        {"model": metadata[KEY].assign(loss=loss)},
        metadata,
        unit_columns=metadata[KEY],
        findings=copies,
        columns={name: {"column": name} for name in table.columns.drop(unit)},
        units=[],
        features=features,
        target="gender",
        alpha=0.05,
        seed=seed,
    )
    found = rows[rows["found"]]
    if not len(found):
        return False, False
    first = found.iloc[0]
    right = first["source"] == "duration" if unit == "source" else (
        any(end in first["config"] for end in RIGHT)
    )  # fmt: skip
    return True, right


def main() -> None:
    """Run the benchmark with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=400)
    parser.add_argument("--designs", type=int, nargs="*", help="numbers of designs, from 0")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    print(
        "# Benchmark of units that the config does not name",
        "",
        "`python bench/found_units.py > bench/found_units.md` writes this page. The designs are",
        f"those of [units.md](units.md): {ROWS} utterances of {SPEAKERS} speakers, and effects of",
        f"units with a standard deviation of {EFFECT} on the logit of the error rate. Only the",
        "names of the files tell the unit, and only the duration tells copies. *False* is the",
        "share of the cases in which any unit is found although units have no effect,",
        "without a slice and with the slice of angry men, who have 20 points more errors. *Found*",
        "is the share of the cases with an effect in which a unit is found, and *right* the share",
        "in which the clearest one is the unit of the design. Copies without an effect have the",
        "same speaker and features, but not the same error; a slice makes their errors alike.",
        "`--cases` and `--designs` set the cases of single rows.",
        "",
        "| design | cases | false | false, with a slice | found | right |",
        "|---|--:|--:|--:|--:|--:|",
        sep="\n",
    )
    with ProcessPoolExecutor(options.jobs) as pool:
        for position in options.designs or range(len(DESIGNS)):
            cells = []
            for effect, planted in ((False, False), (False, True), (True, False)):
                work = [(position, seed, effect, planted) for seed in range(options.cases)]
                shares = np.mean(list(pool.map(measure, work, chunksize=4)), axis=0)
                cells += [f"{100 * share:.1f} %" for share in shares[: 1 + effect]]
            if position == 0:  # its units have no effect
                cells[2:] = ["", ""]
            if DESIGNS[position].name.startswith("each utterance"):
                cells[1] = ""  # the slice is an effect
            cells = [str(options.cases), *cells]
            print(f"| {DESIGNS[position].name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
