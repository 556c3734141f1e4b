"""The first section of the report: a few sentences and figures computed from the tables."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from voxslice.names import FAILED
from voxslice.report.channel_notes import channel_note
from voxslice.report.costs import gain
from voxslice.report.numbers import counted, probability_of, share
from voxslice.report.searches import ruled_out
from voxslice.report.speakers import carriers
from voxslice.report.study import Model, Study
from voxslice.report.weak_groups import WeakGroup, confirmed_modes, largest_weak_group

RARE = 0.4
"""A label is rare if it has less than this share of the utterances that it would have if all labels
were equally frequent: 20 % if there are two labels."""
CHANCE = "The data do not show that this is more than chance."
"""Remark on a weak group whose interval contains zero."""
CHOSEN = "No test confirms it, and it was chosen because it is bad."
"""Remark on a weak group whose interval lies above zero."""
MIN_CORRECTION = 0.1
"""The measured figure is shown beside the corrected one if they differ by this share of it."""


@dataclass(frozen=True)
class Figure:
    """A number that is shown large, with its meaning."""

    value: str
    meaning: str


def answer(study: Study) -> list[str]:
    """Summarise the study in a few sentences.

    They say whether the candidate is better than the baseline and by how much, where each of the
    two is weakest, how other models and variants compare, and which label is rare.

    Args:
        study: the study

    Returns:
        the sentences in the order of the page
    """
    return [
        *_result(study),
        *_weakest(study),
        *_other_models(study),
        *_variants(study),
        *_rare_labels(study),
    ]


def named_rules(study: Study) -> list[str]:
    """Rules of the weak groups that the answer names, for the models that it is about.

    Args:
        study: the study

    Returns:
        the rules; empty texts for clusters
    """
    rules = []
    for name in _named(study):
        groups = confirmed_modes(study, name)[:2]
        if not groups and (weak := largest_weak_group(study, name)) is not None:
            groups = [weak]
        rules += [group.rule for group in groups]
    return rules


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
        the metric of the models that the answer compares; for a classification also the fixed and
        new errors
    """
    measure, metrics = study.overall_measure, _metrics(study)
    shown = [
        Figure(measure.text(metrics.loc[name, "value"]), f"{measure.title} of {name}")
        for name in reversed(_named(study))
    ]
    if len(study.pair) == 2 and study.classification:
        baseline, candidate = study.pair
        overall = study.against(candidate, baseline).iloc[0]
        fixed = f"errors of {baseline} that {candidate} fixes"
        shown.append(Figure(f"{int(overall['fixed']):,}", fixed))
        shown.append(Figure(f"{int(overall['new']):,}", f"new errors of {candidate}"))
    return shown


def verdict_sentence(study: Study, candidate: str, baseline: str) -> str:
    """Say whether a model is better than another one on all utterances, and by how much.

    Args:
        study: the study
        candidate: id of the model that the sentence is about
        baseline: id of the model with which it was compared

    Returns:
        the sentence, with the metric of both, the difference with its interval, and the speakers
    """
    row = study.against(candidate, baseline).iloc[0]
    measure = study.overall_measure
    ahead = row["difference"] * (1 if measure.rises else -1)
    words = {
        "better": f"{candidate} is better than {baseline}",
        "worse": f"{candidate} is worse than {baseline}",
        "equivalent": f"{candidate} and {baseline} are equivalent within {_margin(study)}",
    }
    undecided = (
        f"{candidate} is not shown to be {'worse' if ahead < 0 else 'better'} than {baseline}"
    )
    text = (
        f"{words.get(row['verdict'], undecided)}: {measure.short} {measure.text(row['value'])}"
        f" compared with {measure.text(row['other'])}, {difference_text(study, row)}"
        f" over {_units(row)}"
    )
    if row["verdict"] in ("better", "worse"):
        text += f" ({probability_of('q', row['q'])})"
    elif row["verdict"] == "undecided" and (row["low"] > 0 or row["high"] < 0):
        text += (
            f", but the test over {_unit(row)} does not show it ({probability_of('q', row['q'])})"
        )
    if row["verdict"] == "better" and str(row["equivalent"]) == "True":
        text += f". However, the two are equivalent within {_margin(study)}"
    return f"{text}."


def difference_text(study: Study, row: pd.Series) -> str:
    """Write the difference of two models with its unit and interval.

    Args:
        study: the study
        row: row of `Study.against`

    Returns:
        text such as `+6.4 points [−2.0, 15.7]`
    """
    measure = study.measures[row["metric"]]
    text = f"{measure.signed(row['difference'])} {measure.step}".rstrip()
    return f"{text} {measure.interval(row['low'], row['high'])}".rstrip()


