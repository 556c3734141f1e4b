"""The first section of the report: a few sentences and figures computed from the tables."""

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
    """Summarise the study in a few sentences.

    They name the best model and the evidence for it, the errors that it fixes and makes, the groups
    on which it is worse than the second best model, and its worst slice.

    Args:
        study: the study

    Returns:
        the sentences in the order of the page
    """
    ranked = study.ranked()
    best, row = ranked[0]
    if len(ranked) == 1:
        result = f"{study.models[best].name} {_result(study, row)} {_scope(study, row)}."
        return [result, *_worst(study, best)]
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
    """Name the searches that tested no rule. Their empty results do not describe the models.

    Args:
        study: the study

    Returns:
        one sentence per search
    """
    sentences = []
    for name, search in study.searches.items():
        models = [model.name for model in study.models if name in _empty_searches(model)]
        if models:
            features = " and ".join(search["features"])
            sentences.append(
                f"The search {name} tested no rule for {' and '.join(models)}. It cannot find a"
                f" slice, because no category and no interval of {features} contains at least"
                f" {counted(search['min_support'], 'utterance')}, but not all of them."
            )
    return sentences


def _empty_searches(model: Model) -> set[str]:
    """Names of the searches that tested no rule. Searches with sliceguard test no rules."""
    searches = model.searches
    return set(searches.loc[searches["searched"].eq(0).fillna(False).astype(bool), "search"])


def figures(study: Study) -> list[Figure]:
    """The main numbers behind the answer.

    Args:
        study: the study

    Returns:
        the metric of the two best models; for a classification also the fixed and new errors
    """
    ranked = study.ranked()
    measure = study.overall_measure
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
    """Name the smaller of two models and both sizes.

    Args:
        study: the study
        first: position of a model
        second: position of the other model

    Returns:
        a part of a sentence; empty if a size is unknown or both sizes are equal
    """
    sizes = [study.models[position].card["size_mb"] for position in (first, second)]
    if None in sizes or sizes[0] == sizes[1]:
        return ""
    order = sorted(zip(sizes, (first, second), strict=True))
    (low, small), (high, _) = order
    return f"{study.models[small].name} is smaller ({low:.1f} MB compared with {high:.1f} MB)"


def _result(study: Study, row: pd.Series) -> str:
    measure = study.overall_measure
    value = f"{measure.text(row['value'])} {measure.interval(row['low'], row['high'])}".rstrip()
    if study.overall_metric == "accuracy":
        return f"is correct on {value}"
    return f"has a {measure.title} of {value} on"


def _scope(study: Study, row: pd.Series) -> str:
    scope = counted(int(row["n"]), "utterance")
    if study.speakers is not None:
        scope += f" of {counted(study.speakers, 'speaker')}"
    return f"of {scope}" if study.overall_metric == "accuracy" else scope


def _choice(
    study: Study, best: tuple[int, pd.Series], other: tuple[int, pd.Series], overall: pd.Series
) -> list[str]:
    """State which of the two best models is better, or that this is not decided."""
    names = [study.models[position].name for position, _ in (best, other)]
    first = f"{names[0]} {_result(study, best[1])}"
    second = f"{names[1]} {_result(study, other[1])}".removesuffix(" on")
    distance = _distance(study, overall)
    small = smaller(study, best[0], other[0])
    if overall["verdict"] == "better":
        side = "above" if study.overall_measure.rises else "below"
        count = len(study.models)
        rank = f"the best of {count} models" if count > 2 else "the better model"
        second = f"the second best, {names[1]}" if count > 2 else names[1]
        sentences = [
            f"{names[0]} is {rank}: it {_result(study, best[1])} {_scope(study, best[1])},"
            f" {distance} {side} {second} ({_q(overall['q'])})."
        ]
        if str(overall["equivalent"]) == "True":
            sentences.append(
                f"However, the two are equivalent within {_margin(study)}"
                + (f", and {small}." if small else ".")
            )
        return sentences
    if overall["verdict"] == "equivalent":
        return [
            f"{names[0]} and {names[1]} are equivalent within {_margin(study)}:"
            f" {first} {_scope(study, best[1])}, {second}.",
            f"Choose between them by cost and by slices{f': {small}' if small else ''}.",
        ]
    # McNemar's test treats utterances as independent, the interval does not
    depends = bool(study.speakers) and overall["q"] <= ALPHA
    why = "depend on the choice of speakers" if depends else f"be chance ({_q(overall['q'])})"
    return [
        f"The data do not show which model is better: {first} {_scope(study, best[1])},"
        f" {second}. The difference of {distance} may {why}."
    ]


