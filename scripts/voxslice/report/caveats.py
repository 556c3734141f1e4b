"""What a reader of the report has to bear in mind."""

import re

import numpy as np
import pandas as pd

from voxslice.comparison.paired_tests import ALPHA, fewest_speakers
from voxslice.data.column_types import remark_on_text
from voxslice.data.silence import silence_remarks
from voxslice.names import FAILED
from voxslice.report.answer import difference_text, named_rules
from voxslice.report.channel_notes import label_note, missing_channel
from voxslice.report.numbers import counted, share
from voxslice.report.shared_units import copy_remarks, unit_remarks, unit_warnings
from voxslice.report.study import REFERENCES, Study, distinct
from voxslice.rule_conditions import is_numeric
from voxslice.scores.bootstrap import FEW_SPEAKERS
from voxslice.scores.label_check import unnamed_labels
from voxslice.scores.metrics import EXACT
from voxslice.speakers import known_speakers

MANY_SPEAKERS = 30
"""With fewer speakers, the report warns that its results may not hold for new speakers."""
DOMINANT = 0.8
"""Share of the utterances from which a label makes the accuracy alone misleading."""
NEARLY = 0.25
"""A reference is nearly as good as a model that avoids less than this share of its loss."""
REASONS_SHOWN = 3
"""Largest number of reasons for missing values of a measure that a warning lists."""
NON_COMMERCIAL = re.compile(r"\bNC\b|non-?commercial", re.IGNORECASE)


def warnings(study: Study) -> list[str]:
    """Collect what limits the answer of a study.

    Args:
        study: the study

    Returns:
        the sentences, ordered by how much each can change the answer: labels that do not occur, too
        few speakers, units that are not taken into account, references that are nearly as good, few
        speakers of a label, channels that may be the cause, then remarks on single numbers and on
        licences
    """
    return [
        *_missing_labels(study),
        *_few_speakers(study),
        *unit_warnings(study),
        *_references(study),
        *_dominant_label(study),
        *_label_speakers(study),
        *_channel(study),
        *_unnamed(study),
        *_exact(study),
        *_data(study),
        *_gates(study),
        *_labels(study),
        *_failed(study),
        *_first_part(study),
        *unit_remarks(study),
        *copy_remarks(study),
        *_notes(study),
        *silence_remarks(study.silence, len(study.metadata)),
        *_unconfirmed(study),
        *_columns(study),
        *_licences(study),
    ]


def _missing_labels(study: Study) -> list[str]:
    """Warn of labels of the task that no scored utterance has."""
    counts = study.label_counts
    present, total = counts[counts > 0], int(counts.sum())
    missing = [str(label) for label in counts.index[counts == 0]]
    if not (missing and total):
        return []
    if len(present) == 1:
        label = present.index[0]
        return [
            f"All {counted(total, 'utterance')} have the label {label}. The data do not show how"
            f" good a model is on {_listing(missing)}. A model that always predicts {label} makes"
            " no error here."
        ]
    return [
        f"No utterance has the label {_listing(missing, 'or')}. The data do not show how good a"
        f" model is on {'it' if len(missing) == 1 else 'them'}."
    ]


def _label_speakers(study: Study) -> list[str]:
    """Warn of labels that few of the speakers have."""
    speakers, counts = study.speakers_of(study.joined), study.label_counts
    if speakers is None or (study.speakers or 0) < FEW_SPEAKERS or (counts > 0).sum() < 2:
        return []
    labels = study.joined[study.target].astype("string").to_numpy(dtype=object, na_value="")
    known = {
        name: len(known_speakers(speakers[labels == name])) for name in counts.index[counts > 0]
    }
    few = [f"{name} ({counted(n, 'speaker')})" for name, n in known.items() if n < FEW_SPEAKERS]
    if not few:
        return []
    return [f"Few speakers have the label {_listing(few)}. Results on it are uncertain."]


def _dominant_label(study: Study) -> list[str]:
    """Warn of a label that most utterances have."""
    counts = study.label_counts
    if (counts > 0).sum() < 2 or counts.max() < DOMINANT * counts.sum():
        return []
    label, most = counts.idxmax(), share(counts.max() / counts.sum())
    return [
        f"{most} of the utterances have the label {label}. A model that always predicts {label} has"
        f" an accuracy of {most}, so a high accuracy alone shows little."
    ]