def may_replace(study: Study, model: str, other: str) -> str:
    """Say whether a model may replace another one that is more costly.

    It may if it is better or equivalent on all utterances, if it is not shown to be worse on any
    group, and if it costs less, see `voxslice.report.costs.gain`.

    Args:
        study: the study
        model: id of the model
        other: id of the other model

    Returns:
        the sentence; empty if the model may not replace the other one
    """
    rows = study.against(model, other)
    overall = rows.iloc[0]
    good = overall["verdict"] == "better" or str(overall["equivalent"]) == "True"
    cheaper = gain(study, model, other)
    if not (good and cheaper) or (rows["verdict"] == "worse").any():
        return ""
    reason = "better" if overall["verdict"] == "better" else f"equivalent within {_margin(study)}"
    return (
        f"{model} may replace {other}: it is {reason}, is not shown to be worse on any group, and"
        f" is {cheaper}."
    )


def _result(study: Study) -> list[str]:
    """The result of the pair of models, or of the only model."""
    if len(study.pair) < 2:
        return [_single(study, name) for name in _named(study)]
    baseline, candidate = study.pair
    return [
        verdict_sentence(study, candidate, baseline),
        *carriers(study, candidate, baseline),
        *_errors(study, candidate, baseline),
        *_shown_losses(study, candidate, baseline),
        *filter(
            None, [may_replace(study, candidate, baseline), may_replace(study, baseline, candidate)]
        ),
    ]


def _single(study: Study, name: str) -> str:
    """The metric of a model without a comparison."""
    measure, row = study.overall_measure, _metrics(study).loc[name]
    value = f"{measure.text(row['value'])} {measure.interval(row['low'], row['high'])}".rstrip()
    scope = counted(int(row["n"]), "utterance")
    if study.speakers is not None:
        scope += f" of {counted(study.speakers, 'speaker')}"
    return f"{name}: {measure.short} {value} on {scope}."


def _errors(study: Study, candidate: str, baseline: str) -> list[str]:
    """Count the errors that the candidate fixes and makes, if the task is a classification."""
    if not study.classification:
        return []
    row = study.against(candidate, baseline).iloc[0]
    fixed, new = int(row["fixed"]), int(row["new"])
    wrong = fixed + int(row["both_wrong"])
    if fixed + new == 0:
        return [f"{candidate} and {baseline} make errors on the same utterances."]
    first = f"all {counted(wrong, 'error')}" if fixed == wrong else (
        f"{fixed:,} of the {counted(wrong, 'error')}")  # fmt: skip
    return [
        f"{candidate} fixes {first} of {baseline} and makes"
        f" {counted(new, 'new error') if new else 'no new error'}."
    ]


def _shown_losses(study: Study, candidate: str, baseline: str) -> list[str]:
    """Name the group with the largest loss of the candidate that a test shows."""
    rows = study.against(candidate, baseline)
    worse = rows[(rows["slice"] != "all") & (rows["verdict"] == "worse")]
    if not len(worse):
        return []
    row = worse.loc[worse["difference"].abs().idxmax()]
    measure, size = study.measure, counted(int(row["support"]), "utterance")
    return [
        f"{candidate} is worse than {baseline} on {counted(len(worse), 'group')}, most for"
        f" {study.group_name(row)}: {measure.short} {measure.text(row['value'])} compared with"
        f" {measure.text(row['other'])} on {size}. {channel_note(study, row['rule'])}".rstrip()
    ]


def _weakest(study: Study) -> list[str]:
    """Say where each model of the answer is weakest."""
    names = _named(study)
    confirmed = {name: confirmed_modes(study, name) for name in names}
    first = [modes[0] for modes in confirmed.values() if modes]
    if len(names) == len(first) == 2 and first[0].name == first[1].name:
        shared = [
            f"Both are weakest for {first[0].name} ({_size(first[0])}).",
            *(
                f"{name}: {_figures(study, mode)}.{_leader(mode)}"
                for name, mode in zip(reversed(names), reversed(first), strict=True)
            ),
            *filter(None, [channel_note(study, first[0].rule)]),
        ]
        others = [text for name in reversed(names) for text in _rest(study, name, confirmed[name])]
        return [" ".join(shared), *others]
    sentences = []
    for name in reversed(names):
        if confirmed[name]:
            sentences.append(_confirmed(study, name, confirmed[name][0]))
            sentences += _rest(study, name, confirmed[name])
        else:
            sentences.append(_unconfirmed(study, name))
    return [sentence for sentence in sentences if sentence]


def _confirmed(study: Study, name: str, mode: WeakGroup) -> str:
    """Describe the worst confirmed mode of a model."""
    errors, utterances = share(mode.share_of_errors), share(mode.share_of_utterances)
    return (
        f"{name} is weakest for {mode.name} ({_size(mode)}): {_figures(study, mode)}. This holds"
        f" {errors} of its {_loss(study)} in {utterances} of the utterances.{_leader(mode)}"
        f" {channel_note(study, mode.rule)}".rstrip()
    )


def _rest(study: Study, name: str, modes: Sequence[WeakGroup]) -> list[str]:
    """Name the second confirmed mode of a model and count the others."""
    if len(modes) < 2:
        return []
    second, more = modes[1], len(modes) - 2
    text = (
        f"The next confirmed failure mode of {name} is {second.name} ({_size(second)}):"
        f" {study.measure.short} {study.measure.text(second.value)}."
        f" {channel_note(study, second.rule)}".rstrip()
    )
    return [f"{text} {more} more {'is' if more == 1 else 'are'} confirmed." if more else text]


