"""The answer of the report, in a few sentences that are made from the tables."""

from dataclasses import dataclass

import pandas as pd

from voxslice.comparison.compare import ALPHA
from voxslice.report.numbers import counted, probability
from voxslice.report.study import Model, Study, by_severity, rule_text


@dataclass(frozen=True)
class Figure:
    """A number that is shown large, with its meaning."""

    value: str
    meaning: str


def answer(study: Study) -> list[str]:
    """The model to take, how sure that is, its fixed and new errors, and its worst slice."""
    ranked = study.ranked()
    best, row = ranked[0]
    if len(ranked) == 1:
        alone = f"{study.models[best].name} {_reached(study, row)} {_scope(study, row)}."
        return [alone, *_worst(study, best)]
    other, second = ranked[1]
    pair = study.against(study.models[best].name, study.models[other].name)
    overall, groups = pair.iloc[0], pair.iloc[1:]
    return [
        *_choice(study, (best, row), (other, second), overall),
        *_others(study, overall["verdict"], ranked),
        *_errors(study, best, other, overall, groups),
        *_losses(study, best, other, groups),
        *_worst(study, best),
    ]


def untested(study: Study) -> list[str]:
    """Say which searches tested no rule: their empty result says nothing about the models."""
    told = []
    for name, search in study.searches.items():
        models = [model.name for model in study.models if name in _empty_searches(model)]
        if models:
            features = " and ".join(search["features"])
            told.append(
                f"The search {name} tested no rule for {' and '.join(models)}, so it cannot find a"
                f" slice: no category and no interval of {features} holds at least"
                f" {counted(search['min_support'], 'utterance')}, but not all of them."
            )
    return told


def _empty_searches(model: Model) -> set[str]:
    """Names of the searches that tested no rule; sliceguard does not count rules."""
    searches = model.searches
    return set(searches.loc[searches["searched"].eq(0).fillna(False).astype(bool), "search"])


def figures(study: Study) -> list[Figure]:
    """The few numbers that the answer is based on."""
    ranked = study.ranked()
    measure = study.measure
    shown = [
        Figure(measure.text(row["value"]), f"{measure.title} of {study.models[position].name}")
        for position, row in ranked[:2]
    ]
    if len(ranked) > 1 and study.classification:
        best, other = (study.models[position].name for position, _ in ranked[:2])
        overall = study.against(best, other).iloc[0]
        shown.append(Figure(f"{int(overall['fixed']):,}", f"errors of {other} that {best} fixes"))
        shown.append(Figure(f"{int(overall['new']):,}", f"new errors of {best}"))
    return shown


def smaller(study: Study, first: int, second: int) -> str:
    """Which of two models is smaller, with sizes; empty if a size is unknown or both are equal.

    Args:
        study: the study
        first: position of a model
        second: position of the other model
    """
    sizes = [study.models[position].card["size_mb"] for position in (first, second)]
    if None in sizes or sizes[0] == sizes[1]:
        return ""
    order = sorted(zip(sizes, (first, second), strict=True))
    (low, small), (high, _) = order
    return f"{study.models[small].name} is the smaller ({low:.1f} MB against {high:.1f} MB)"


def _reached(study: Study, row: pd.Series) -> str:
    measure = study.measure
    value = f"{measure.text(row['value'])} {measure.interval(row['low'], row['high'])}".rstrip()
    return f"is right on {value}" if study.classification else f"is off by {value} on average, on"


def _scope(study: Study, row: pd.Series) -> str:
    scope = counted(int(row["n"]), "utterance")
    if study.speakers is not None:
        scope += f" of {counted(study.speakers, 'speaker')}"
    return f"of {scope}" if study.classification else scope


def _choice(
    study: Study, best: tuple[int, pd.Series], other: tuple[int, pd.Series], overall: pd.Series
) -> list[str]:
    """The model to take, by the verdict on the best compared with the second best."""
    names = [study.models[position].name for position, _ in (best, other)]
    first = f"{names[0]} {_reached(study, best[1])}"
    second = f"{names[1]} {_reached(study, other[1])}".removesuffix(", on")
    distance = _distance(study, overall)
    small = smaller(study, best[0], other[0])
    if overall["verdict"] == "better":
        side = "above" if study.classification else "below"
        rank = f"{names[1]}, the next best of {len(study.models)} models" if (
            len(study.models) > 2) else names[1]  # fmt: skip
        said = [
            f"Take {names[0]}: it {_reached(study, best[1])} {_scope(study, best[1])}, {distance}"
            f" {side} {rank} ({_q(overall['q'])})."
        ]
        if str(overall["equivalent"]) == "True":
            said.append(
                f"Yet the two are equivalent within {_margin(study)}"
                + (f", and {small}." if small else ".")
            )
        return said
    if overall["verdict"] == "equivalent":
        return [
            f"{names[0]} and {names[1]} are equivalent within {_margin(study)}:"
            f" {first} {_scope(study, best[1])}, {second}.",
            f"Choose by cost and by the slices below{f'; {small}' if small else ''}.",
        ]
    # McNemar's test may find a difference in these utterances that other speakers do not show
    spread = bool(study.speakers) and overall["q"] <= ALPHA
    why = "lie in which speakers were heard" if spread else f"be chance ({_q(overall['q'])})"
    return [
        f"The data do not settle which model is better: {first} {_scope(study, best[1])},"
        f" {second}, and the difference of {distance} may {why}."
    ]


