"""The answer in a few sentences, and what to bear in mind with it."""

import re
from dataclasses import dataclass

import pandas as pd

from voxslice.report.numbers import counted
from voxslice.report.study import Study, by_severity, is_confirmed
from voxslice.resampling import FEW_SPEAKERS
from voxslice.rules import as_text

MANY_SPEAKERS = 30
"""Below this the report says that the speakers are few for a claim about new ones."""
MIN_GROUP = 10
"""Smallest group of utterances that a sentence names."""
NON_COMMERCIAL = re.compile(r"\bNC\b|non-?commercial", re.IGNORECASE)


@dataclass(frozen=True)
class Figure:
    """A number that stands out, with what it means."""

    value: str
    meaning: str


def answer(study: Study) -> list[str]:
    """The answer: which model is best, by how much, what it fixes and breaks, where it is worst."""
    ranked = study.ranked()
    best, row = ranked[0]
    name, measure = study.models[best].name, study.measure
    said = f"{measure.text(row['value'])} {measure.interval(row['low'], row['high'])}".strip()
    scope = _scope(int(row["n"]), study.speakers)
    if len(ranked) == 1:
        return [f"{name} has {_article(measure.title)} of {said} on {scope}.", *_worst(study, best)]
    other, second = ranked[1]
    against = f"{measure.text(second['value'])} {measure.interval(second['low'], second['high'])}"
    quality = "best" if measure.rises else "smallest"
    sentences = [
        f"{name} has the {quality} {measure.title} of the {len(ranked)} models: {said}, against"
        f" {against.strip()} of {study.models[other].name}, on {scope}."
    ]
    pair = study.pair(best, other)
    if pair is not None:
        sentences.append(_difference(study, pair, best, other))
        sentences += _broken(study, best, other)
    return sentences + _worst(study, best)


def figures(study: Study) -> list[Figure]:
    """The few numbers that the answer rests on."""
    ranked = study.ranked()
    measure = study.measure
    shown = [
        Figure(measure.text(row["value"]), f"{measure.title} of {study.models[position].name}")
        for position, row in ranked[:2]
    ]
    if len(ranked) > 1 and study.classification:
        pair = study.pair(ranked[0][0], ranked[1][0])
        if pair is not None:
            better, other = study.models[ranked[0][0]].name, study.models[ranked[1][0]].name
            shown.append(
                Figure(f"{int(pair['fixed']):,}", f"errors of {other} that {better} fixes")
            )
            shown.append(Figure(f"{int(pair['new']):,}", f"new errors of {better}"))
    return shown


def _scope(utterances: int, speakers: int | None) -> str:
    scope = counted(utterances, "utterance")
    return scope if speakers is None else f"{scope} of {counted(speakers, 'speaker')}"


def _article(title: str) -> str:
    return f"{'an' if title[0] in 'aeiou' else 'a'} {title}"


def _difference(study: Study, pair: dict, best: int, other: int) -> str:
    measure = study.measure
    better, worse = study.models[best].name, study.models[other].name
    unit = "percentage points" if measure.unit == "%" else measure.unit
    text = f"The difference is {measure.number(abs(pair['difference']))} {unit}".rstrip()
    low, high = pair["low"], pair["high"]
    edges = measure.interval(low, high) if measure.rises else measure.interval(-high, -low)
    text += f" {edges}".rstrip()
    if low <= 0 <= high:
        text += ", an interval that holds zero: the order may be chance"
    if study.classification:
        return (
            f"{text}; {better} fixes {counted(int(pair['fixed']), 'error')} of {worse} and makes"
            f" {int(pair['new']):,} that {worse} does not make."
        )
    change = study.joined[f"_loss_{best}"] - study.joined[f"_loss_{other}"]
    return (
        f"{text}; {better} is nearer to the true value in {int((change < 0).sum()):,} of"
        f" {counted(len(change), 'utterance')} and farther from it in {int((change > 0).sum()):,}."
    )


