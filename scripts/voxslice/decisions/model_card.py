"""A model card in the format of the Hugging Face hub, from the tables of a study alone."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from huggingface_hub import EvalResult, ModelCardData

from voxslice.decisions.documents import title
from voxslice.decisions.markdown import escape, markdown_table
from voxslice.modes.table import REST

LICENSES = {
    "apache-2.0", "bsd-3-clause", "cc-by-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-sa-4.0",
    "cc0-1.0", "gpl-3.0", "mit",
}  # fmt: skip
"""Licences that the hub knows by these names; others are called `other`."""
TASK_TYPE = "audio-classification"


@dataclass(frozen=True)
class Results:
    """The results of a model on a dataset and task.

    Attributes:
        dataset: id of the dataset
        task: id of the task
        settings: `license`, `note`, `synthetic` and `version` of the dataset
        metrics: metrics of all models
        modes: failure modes of all models
        checks: answers of the checks; empty if there are none
    """

    dataset: str
    task: str
    settings: Mapping[str, Any]
    metrics: pd.DataFrame
    modes: pd.DataFrame
    checks: pd.DataFrame


def license_of(text: str) -> dict[str, str]:
    """The licence of a model as the hub names it.

    Args:
        text: licence of the config

    Returns:
        `license`, and `license_name` if the hub does not know the licence
    """
    name = re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-")
    return {"license": name} if name in LICENSES else {"license": "other", "license_name": name}


def model_card(
    model: str,
    settings: Mapping[str, Any],
    results: Sequence[Results],
    groups: pd.DataFrame,
    *,
    version: str,
) -> str:
    """Write the model card of a model.

    Args:
        model: id of the model
        settings: `license`, `note` and `intended_use` of the model in the config
        results: results on each dataset and task
        groups: group table, see `voxslice.decisions.group_table`
        version: version of the workflow, which is named as the source of the results

    Returns:
        Markdown with the metadata of the hub as YAML at its beginning
    """
    known: dict[str, Any] = license_of(settings["license"])
    data = ModelCardData(
        model_name=model,
        tags=["voice", "voxslice"],
        pipeline_tag=TASK_TYPE,
        eval_results=_eval_results(model, results, version),
        **known,
    )
    lines = ["---", data.to_yaml(), "---", "", f"# {escape(model)}", ""]
    if settings.get("note"):
        lines += [escape(settings["note"]), ""]
    lines += ["## Intended use", ""]
    lines += [escape(settings.get("intended_use") or "The config does not state one."), ""]
    lines += ["## Evaluation", ""]
    lines += [
        f"The figures come from Voxslice {escape(version)}. Intervals have 95 % and are by speaker:"
        " utterances of one speaker are not independent. `groups.csv`, `test_set.csv` and"
        " `inputs.csv` are beside this card.",
        "",
    ]
    for one in results:
        lines += _section(model, one, groups)
    lines += _limits(results)
    return "\n".join(lines) + "\n"


def _eval_results(model: str, results: Sequence[Results], version: str) -> list[EvalResult]:
    """The metrics of a model in the form of the hub."""
    found = []
    for one in results:
        own = one.metrics[one.metrics["model"] == model]
        for row in own.dropna(subset=["value"]).to_dict("records"):
            found.append(
                EvalResult(
                    task_type=TASK_TYPE,
                    task_name=one.task,
                    dataset_type=one.dataset,
                    dataset_name=one.dataset,
                    dataset_config=one.task,  # the hub merges results without it
                    dataset_revision=one.settings.get("version"),
                    metric_type=row["metric"],
                    metric_name=row["metric"],
                    metric_value=float(row["value"]),
                    source_name=f"Voxslice {version}",
                    source_url="README.md",
                )
            )
    return found


def _section(model: str, one: Results, groups: pd.DataFrame) -> list[str]:
    """The results of a model on a dataset and task."""
    lines = [f"### {escape(one.task)} on {escape(one.dataset)}", ""]
    own = one.metrics[one.metrics["model"] == model]
    columns = ["metric", "value", "low", "high", "n", "speakers"]
    titles = ["metric", "value", "low", "high", "utterances", "speakers"]
    lines += markdown_table(titles, own[columns].to_numpy(object).tolist())
    rows = groups[(groups["dataset"] == one.dataset) & (groups["task"] == one.task)]
    rows = rows[rows["demographic"].astype(bool)]
    if len(rows):
        lines += ["Groups of people (`others` are all other utterances):", ""]
        shown = ["group", "metric", "value", "low", "high", "others", "support", "speakers"]
        titles = ["group", "metric", "value", "low", "high", "others", "utterances", "speakers"]
        lines += markdown_table(titles, rows[shown].to_numpy(object).tolist())
    lines += _modes(model, one)
    if len(one.checks):
        checks = one.checks[one.checks["model"] == model]
        for row in checks.to_dict("records"):
            lines.append(f"- {escape(title(row))}: **{row['answer']}**")
        lines += [""] if len(checks) else []
    return lines


def _modes(model: str, one: Results) -> list[str]:
    """The confirmed failure modes of a model."""
    modes = one.modes[(one.modes["model"] == model) & (one.modes["mode"].astype(str) != REST)]
    modes = modes[modes["confirmed"].astype(str).str.lower() == "true"]
    if not len(modes):
        return ["No failure mode of this model is confirmed.", ""]
    shown = ["name", "value", "rest", "support", "speakers", "share_of_errors"]
    titles = ["failure mode", "in it", "elsewhere", "utterances", "speakers", "share of the errors"]
    lines = [
        "Confirmed failure modes. A search chose them because they are bad, so their figures are"
        " too bad on average:",
        "",
    ]
    return lines + markdown_table(titles, modes[shown].to_numpy(object).tolist())


def _limits(results: Sequence[Results]) -> list[str]:
    """What the figures do not say."""
    lines = ["## Limits", ""]
    if any(one.settings.get("synthetic") for one in results):
        lines.append("- The speech is synthetic. These results do not describe people.")
    lines += [
        "- The figures hold for these test sets. What was not tested is not known.",
        "- A model that judges people by their voice can be wrong again and again for the same"
        " people. Small errors do not justify decisions about a person.",
        "",
    ]
    return lines