def _few_speakers(study: Study) -> list[str]:
    """Warn of unknown or few speakers."""
    if study.speakers is None:
        return [
            "The speakers are not known. All utterances are treated as independent, so the"
            " intervals are too narrow if a speaker has several utterances."
        ]
    if study.speakers == 0:
        return [
            "No utterance has a speaker. All utterances are treated as one speaker, so there are no"
            " intervals and no slice is confirmed. To treat utterances as independent, remove the"
            " column speaker from the config."
        ]
    needed = fewest_speakers(ALPHA)
    if study.speakers < needed:
        only = f"The dataset has only {counted(study.speakers, 'speaker')}."
        if study.speakers < FEW_SPEAKERS:
            only += " The intervals are not reliable, because they are based on too few speakers."
        if len(study.models) > 1:
            only += (
                f" With fewer than {needed} speakers, no test can show on all utterances that a"
                " model is better than another one."
            )
        return [only]
    if study.speakers < MANY_SPEAKERS:
        return [
            f"The dataset has only {study.speakers} speakers. The results may not hold for new"
            " speakers."
        ]
    return []


def _channel(study: Study) -> list[str]:
    """Warn of labels that differ in the channel, or of channels that no column describes."""
    named = named_rules(study)
    return [*label_note(study, named), *missing_channel(study, named)]


def _unnamed(study: Study) -> list[str]:
    """Warn of utterances without a speaker."""
    if not (study.speakers and study.unnamed):
        return []
    return [
        f"{study.unnamed:,} of the {counted(len(study.joined), 'utterance')}"
        f" {'has' if study.unnamed == 1 else 'have'} no speaker. Intervals treat them as one"
        " speaker. Tests within speakers and on held-out speakers ignore them."
    ]


def _exact(study: Study) -> list[str]:
    """Explain the intervals of models that are always correct or always wrong."""
    rows = study.metrics[study.metrics.get("note", pd.Series(dtype=str)) == EXACT]
    names = [model.name for model in study.models if model.name in set(rows["model"])]
    if not names:
        return []
    unit = "utterances" if study.speakers is None else "speakers"
    values = rows.set_index("model").loc[names, "value"]
    what = "no errors" if (values == 1).all() else "only errors" if (values == 0).all() else (
        "no errors or only errors")  # fmt: skip
    return [
        f"{' and '.join(names)} {'makes' if len(names) == 1 else 'make'} {what}, so resampling"
        f" {unit} does not change the metrics. The interval of the accuracy is an exact binomial"
        f" interval for the number of {unit}. The other metrics have no interval."
    ]


def _data(study: Study) -> list[str]:
    """Warn of synthetic speech and of short utterances."""
    sentences = []
    if study.dataset_settings["synthetic"]:
        sentences.append("The speech is synthetic, so the results do not apply to people.")
    short = (study.durations < study.shortest).mean()
    if short >= 0.5:
        sentences.append(
            f"{share(short)} of the utterances are shorter than {study.shortest:g} s. Models that"
            " are trained on longer utterances may be better on those."
        )
    return sentences


def _labels(study: Study) -> list[str]:
    """Warn of utterances that are excluded because of their true label."""
    if not study.classification:
        return []
    return unnamed_labels(study.metadata[study.target], study.task_settings["labels"])


def _columns(study: Study) -> list[str]:
    """Warn of text columns that are almost numeric, and of missing numbers."""
    sentences = []
    for name, settings in study.dataset_settings["columns"].items():
        if name == "speaker" or name not in study.metadata or settings.get("type") == "category":
            continue
        column = study.metadata[name]
        if name != study.target or not study.classification:
            sentences.append(remark_on_text(column))
        missing = int(column.isna().sum())
        if is_numeric(column) and missing:
            sentences.append(
                f"{missing:,} of the {counted(len(column), 'utterance')}"
                f" {'has' if missing == 1 else 'have'} no value in the column"
                f" {name}{_why_missing(study, settings.get('measure'))}."
            )
    return [sentence for sentence in sentences if sentence]


def _why_missing(study: Study, measure: str | None) -> str:
    """Return the most frequent reasons why a measure is missing, in brackets."""
    if measure is None or measure not in study.measure_tables:
        return ""
    counts = study.measure_tables[measure]["reason"].value_counts()  # without missing reasons
    counts = counts.sort_index().sort_values(ascending=False, kind="stable")
    shown = [f"{count:,}: {reason}" for reason, count in counts.head(REASONS_SHOWN).items()]
    if len(counts) > REASONS_SHOWN:
        shown.append(f"{counts.iloc[REASONS_SHOWN:].sum():,}: other reasons")
    return f" ({'; '.join(shown)})"


def _failed(study: Study) -> list[str]:
    """Warn of utterances that a model could not score."""
    counts = [(model.name, len(model.failures)) for model in study.models if len(model.failures)]
    return [
        f"{name} could not score {counted(count, 'utterance')}. The metrics exclude"
        f" {'it' if count == 1 else 'them'}."
        for name, count in counts
    ]


def _first_part(study: Study) -> list[str]:
    """Warn of models that ignore the end of long utterances."""
    sentences = []
    for model in study.models:
        seconds = model.card.get("first_seconds")
        longer = 0 if seconds is None else int((study.durations > seconds).sum())
        if longer:
            sentences.append(
                f"{model.name} uses only the first {seconds:g} s of an utterance:"
                f" {counted(longer, 'utterance')} {'is' if longer == 1 else 'are'} longer. Set"
                " window in the config of the model to use all of them."
            )
    return sentences