def _others(study: Study, verdict: str, ranked: list[tuple[int, pd.Series]]) -> list[str]:
    """Name the models that are worse than the best model, if the second best is not one of them."""
    if verdict == "better":
        return []
    best, *others = [study.models[position].name for position, _ in ranked]
    worse = [
        f"{name} ({_distance(study, rows.iloc[0])})"
        for name in others[1:]
        for rows in [study.against(best, name)]
        if rows.iloc[0]["verdict"] == "better"
    ]
    return [f"{best} is better than {' and '.join(worse)}."] if worse else []


def _distance(study: Study, overall: pd.Series) -> str:
    """The difference of two models without its sign; the first model is the better one."""
    measure = study.overall_measure
    low, high = overall["low"], overall["high"]
    edges = measure.interval(low, high) if measure.rises else measure.interval(-high, -low)
    return f"{measure.change(overall['difference'])} {edges}".rstrip()


def _margin(study: Study) -> str:
    return study.overall_measure.change(study.task_settings["margin"])


def _q(value: float) -> str:
    text = probability(value)
    return f"q {text}" if text.startswith("<") else f"q = {text}"


def _errors(
    study: Study, best: int, other: int, overall: pd.Series, groups: pd.DataFrame
) -> list[str]:
    """Count the errors that the best model fixes and makes, if the task is a classification."""
    if not study.classification:
        return []
    one, second = study.models[best].name, study.models[other].name
    fixed, new = int(overall["fixed"]), int(overall["new"])
    wrong = fixed + int(overall["both_wrong"])
    if fixed + new == 0:
        return [f"{one} and {second} make errors on the same utterances."]
    sentence = (
        f"{one} fixes {'all' if fixed == wrong else f'{fixed:,} of the'} {counted(wrong, 'error')}"
        f" of {second} and makes {counted(new, 'new error') if new else 'no new error'}"
    )
    return [sentence + _where(groups, new, overall["support"]) + "."]


def _where(groups: pd.DataFrame, new: int, support: int) -> str:
    """Name the group in which new errors are most over-represented.

    New errors are over-represented if there are more than the group's share of the utterances
    predicts, by at least one error.
    """
    excess = groups["new"].astype(float) - new * groups["support"] / support
    some = groups[(groups["new"] > 1) & (excess >= 1)]
    if not len(some):
        return ""
    order = some.assign(excess=excess).sort_values(["excess", "support"], ascending=[False, True])
    row = order.iloc[0]
    size = counted(int(row["support"]), "utterance")
    return f", {int(row['new']):,} of them on the {size} with {rule_text(row)}"


def _losses(study: Study, best: int, other: int, groups: pd.DataFrame) -> list[str]:
    """Name the groups on which the best model is significantly worse than the second best."""
    if not len(groups):
        return []
    better, name = study.models[best].name, study.models[other].name
    worse = groups[groups["verdict"] == "worse"]
    if not len(worse):
        return [
            f"{better} is not significantly worse than {name} on any of the"
            f" {counted(len(groups), 'compared group')}."
        ]
    size = worse["difference"].abs()
    row = worse.loc[size.idxmax()]
    text = study.measure.text
    return [
        f"{better} is significantly worse than {name} on {len(worse)} of the"
        f" {counted(len(groups), 'compared group')}. The largest difference is for {rule_text(row)}"
        f" ({text(row['value'])} instead of {text(row['other'])},"
        f" {counted(int(row['support']), 'utterance')})."
    ]


def _worst(study: Study, position: int) -> list[str]:
    """Describe the worst slice of a model: a confirmed one if there is one."""
    model, measure = study.models[position], study.measure
    if not len(model.slices):
        if len(model.searches) and _empty_searches(model) == set(model.searches["search"]):
            return []  # `untested` gives the reason
        return [f"No slice was found on which {model.name} is worse than elsewhere."]
    row = by_severity(model.slices).iloc[0]
    size = counted(int(row["support"]), "utterance")
    if not pd.isna(row["speakers"]):
        size += f" of {counted(int(row['speakers']), 'speaker')}"
    result = (
        f"{rule_text(row)}: {measure.title} {measure.text(row['value'])} on {size}, and"
        f" {measure.text(row['rest'])} on all other utterances."
    )
    if row["confirmed"]:
        return [f"The worst confirmed slice of {model.name} is {result}"]
    return [f"No slice of {model.name} is confirmed. The worst suggested slice is {result}"]
