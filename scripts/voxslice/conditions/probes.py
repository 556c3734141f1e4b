"""Whether changing one property of the audio of a failure mode repairs its errors."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import betaincinv

from voxslice.comparison.groups import align
from voxslice.conditions.interactions import interaction_tests
from voxslice.multiple_tests import holm
from voxslice.scores.bootstrap import bootstrap_interval, speaker_sums
from voxslice.slices.drop_intervals import drop_interval
from voxslice.speakers import count_speakers, known_speakers, number_speakers, speakers_of
from voxslice.task import Task
from voxslice.units import Index, units_of
from voxslice.utterance_keys import KEY

MODES = 3
"""Number of confirmed failure modes of a model that are probed, the worst ones."""
PROBE_COLUMNS = [
    "mode", "model", "name", "probe", "change", "support", "others", "speakers", "errors",
    "repaired", "repaired_alone", "right", "broken", "others_errors", "others_repaired",
    "others_right", "others_broken", "clean", "alone", "value", "others_alone", "others_value",
    "gain", "low", "high", "share", "share_high", "p", "q", "verdict", "label", "sentence",
]  # fmt: skip
COUNT_COLUMNS = PROBE_COLUMNS[5:17]
"""Columns that hold numbers of utterances or speakers."""
ALPHA = 0.05
"""Level of the tests of the probes of a model."""
REASON_SHARE, NO_EFFECT_SHARE = 0.5, 0.2
"""Share of the errors that a probe repairs at least if its property is the reason, and that it can
repair at most if the property has no effect."""
RESAMPLES = 2000
"""Bootstrap resamples of the gain of a mode."""
CONFIDENCE = 0.95
"""One-sided confidence of the largest share of the errors that a probe may repair."""
REASON, PART, NO_EFFECT, UNDECIDED = "reason", "part of the reason", "no effect", "undecided"
"""Verdicts on a probe."""
PROPERTIES = {
    "pitch": "pitch", "gain": "level", "band": "bandwidth", "speed": "speed", "noise": "noise",
}  # fmt: skip
"""Property of the audio that each key of a probe changes."""


def change_in_words(settings: Mapping[str, Any]) -> tuple[str, str]:
    """Describe the change that a probe makes.

    Args:
        settings: settings of the probe, such as `{"pitch": -4}`

    Returns:
        the change, such as `lowering the pitch by 4 semitones`, and the property, such as `pitch`
    """
    key = next(name for name in PROPERTIES if name in settings)
    value = settings[key]
    words = PROPERTIES[key]
    if key == "pitch":
        unit = "semitone" if abs(value) == 1 else "semitones"
        return f"{'lowering' if value < 0 else 'raising'} the pitch by {abs(value):g} {unit}", words
    if key == "gain":
        return f"{'lowering' if value < 0 else 'raising'} the level by {abs(value):g} dB", words
    if key == "band":
        return f"keeping only {value[0]:g} to {value[1]:g} Hz", words
    if key == "speed":
        return f"making it {value:g} times as fast at the same pitch", words
    return f"adding {value} noise at {settings['snr']:g} dB", words


def judge_probes(
    model: str,
    clean: pd.DataFrame,
    changed: Mapping[str, pd.DataFrame],
    alone: Mapping[str, pd.DataFrame],
    modes: Mapping[str, tuple[str, np.ndarray]],
    speakers: np.ndarray | None,
    probes: Mapping[str, Mapping[str, Any]],
    *,
    task: Task,
    seed: int,
    units: Sequence[Index] = (),
) -> pd.DataFrame:
    """Judge for each failure mode and probe whether the changed property is why the model fails.

    The utterances of a mode are compared with the other utterances of the same speakers. The
    processing alone, such as a shift of the pitch by 0, is the baseline of every test.

    A change that disturbs the model at random also repairs errors, but breaks as large a share of
    the right answers. So for a classification, the test asks whether the change flips the errors
    of the mode more often than the right answers on the other utterances. For a regression, it asks
    whether the absolute error falls more in the mode. Both compare utterances of the same
    speaker, see `voxslice.conditions.interactions`. The p-values are adjusted for all modes and
    probes of the model (Holm, "A simple sequentially rejective multiple test procedure",
    Scandinavian Journal of Statistics 6 (1979), 65-70).

    A verdict is evidence and no proof: a change of one property may change others as well. If all
    compared utterances have the same label, as those of men have, a change that moves all answers
    to this label repairs errors, too. The sentence then names this label.

    Args:
        model: id of the model
        clean: scores of the model on clean audio
        changed: scores of the same utterances in the same order, by probe
        alone: the same after the processing alone, by probe
        modes: name and mask of the utterances of each mode, by its id
        speakers: speaker of each utterance, as `voxslice.speakers.speakers_of` returns them. None
            to compare a mode with all other utterances and to treat utterances as independent
        probes: settings of each probe, in the order of the config
        task: what is measured
        seed: seed of the permutations
        units: for each kind of further units, such as sentences, the number of each utterance's
            unit. The tests take them into account; the intervals do not

    Returns:
        one row per mode and probe, in the columns `PROBE_COLUMNS`:

        - `support` of the mode and number of `others`; for a classification the `errors` on clean
          audio with how many the change has `repaired`, and the processing alone
          (`repaired_alone`); the `right` ones with how many are `broken`; the same of the others
        - the metric of the mode on clean audio (`clean`), after the processing alone (`alone`) and
          after the change (`value`); the last two of the others
        - `gain`: how much more the metric improves in the mode than elsewhere, from the processing
          alone to the change, with a 95 % interval that treats speakers as units
        - `share` of the errors after the processing alone that the change repairs. For a regression
          it is the fall of the mean absolute error of the mode, as a share of its excess over the
          others. `share_high` is its upper 95 % limit
        - `p`, `q`, `verdict`, the `label` of all compared utterances (missing if they have several,
          and for a regression), and a `sentence`

        The verdict is `reason` if q is at most 0.05 and `share` at least 0.5, and `part of the
        reason` if it is at least 0.2. Both also need that right answers of the mode break at most
        half as often as errors are repaired. The verdict is `no effect` if `share_high` is at most
        0.2 and at most a fifth of the right answers of the mode break, and otherwise `undecided`
    """
    rows = []
    for mode, (name, inside) in modes.items():
        if not inside.any():
            continue
        taking_part = np.ones(len(inside), dtype=bool)
        if speakers is not None:
            taking_part = inside | np.isin(speakers, known_speakers(speakers[inside]))
        of_part = None if speakers is None else speakers[taking_part]
        units_of_part = [unit[taking_part] for unit in units]
        labels = clean["label"][taking_part].unique() if task.is_classification else []
        label = str(labels[0]) if len(labels) == 1 else None
        for probe, settings in probes.items():
            loss = _Losses.of(clean, alone[probe], changed[probe], taking_part)
            rows.append(
                {"mode": mode, "model": model, "name": name, "probe": probe, "label": label}
                | {"change": change_in_words(settings)[0]}
                | _figures(loss, inside[taking_part], of_part, units_of_part, task, seed)
            )
    table = pd.DataFrame(rows, columns=PROBE_COLUMNS)
    if len(table):
        table["q"] = holm(table["p"].to_numpy(float))
        table["verdict"] = [_verdict(row) for row in table.to_dict("records")]
        table["sentence"] = [
            _sentence(row, *change_in_words(probes[row["probe"]]), task)
            for row in table.to_dict("records")
        ]
    return table.astype(dict.fromkeys(COUNT_COLUMNS, "Int64"))


class _Losses:
    """Losses on clean audio, after the processing alone, and after the change."""

    def __init__(self, clean: np.ndarray, alone: np.ndarray, changed: np.ndarray) -> None:
        self.clean, self.alone, self.changed = clean, alone, changed

    @classmethod
    def of(
        cls, clean: pd.DataFrame, alone: pd.DataFrame, changed: pd.DataFrame, mask: np.ndarray
    ) -> "_Losses":
        """Select the losses of some utterances."""
        return cls(*(table["loss"].to_numpy(float)[mask] for table in (clean, alone, changed)))


def _figures(
    loss: _Losses,
    inside: np.ndarray,
    speakers: np.ndarray | None,
    units: Sequence[Index],
    task: Task,
    seed: int,
) -> dict[str, Any]:
    """Columns of a row, without the adjusted p-value and the verdict."""
    gains = loss.alone - loss.changed
    row: dict[str, Any] = {
        "support": int(inside.sum()),
        "others": int((~inside).sum()),
        "speakers": None if speakers is None else count_speakers(speakers[inside]),
        "clean": _metric(loss.clean[inside], task),
        "alone": _metric(loss.alone[inside], task),
        "value": _metric(loss.changed[inside], task),
        "others_alone": _metric(loss.alone[~inside], task),
        "others_value": _metric(loss.changed[~inside], task),
    }
    both = inside.any() and not inside.all()
    gain, low, high = np.nan, np.nan, np.nan
    if both:
        gain = float(gains[inside].mean() - gains[~inside].mean())
        clusters = None if speakers is None else number_speakers(speakers)[0]
        low, high = drop_interval(gains, inside, clusters)
    row |= {"gain": gain, "low": low, "high": high}
    if task.is_classification:
        return row | _counts(loss, inside) | _flips(loss, inside, speakers, units, seed)
    excess = loss.alone[inside].mean() - loss.alone[~inside].mean() if both else np.nan
    p = 1.0
    if both:
        tests = interaction_tests([inside], gains[:, None], speakers, seed=seed, units=units)
        p = float(tests.p[0, 0])
    own, own_high = _own_gain(gains, inside, speakers, seed)
    return row | {
        "p": p,
        "share": own / excess if excess > 0 else np.nan,
        "share_high": own_high / excess if excess > 0 else np.nan,
    }


def _own_gain(
    gains: np.ndarray, inside: np.ndarray, speakers: np.ndarray | None, seed: int
) -> tuple[float, float]:
    """Mean gain of a mode, and the upper end of its 95 % interval from resampling speakers."""
    values = np.stack([np.ones(int(inside.sum())), gains[inside]], axis=1)
    sums = speaker_sums(values, None if speakers is None else speakers[inside])
    _, high = bootstrap_interval(
        sums, lambda total: total[:, 1:] / total[:, :1], resamples=RESAMPLES, seed=seed
    )
    return float(gains[inside].mean()), float(high[0])


def _metric(loss: np.ndarray, task: Task) -> float:
    """The metric of some utterances, NaN if there are none."""
    return task.metric_of(float(loss.mean())) if len(loss) else np.nan


def _counts(loss: _Losses, inside: np.ndarray) -> dict[str, int]:
    """Count what the change repairs and breaks, compared with clean audio."""
    wrong, repaired = loss.clean > 0, loss.changed == 0
    counts: dict[str, int] = {}
    for prefix, side in (("", inside), ("others_", ~inside)):
        counts |= {
            f"{prefix}errors": int((side & wrong).sum()),
            f"{prefix}repaired": int((side & wrong & repaired).sum()),
            f"{prefix}right": int((side & ~wrong).sum()),
            f"{prefix}broken": int((side & ~wrong & ~repaired).sum()),
        }
    counts["repaired_alone"] = int((inside & wrong & (loss.alone == 0)).sum())
    return counts


def _flips(
    loss: _Losses,
    inside: np.ndarray,
    speakers: np.ndarray | None,
    units: Sequence[Index],
    seed: int,
) -> dict[str, float]:
    """Test whether errors of the mode flip more often than right answers on other utterances."""
    errors, right = inside & (loss.alone > 0), ~inside & (loss.alone == 0)
    flips = (loss.alone != loss.changed).astype(float)
    total, repaired = int(errors.sum()), int(flips[errors].sum())
    p = 1.0
    if total and right.any():
        part = errors | right
        of_part = None if speakers is None else speakers[part]
        tests = interaction_tests(
            [errors[part]],
            flips[part][:, None],
            of_part,
            seed=seed,
            units=[unit[part] for unit in units],
        )
        p = float(tests.p[0, 0])
    share = repaired / total if total else np.nan
    high = np.nan
    if total:  # the exact limit of Clopper and Pearson
        high = float(betaincinv(repaired + 1, total - repaired, CONFIDENCE)) if share < 1 else 1.0
    return {"p": p, "share": share, "share_high": high}


def _verdict(row: Mapping[str, Any]) -> str:
    """Verdict on a probe, see `judge_probes`."""
    breaks = row["broken"] / row["right"] if row["right"] > 0 else 0.0
    if row["q"] <= ALPHA and row["share"] >= max(NO_EFFECT_SHARE, 2 * breaks):
        return REASON if row["share"] >= REASON_SHARE else PART
    # a change that breaks right answers has an effect, perhaps in the wrong direction
    none = row["share_high"] <= NO_EFFECT_SHARE and breaks <= NO_EFFECT_SHARE
    return NO_EFFECT if none else UNDECIDED


def _sentence(row: Mapping[str, Any], change: str, name: str, task: Task) -> str:
    """Say in words what a probe did and what follows from it."""
    start = change[0].upper() + change[1:]
    if task.is_classification:
        done = (
            f"{start} repairs {row['repaired']:.0f} of {row['errors']:.0f} errors of the mode and"
            f" breaks {row['broken']:.0f} of its {row['right']:.0f} right answers. It breaks"
            f" {row['others_broken']:.0f} of {row['others_right']:.0f} for other utterances of the"
            f" same speakers. The same processing without a change repairs"
            f" {row['repaired_alone']:.0f}"
        )
    else:
        unit = f" {task.unit}" if task.unit else ""
        done = (
            f"{start} changes the mean absolute error from {row['alone']:.2f} to"
            f" {row['value']:.2f}{unit}"
        )
        if np.isfinite(row["others_value"]):
            done += (
                f", and for other utterances of the same speakers from {row['others_alone']:.2f} to"
                f" {row['others_value']:.2f}{unit}"
            )
        else:
            done += "; its speakers have no other utterances"
    ends = {
        REASON: f"So the model goes by {name}",
        PART: f"So {name} is a part of the reason",
        NO_EFFECT: f"There is no effect on the mode: {name} is not the reason",
        UNDECIDED: f"This does not show whether {name} is the reason",
    }
    if row["label"] is not None and row["verdict"] in (REASON, PART):
        return (
            f"{done}. {ends[row['verdict']]}, or the change moves all answers to “{row['label']}”:"
            " all these utterances have this label."
        )
    return f"{done}. {ends[row['verdict']]}."


def probed_modes(modes: pd.DataFrame, model: str, count: int) -> Sequence[str]:
    """Ids of the first confirmed failure modes of a model.

    Args:
        modes: the failure modes of a task, see `voxslice.modes.table`
        model: id of the model
        count: largest number of modes

    Returns:
        ids of the modes, the worst first
    """
    rows = modes[(modes["model"] == model) & modes["confirmed"].astype(bool)]
    return [str(mode) for mode in rows["mode"].head(count)]


def judge_models(
    clean: Mapping[str, pd.DataFrame],
    changed: Mapping[str, Mapping[str, pd.DataFrame]],
    alone: Mapping[str, Mapping[str, pd.DataFrame]],
    modes: pd.DataFrame,
    members: pd.DataFrame,
    metadata: pd.DataFrame,
    probes: Mapping[str, Mapping[str, Any]],
    *,
    task: Task,
    seed: int,
    units: Sequence[str] = (),
) -> pd.DataFrame:
    """Judge the probes of the first confirmed failure modes of each model.

    Args:
        clean: scores on clean audio of each model
        changed: scores of each model by probe
        alone: scores of each model after the processing alone, by probe
        modes: the failure modes, see `voxslice.modes.table`
        members: `mode` and the keys of the utterances of each mode
        metadata: the metadata of all utterances
        probes: settings of each probe, in the order of the config
        task: what is measured
        seed: seed of the permutations
        units: columns of the metadata that name units beside the speaker

    Returns:
        the rows of `judge_probes` of all models. Only utterances that a model has scored on clean
        audio and in all probes count
    """
    tables = [pd.DataFrame(columns=PROBE_COLUMNS)]
    names = modes.drop_duplicates("mode").set_index("mode")["name"]
    for model, of_model in changed.items():
        versions = {"clean": clean[model]}
        versions |= {f"{probe}\nchanged": table for probe, table in of_model.items()}
        versions |= {f"{probe}\nalone": table for probe, table in alone[model].items()}
        keys, aligned = align(versions)
        index = pd.MultiIndex.from_frame(keys[KEY])
        masks = {}
        for mode in probed_modes(modes, model, MODES):
            rows = members.loc[members["mode"] == mode, KEY]
            mask = np.asarray(index.isin(pd.MultiIndex.from_frame(rows)))
            masks[mode] = str(names[mode]), mask
        table = judge_probes(
            model,
            aligned["clean"],
            {probe: aligned[f"{probe}\nchanged"] for probe in of_model},
            {probe: aligned[f"{probe}\nalone"] for probe in of_model},
            masks,
            speakers_of(keys, metadata),
            probes,
            task=task,
            seed=seed,
            units=units_of(keys, metadata, units),
        )
        if len(table):
            tables.append(table)
    return pd.concat(tables if len(tables) == 1 else tables[1:], ignore_index=True)