def _notes(study: Study) -> list[str]:
    """The remarks that were written when the models were scored."""
    return [note for model in study.models for note in model.summary["notes"]]


def _references(study: Study) -> list[str]:
    """Warn of reference models that are nearly as good as a model, by the metric of the task.

    Only the best reference of a model counts. It is nearly as good if the model avoids less than a
    quarter of its loss. If the model is better in the data, but the interval of enough speakers
    reaches 0, this is said instead. The test over speakers alone is no reason for a warning: with
    few speakers it cannot show the largest difference.
    """
    sentences = []
    for model in study.models:
        pairs = {name: study.against(model.name, name) for name in REFERENCES}
        pairs = {name: pair for name, pair in pairs.items() if len(pair)}
        if not pairs:
            continue
        best = study.overall_measure.best(
            {name: float(pair.iloc[0]["other"]) for name, pair in pairs.items()}
        )
        text = f"{best} ({REFERENCES[best]})"
        sentences += _reference(study, pairs[best].iloc[0], model.name, text)
        for name, pair in pairs.items():
            worse = pair[(pair["slice"] != "all") & (pair["verdict"] == "worse")]
            if len(worse):
                row = worse.loc[worse["difference"].abs().idxmax()]
                sentences.append(
                    f"{model.name} is significantly worse than {name} ({REFERENCES[name]}) on"
                    f" {counted(len(worse), 'group')}. The largest difference is for"
                    f" {study.group_name(row)} ({study.measure.text(row['value'])} compared with"
                    f" {study.measure.text(row['other'])})."
                )
    return sentences


def _reference(study: Study, row: pd.Series, model: str, reference: str) -> list[str]:
    """Compare a model with a reference on all utterances, if that is a reason for a warning."""
    measure = study.measures[row["metric"]]
    value, other = float(row["value"]), float(row["other"])
    values = f"{measure.short} {measure.text(value)} compared with {measure.text(other)}"
    gained = value - other if measure.rises else other - value
    if not np.isfinite(gained):
        return []
    if gained <= 0:
        same = "is no better than" if gained == 0 else "is worse than"
        return [f"{model} {same} the reference {reference} in these data: {values}."]
    possible = 1 - other if measure.rises else other
    if gained < NEARLY * possible:
        return [f"{model} is little better than the reference {reference}: {values}."]
    reaches_zero = row["low"] <= 0 <= row["high"] and str(row["reliable"]) == "True"
    if reaches_zero:
        return [
            f"For other speakers, {model} may be no better than the reference {reference}:"
            f" {values}, {difference_text(study, row)} over"
            f" {counted(int(row['speakers']), 'speaker')}."
        ]
    return []


def _gates(study: Study) -> list[str]:
    """Warn of derived models that lose too much performance."""
    if not len(study.gates):
        return []
    failed = study.gates[study.gates["answer"] == FAILED]
    return [
        f"{model} fails {counted(len(rows), 'gate')}. Check it before it replaces {source}."
        for (model, source), rows in failed.groupby(["model", "source"], sort=False)
    ]


def _unconfirmed(study: Study) -> list[str]:
    """Count the slices that are not confirmed for any model.

    A slice that was found for several models counts once.
    """
    slices = pd.concat([distinct(model.slices) for model in study.models])
    confirmed = slices.groupby("slice")["confirmed"].any()
    count = int((~confirmed.astype(bool)).sum())
    if not count:
        return []
    if len(confirmed) == 1:
        sentence = "The only slice is not confirmed."
    elif count == len(confirmed):
        sentence = f"None of the {count} slices is confirmed."
    else:
        verb = "is" if count == 1 else "are"
        sentence = f"{count} of the {len(confirmed)} slices {verb} not confirmed."
    return [f"{sentence} Other data may not show the same."]


def _licences(study: Study) -> list[str]:
    """Name the data and models whose licence excludes commercial use."""
    named = [(f"the dataset {study.dataset}", study.dataset_settings["license"])]
    named += [(f"the model {model.name}", model.settings["license"]) for model in study.models]
    named += [
        (f"the model {name}", embedder["license"])
        for name, (embedder, _) in study.embedders.items()
    ]
    sentences = []
    for terms in dict.fromkeys(terms for _, terms in named if NON_COMMERCIAL.search(terms)):
        names = [name for name, own in named if own == terms]
        verb = "is" if len(names) == 1 else "are"
        sentences.append(f"{_listed(names)} {verb} under {terms}, which excludes commercial use.")
    return sentences


def _listed(names: list[str]) -> str:
    text = _listing(names)
    return text[0].upper() + text[1:]


def _listing(names: list[str], word: str = "and") -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"
