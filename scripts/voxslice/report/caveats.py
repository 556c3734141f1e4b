"""The report's warnings, one sentence each."""

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
"""With fewer speakers, the report warns that they are few for claims about new speakers."""
REASONS_SHOWN = 3
"""Reasons why a measure is missing that the report names."""
NON_COMMERCIAL = re.compile(r"\bNC\b|non-?commercial", re.IGNORECASE)


def warnings(study: Study) -> list[str]:
    """The warnings of a study; warnings about the numbers come first."""
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
    if study.speakers is None:
        return [
            "The speakers are not known: every utterance counts as independent, and the intervals"
            " are too narrow where speakers have several."
        ]
    if study.speakers == 0:
        return [
            "No utterance names its speaker: all may be one person's, so that there is no interval"
            " and no slice is confirmed. A study without the column speaker takes every utterance"
            " as independent."
        ]
    if study.speakers < FEW_SPEAKERS:
        return [
            f"There {'is' if study.speakers == 1 else 'are'} only"
            f" {counted(study.speakers, 'speaker')}: the intervals are not reliable, since they can"
            " hardly see how speakers differ."
        ]
    if study.speakers < MANY_SPEAKERS:
        return [
            f"{study.speakers} speakers are few for any claim about new speakers: the intervals say"
            " how much the results depend on these, not how all people fare."
        ]
    return []


def _unnamed(study: Study) -> list[str]:
    if not (study.speakers and study.unnamed):
        return []
    return [
        f"{study.unnamed:,} of the {counted(len(study.joined), 'utterance')}"
        f" {'names' if study.unnamed == 1 else 'name'} no speaker, and nobody knows how many people"
        " spoke them: intervals count them as one, and tests within speakers and on speakers that"
        " were held out leave them out."
    ]


def _exact(study: Study) -> list[str]:
    """Why the interval of a model without an error, or without a right answer, is exact."""
    rows = study.metrics[study.metrics.get("note", pd.Series(dtype=str)) == EXACT]
    names = [model.name for model in study.models if model.name in set(rows["model"])]
    if not names:
        return []
    drawn = "utterances" if study.speakers is None else "speakers"
    values = rows.set_index("model").loc[names, "value"]
    what = "no error" if (values == 1).all() else "only errors" if (values == 0).all() else (
        "no error or only errors")  # fmt: skip
    return [
        f"{' and '.join(names)} {'makes' if len(names) == 1 else 'make'} {what}, so that resamples"
        f" of the {drawn} all agree: the interval of the accuracy is exact for the number of"
        f" {drawn}, and the other metrics have none."
    ]


def _data(study: Study) -> list[str]:
    said = []
    if study.dataset_settings["synthetic"]:
        said.append("The speech is synthetic: the results say nothing about people.")
    short = (study.durations < study.shortest).mean()
    if short >= 0.5:
        said.append(
            f"{share(short)} of the utterances are shorter than {study.shortest:g} s, and models"
            " that are made for longer ones may do better there."
        )
    return said


def _labels(study: Study) -> list[str]:
    """Utterances that no number includes, because of their true label."""
    if not study.classification:
        return []
    return unnamed_labels(study.metadata[study.target], study.task_settings["labels"])


def _columns(study: Study) -> list[str]:
    """Columns of text that are nearly numbers, and numbers without a value."""
    told = []
    for name, settings in study.dataset_settings["columns"].items():
        if name == "speaker" or name not in study.metadata or settings.get("type") == "category":
            continue
        column = study.metadata[name]
        if name != study.target or not study.classification:
            told.append(remark_on_text(column))
        missing = int(column.isna().sum())
        if is_numeric(column) and missing:
            told.append(
                f"{missing:,} of the {counted(len(column), 'utterance')}"
                f" {'has' if missing == 1 else 'have'} no value in the column"
                f" {name}{_why_missing(study, settings.get('measure'))}."
            )
    return [sentence for sentence in told if sentence]


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
    counts = [(model.name, len(model.failures)) for model in study.models if len(model.failures)]
    return [
        f"{name} could not score {counted(count, 'utterance')}; the metrics leave"
        f" {'it' if count == 1 else 'them'} out."
        for name, count in counts
    ]


def _notes(study: Study) -> list[str]:
    """What the scoring of the models noted."""
    return [note for model in study.models for note in model.summary["notes"]]


def _references(study: Study) -> list[str]:
    """Models and groups that are not shown to be better than a reference that needs no model."""
    said = []
    for model in study.models:
        for name, meaning in REFERENCES.items():
            pair = study.against(model.name, name)
            if not len(pair):
                continue
            if pair.iloc[0]["verdict"] != "better":
                said.append(f"{model.name} is not shown to be better than {name} ({meaning}).")
            worse = pair[(pair["slice"] != "all") & (pair["verdict"] == "worse")]
            if len(worse):
                row = worse.loc[worse["difference"].abs().idxmax()]
                said.append(
                    f"{model.name} is worse than {name} ({meaning}) in"
                    f" {counted(len(worse), 'group')}, most of all where {rule_text(row)}"
                    f" ({study.measure.text(row['value'])})."
                )
    return said


def _gates(study: Study) -> list[str]:
    if not len(study.gates):
        return []
    failed = study.gates[~is_confirmed(study.gates["passed"])]
    return [
        f"{model} fails {counted(len(rows), 'gate')}: it must not replace {source} unseen."
        for (model, source), rows in failed.groupby(["model", "source"], sort=False)
    ]


def _unconfirmed(study: Study) -> list[str]:
    """How many of the slices are confirmed for no model; a slice of several models counts once."""
    slices = pd.concat([distinct(model.slices) for model in study.models])
    confirmed = slices.groupby("slice")["confirmed"].any()
    count = int((~confirmed.astype(bool)).sum())
    if not count:
        return []
    if len(confirmed) == 1:
        subject = "The one slice is a suggestion"
    else:
        subject = (
            f"{'All' if count == len(confirmed) else f'{count} of the'} {len(confirmed)} slices"
        )
        subject += f" {'is a suggestion' if count == 1 else 'are suggestions'}"
    return [f"{subject} that no test confirms: other data may not show the same."]


def _licences(study: Study) -> list[str]:
    named = [(f"the dataset {study.dataset}", study.dataset_settings["license"])]
    named += [(f"the model {model.name}", model.settings["license"]) for model in study.models]
    named += [
        (f"the model {name}", embedder["license"])
        for name, (embedder, _) in study.embedders.items()
    ]
    said = []
    for terms in dict.fromkeys(terms for _, terms in named if NON_COMMERCIAL.search(terms)):
        names = [name for name, own in named if own == terms]
        verb = "is" if len(names) == 1 else "are"
        said.append(f"{_listed(names)} {verb} under {terms}, which excludes commercial use.")
    return said


def _listed(names: list[str]) -> str:
    text = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return text[0].upper() + text[1:]
