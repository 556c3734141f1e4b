"""The warnings of the report."""

import re

import pandas as pd

from voxslice.conditions import is_numeric
from voxslice.data.column_types import remark_on_text
from voxslice.data.silence import silence_remarks
from voxslice.report.numbers import counted, share
from voxslice.report.study import REFERENCES, Study, distinct, is_confirmed, rule_text
from voxslice.scores.bootstrap import FEW_SPEAKERS
from voxslice.scores.label_check import unnamed_labels
from voxslice.scores.metrics import EXACT

MANY_SPEAKERS = 30
"""With fewer speakers, the report warns that its results may not hold for new speakers."""
REASONS_SHOWN = 3
"""Largest number of reasons for missing values of a measure that a warning lists."""
NON_COMMERCIAL = re.compile(r"\bNC\b|non-?commercial", re.IGNORECASE)


def warnings(study: Study) -> list[str]:
    """Collect the warnings about a study.

    Args:
        study: the study

    Returns:
        the warnings; those about the numbers come first
    """
    return [
        *_speakers(study),
        *_unnamed(study),
        *_exact(study),
        *_data(study),
        *_labels(study),
        *_columns(study),
        *silence_remarks(study.silence, len(study.metadata)),
        *_failed(study),
        *_notes(study),
        *_references(study),
        *_gates(study),
        *_unconfirmed(study),
        *_licences(study),
    ]


def _speakers(study: Study) -> list[str]:
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
    if study.speakers < FEW_SPEAKERS:
        return [
            f"The dataset has only {counted(study.speakers, 'speaker')}. The intervals are not"
            " reliable, because they are based on too few speakers."
        ]
    if study.speakers < MANY_SPEAKERS:
        return [
            f"The dataset has only {study.speakers} speakers. The results may not hold for new"
            " speakers."
        ]
    return []


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


def _notes(study: Study) -> list[str]:
    """The remarks that were written when the models were scored."""
    return [note for model in study.models for note in model.summary["notes"]]


def _references(study: Study) -> list[str]:
    """Warn of models that are not significantly better than a reference model."""
    sentences = []
    for model in study.models:
        for name, meaning in REFERENCES.items():
            pair = study.against(model.name, name)
            if not len(pair):
                continue
            if pair.iloc[0]["verdict"] != "better":
                sentences.append(
                    f"{model.name} is not significantly better than {name} ({meaning})."
                )
            worse = pair[(pair["slice"] != "all") & (pair["verdict"] == "worse")]
            if len(worse):
                row = worse.loc[worse["difference"].abs().idxmax()]
                sentences.append(
                    f"{model.name} is significantly worse than {name} ({meaning}) on"
                    f" {counted(len(worse), 'group')}. The largest difference is for"
                    f" {rule_text(row)} ({study.measure.text(row['value'])})."
                )
    return sentences


def _gates(study: Study) -> list[str]:
    """Warn of derived models that lose too much performance."""
    if not len(study.gates):
        return []
    failed = study.gates[~is_confirmed(study.gates["passed"])]
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
    text = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return text[0].upper() + text[1:]