def _others(study: Study, verdict: str, ranked: list[tuple[int, pd.Series]]) -> list[str]:
    """The models that the best one is better than, if the second best is not among them."""
    if verdict == "better":
        return []
    best, *others = [study.models[position].name for position, _ in ranked]
    beaten = [
        f"{name} ({_distance(study, rows.iloc[0])})"
        for name in others[1:]
        for rows in [study.against(best, name)]
        if rows.iloc[0]["verdict"] == "better"
    ]
    return [f"{best} is better than {' and '.join(beaten)}."] if beaten else []


def _distance(study: Study, overall: pd.Series) -> str:
    """The difference of two models without its sign; the first model is the better one."""
    measure = study.measure
    low, high = overall["low"], overall["high"]
    edges = measure.interval(low, high) if measure.rises else measure.interval(-high, -low)
    return f"{measure.change(overall['difference'])} {edges}".rstrip()


def _margin(study: Study) -> str:
    return study.measure.change(study.task_settings["margin"])


def _q(value: float) -> str:
    text = probability(value)
    return f"q {text}" if text.startswith("<") else f"q = {text}"


def _errors(
    study: Study, best: int, other: int, overall: pd.Series, groups: pd.DataFrame
) -> list[str]:
    """The errors that the best model of a classification fixes, and where its new errors are."""
    if not study.classification:
        return []
    one, second = study.models[best].name, study.models[other].name
    fixed, new = int(overall["fixed"]), int(overall["new"])
    wrong = fixed + int(overall["both_wrong"])
    if fixed + new == 0:
        return [f"{one} and {second} are right and wrong on the same utterances."]
    said = (
        f"{one} fixes"
        f" {'all' if fixed == wrong else f'{fixed:,} of the'} {counted(wrong, 'error')} of"
        f" {second} and makes"
        f" {f'{new:,} new ' + ('one' if new == 1 else 'ones') if new else 'no new one'}"
    )
    return [said + _where(groups, new, overall["support"]) + "."]


def _where(groups: pd.DataFrame, new: int, support: int) -> str:
    """The compared group with the most new errors beyond its share of the utterances."""
    excess = groups["new"].astype(float) - new * groups["support"] / support
    some = groups[(groups["new"] > 1) & (excess >= 1)]
    if not len(some):
        return ""
    order = some.assign(excess=excess).sort_values(["excess", "support"], ascending=[False, True])
    row = order.iloc[0]
    size = counted(int(row["support"]), "utterance")
    return f", {int(row['new']):,} of them among the {size} with {rule_text(row)}"


def _losses(study: Study, best: int, other: int, groups: pd.DataFrame) -> list[str]:
    """Groups in which the best model is shown to be worse than the second best."""
    if not len(groups):
        return []
    better, name = study.models[best].name, study.models[other].name
    worse = groups[groups["verdict"] == "worse"]
    if not len(worse):
        return [
            f"{better} is shown to be worse than {name} in none of the"
            f" {counted(len(groups), 'group')} compared."
        ]
    size = worse["difference"].abs()
    row = worse.loc[size.idxmax()]
    text = study.measure.text
    return [
        f"{better} is worse than {name} in {len(worse)} of the"
        f" {counted(len(groups), 'group')} compared, most of all where {rule_text(row)}"
        f" ({text(row['value'])} against {text(row['other'])} on"
        f" {counted(int(row['support']), 'utterance')})."
    ]


def _worst(study: Study, position: int) -> list[str]:
    """The worst slice of a model."""
    model, measure = study.models[position], study.measure
    if not len(model.slices):
        if len(model.searches) and _empty_searches(model) == set(model.searches["search"]):
            return []  # `untested` says why
        return [f"No slice was found in which {model.name} fails more than elsewhere."]
    row = by_severity(model.slices).iloc[0]
    where = f"{rule_text(row)}: {measure.title} {measure.text(row['value'])} on"
    where += f" {counted(int(row['support']), 'utterance')}"
    if not pd.isna(row["speakers"]):
        where += f" of {counted(int(row['speakers']), 'speaker')}"
    where += f", against {measure.text(row['rest'])} elsewhere."
    if row["confirmed"]:
        return [f"The worst confirmed slice of {model.name} is {where}"]
    return [f"No slice of {model.name} is confirmed; the worst suggestion is {where}"]
