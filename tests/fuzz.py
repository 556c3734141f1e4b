"""Change a small study at random, and check that it ends in a right result or in one sentence.

    python tests/fuzz.py --mutations 500 --seed 0
    python tests/fuzz.py --only 17

One line per mutation gives its seed, its kind, what was changed, and how the study ended. The exit
status is 1 if a study ended in any other way. The same seed makes the same change again.
"""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

FOLDER = Path(__file__).parent
sys.path[:0] = [str(FOLDER / "support"), str(FOLDER.parent / "scripts")]

from fuzzer import WRONG, Fuzzer  # noqa: E402  # a script finds the modules of tests by their path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutations", type=int, default=500, help="number of mutations")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first mutation")
    parser.add_argument("--only", type=int, help="seed of the one mutation that is tried")
    given = parser.parse_args()
    seeds = range(given.seed, given.seed + given.mutations) if given.only is None else [given.only]
    ends = Counter()
    with tempfile.TemporaryDirectory() as folder:
        fuzzer = Fuzzer(folder)
        for seed in seeds:
            outcome = fuzzer.run(seed)
            print(outcome, flush=True)
            ends[outcome.mutation.kind, outcome.end] += 1
    for (kind, end), count in sorted(ends.items()):
        print(f"{kind}: {count} {end}")
    sys.exit(any(end == WRONG for _, end in ends))


if __name__ == "__main__":
    main()
