"""One HTML page without any outside request: template, style and script are put into it."""

import base64
import hashlib
import importlib.metadata
import platform
import re
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from voxslice.errors import InputError
from voxslice.report import charts, clips, content
from voxslice.report.answer import answer, figures, warnings
from voxslice.report.study import Study

LIBRARIES = [
    "audb", "audonnx", "onnxruntime", "numpy", "pandas", "scikit-learn", "sliceguard", "snakemake",
]  # fmt: skip


def render(
    study: Study,
    *,
    audio: str | Path,
    template: str,
    style: str,
    script: str,
    max_megabytes: float,
) -> str:
    """Make the report.

    Args:
        study: what the workflow has written
        audio: folder that the files are relative to
        template: the page, for Jinja
        style: CSS
        script: JavaScript
        max_megabytes: largest size of the page; audio that does not fit is left out

    Returns:
        HTML

    Raises:
        InputError: where the page is too large even without audio
    """
    # what comes from data is text, never markup
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["breakable"] = breakable
    page = environment.from_string(template)
    parts = {
        "study": study,
        "style": Markup(style),  # noqa: S704
        "script": Markup(script),  # noqa: S704
        "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        **_parts(study),
    }
    groups = clips.choose(study)
    every = sum(len(group.clips) for group in groups)
    bare = len(page.render(**parts, groups=groups, left_out=every).encode())
    limit = int(max_megabytes * 1e6)
    if bare > limit:
        raise InputError(
            f"The report takes {bare / 1e6:.1f} MB without any audio, more than the"
            f" {max_megabytes:g} MB of report.max_megabytes: raise it."
        )
    groups, left_out = clips.with_audio(groups, audio, limit - bare)
    return page.render(**parts, groups=groups, left_out=left_out)


def _parts(study: Study) -> dict[str, object]:
    failures, more_failures = content.failure_table(study)
    names = list(dict.fromkeys(study.metrics["metric"]))
    target = study.files[study.target]
    durations = study.files["duration"]
    unit = study.task_settings.get("unit", "")
    labels = content.label_table(study)
    return {
        "answer": answer(study),
        "figures": figures(study),
        "warnings": warnings(study),
        "dataset_facts": content.dataset_facts(study),
        "model_table": content.model_table(study),
        "setting_facts": content.setting_facts(study),
        "metric_table": content.metric_table(study),
        "metric_charts": [_drawn(charts.metric_chart(study, name)) for name in names],
        "confusions": content.confusion_matrices(study) if study.classification else [],
        "scatters": _scatters(study),
        "heat_names": content.heat_columns(study),
        "heat_maps": content.heat_maps(study),
        "slices": [
            {
                "model": model.name,
                "position": position,
                "chart": _drawn(charts.drop_chart(study, model)) if len(model.slices) else None,
                "searched": content.searched(model),
                "table": content.slice_table(study, model),
            }
            for position, model in enumerate(study.models)
        ],
        "pairs": [
            {
                "title": f"{b.name} against {a.name}",
                "chart": _drawn(charts.difference_chart(study, a, b)),
                "table": content.comparison_table(study, a, b),
                "regressions": content.regressions(study, a, b),
            }
            for a, b in content.pairs(study)
        ],
        "failures": failures,
        "more_failures": more_failures,
        "label_table": labels,
        "label_chart": None
        if labels
        else _drawn(charts.histogram(target, f"True {study.target} ({unit})".replace(" ()", ""))),
        "duration_spread": content.spread(durations, "s"),
        "duration_chart": _drawn(charts.histogram(durations, "Duration (s)"))
        if durations.nunique() > 1
        else None,
    }


def _scatters(study: Study) -> Sequence[tuple[str, Markup]]:
    if study.classification:
        return []
    return [(m.name, _drawn(charts.scatter_chart(study, m))) for m in study.models]


def breakable(text: str) -> Markup:
    """Text that may be broken after an underscore or a slash, as in ids and file names."""
    return Markup("<wbr>").join(re.split(r"(?<=[_/])", text))


def _drawn(svg: str) -> Markup:
    """Trust an SVG of our own making: the chart library has escaped the text in it."""
    return Markup(svg)  # noqa: S704


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that decide the numbers, those that are installed."""
    found = {"Python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