def _unconfirmed(study: Study, name: str) -> str:
    """Describe the largest weak group of a model for which no failure mode is confirmed."""
    model = next(model for model in study.models if model.name == name)
    if not model.scores["loss"].any():
        return f"{name} makes no error in these data."
    if _untested(model):
        return ""  # `untested` gives the reason
    none = f"No failure mode of {name} is confirmed"
    certificate = ruled_out(study, model)
    group = largest_weak_group(study, name)
    if group is None:
        return f"{none}, and it is not worse in any group than elsewhere. {certificate}".rstrip()
    remark = CHANCE if not group.low > 0 else CHOSEN
    return (
        f"{none}. Its largest weak group is {group.name} ({_size(group)}):"
        f" {_figures(study, group)}. {remark} {channel_note(study, group.rule)}".rstrip()
        + f" {certificate}".rstrip()
    )


def _figures(study: Study, group: WeakGroup) -> str:
    """The metric inside a group, and how much worse it is, with the interval."""
    measure = study.measure
    excess, interval = measure.change(group.excess), measure.interval(group.low, group.high)
    other = "on the same speakers' other utterances" if group.within else "on all other utterances"
    text = f"{measure.short} {measure.text(group.value)}"
    word = "worse" if group.excess >= 0 else "better"
    if np.isfinite(group.measured):
        text = f"{text}, {f'{excess} {interval}'.rstrip()} {word} than {other}"
        if abs(group.measured - group.excess) < MIN_CORRECTION * abs(group.measured):
            return text
        before = f"{measure.change(group.measured)} before the correction for the search"
        return f"{text} ({before})"
    if group.within and group.low <= 0:
        # the test is about these speakers, the interval about others
        return f"{text}, {excess} {word} than {other} (for other speakers {interval})"
    return f"{text}, {f'{excess} {interval}'.rstrip()} {word} than {other}"


def _size(group: WeakGroup) -> str:
    size = counted(group.support, "utterance")
    return size if group.speakers is None else f"{size} of {counted(group.speakers, 'speaker')}"


def _leader(group: WeakGroup) -> str:
    if not group.leading_speaker:
        return ""
    return f" More than half of the errors there are of the speaker {group.leading_speaker}."


def _loss(study: Study) -> str:
    return "errors" if study.classification else "summed error"


def _other_models(study: Study) -> list[str]:
    """Say which other models are shown to be better or worse than the candidate."""
    if len(study.pair) < 2:
        return []
    candidate = study.pair[1]
    others = [
        model.name
        for model in study.models
        if model.name not in (*study.pair, *study.sources)
        and len(study.against(model.name, candidate))
    ]
    return [verdict_sentence(study, name, candidate) for name in others]


def _variants(study: Study) -> list[str]:
    """Compare each variant with its source: metric, gates, and whether it may replace it."""
    sentences = []
    for name, source in study.sources.items():
        if not len(study.against(name, source)):
            continue
        if set(study.pair) != {name, source}:
            sentences.append(verdict_sentence(study, name, source))
        gates = study.gates[study.gates["model"] == name]
        answers = gates["answer"].value_counts()
        if FAILED in answers:
            total = counted(len(gates), "gate")
            sentences.append(f"{name} fails {answers[FAILED]} of its {total}.")
        elif set(study.pair) != {name, source}:
            sentences += filter(None, [may_replace(study, name, source)])
    return sentences


def _rare_labels(study: Study) -> list[str]:
    """Name the labels of few utterances, on which the metric depends."""
    counts = study.label_counts
    total = int(counts.sum())
    rare = counts[(counts > 0) & (counts * max(len(counts), 1) < RARE * total)]
    return [
        f"Only {count:,} of the {total:,} utterances {'has' if count == 1 else 'have'} the label"
        f" {label}."
        for label, count in rare.items()
    ]


def _named(study: Study) -> list[str]:
    """The models that the answer is about: the pair, or the only model that is no variant."""
    if study.pair:
        return list(study.pair)
    return [model.name for model in study.models if model.name not in study.sources]


def _metrics(study: Study) -> pd.DataFrame:
    """The rows of the task's metric, by model."""
    rows = study.metrics[study.metrics["metric"] == study.overall_metric]
    return rows.set_index("model")


def _untested(model: Model) -> bool:
    """Whether no search tested a rule for a model."""
    return bool(len(model.searches)) and _empty_searches(model) == set(model.searches["search"])


def _unit(row: pd.Series) -> str:
    return "utterances" if pd.isna(row["speakers"]) else "speakers"


def _units(row: pd.Series) -> str:
    if pd.isna(row["speakers"]):
        return counted(int(row["support"]), "utterance")
    return counted(int(row["speakers"]), "speaker")


def _margin(study: Study) -> str:
    """The margin with its unit; empty if the task has none, so that nothing is equivalent."""
    margin = study.task_settings.get("margin")
    return study.overall_measure.change(margin) if margin else ""