def _broken(study: Study, best: int, other: int) -> list[str]:
    """Where the better model is worse than the other, by one category of the metadata."""
    table = study.joined
    change = (table[f"_loss_{best}"] - table[f"_loss_{other}"]).to_numpy()
    groups = [
        (name, value, as_text(table[name]) == value)
        for name in study.categories
        for value in sorted(set(as_text(table[name])))
    ]
    if study.classification:
        new = change > 0
        # the category that holds the most new errors beyond its share of the utterances
        excess = [(int(new[mask].sum()) - new.sum() * mask.mean(), -i) for i, (*_, mask) in
                  enumerate(groups)]  # fmt: skip
        if not new.any() or not groups:
            return []
        largest, position = max(excess)
        name, value, mask = groups[-position]
        if largest <= 0:
            return []
        return [
            f"Of the new {'error' if new.sum() == 1 else 'errors'}, {int(new[mask].sum())} of"
            f" {int(new.sum())} lie where {name} = {value}, which holds {int(mask.sum()):,} of"
            f" {len(table):,} utterances."
        ]
    groups = [group for group in groups if group[2].sum() >= MIN_GROUP]
    if not groups:
        return []
    rise, position = max((change[mask].mean(), -i) for i, (*_, mask) in enumerate(groups))
    name, value, mask = groups[-position]
    better, worse = study.models[best].name, study.models[other].name
    if rise <= 0:
        return [f"In every category of the metadata {better} has the smaller mean error."]
    text = study.measure.text
    return [
        f"It is worse where {name} = {value}: {text(table.loc[mask, f'_loss_{best}'].mean())}"
        f" against {text(table.loc[mask, f'_loss_{other}'].mean())} of {worse}, in"
        f" {counted(int(mask.sum()), 'utterance')}."
    ]


def _worst(study: Study, position: int) -> list[str]:
    """The worst slice of a model."""
    model, measure = study.models[position], study.measure
    if not len(model.slices):
        return [f"No slice was found in which {model.name} fails more than elsewhere."]
    row = by_severity(model.slices).iloc[0]
    speakers = None if pd.isna(row["speakers"]) else int(row["speakers"])
    certainty = "confirmed" if row["confirmed"] else "suggested, not confirmed"
    return [
        f"Its worst slice ({certainty}) is {rule_text(row)}: {measure.title}"
        f" {measure.text(row['value'])} on {_scope(int(row['support']), speakers)}, against"
        f" {measure.text(row['rest'])} elsewhere."
    ]


def rule_text(row: pd.Series) -> str:
    """The rule of a slice, or its id where no rule describes it."""
    return f"group {row['slice']}" if row["rule"] == "no rule" else str(row["rule"])


def warnings(study: Study) -> list[str]:
    """What a reader has to bear in mind, one sentence each."""
    said = []
    if study.speakers is None:
        said.append(
            "The speakers are not known: every utterance counts as independent, and the intervals"
            " are too narrow where speakers have several."
        )
    elif study.speakers < FEW_SPEAKERS:
        said.append(
            f"There {'is' if study.speakers == 1 else 'are'} only"
            f" {counted(study.speakers, 'speaker')}: the intervals are not reliable, since they can"
            " hardly see how speakers differ."
        )
    elif study.speakers < MANY_SPEAKERS:
        said.append(
            f"{study.speakers} speakers are few for any claim about new speakers: the intervals say"
            " how much the results depend on these, not how all people fare."
        )
    if study.dataset_settings["synthetic"]:
        said.append("The speech is synthetic: the results say nothing about people.")
    said += _failed(study)
    said += _unconfirmed(study)
    named = [(f"the dataset {study.dataset}", study.dataset_settings["license"])]
    named += [(f"the model {model.name}", model.settings["license"]) for model in study.models]
    named += [
        (f"the model {name}", embedder["license"])
        for name, (embedder, _) in study.embedders.items()
    ]
    for terms in dict.fromkeys(terms for _, terms in named if NON_COMMERCIAL.search(terms)):
        names = [name for name, own in named if own == terms]
        verb = "is" if len(names) == 1 else "are"
        said.append(f"{_listed(names)} {verb} under {terms}, which excludes commercial use.")
    return said


def _failed(study: Study) -> list[str]:
    counts = [(model.name, len(model.failures)) for model in study.models if len(model.failures)]
    return [
        f"{name} could not score {counted(count, 'utterance')}; the metrics leave"
        f" {'it' if count == 1 else 'them'} out."
        for name, count in counts
    ]


def _unconfirmed(study: Study) -> list[str]:
    """Which of the slices were only suggested."""
    slices = pd.concat([model.slices["confirmed"] for model in study.models])
    open_ = ~is_confirmed(slices)
    if not open_.any():
        return []
    count = int(open_.sum())
    if len(slices) == 1:
        subject = "The one slice is a suggestion"
    else:
        subject = f"{'All' if count == len(slices) else f'{count} of the'} {len(slices)} slices"
        subject += f" {'is a suggestion' if count == 1 else 'are suggestions'}"
    return [f"{subject} that no test confirms: other data may not show the same."]


def _listed(names: list[str]) -> str:
    text = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return text[0].upper() + text[1:]
