"""Render the report as one HTML file that contains its style and scripts and makes no request."""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from voxslice.decisions.abstention import RULE
from voxslice.errors import InputError
from voxslice.report import (
    abstention,
    against,
    audit,
    calibration,
    cascades,
    checks,
    clips,
    compared,
    condition_clips,
    conditions,
    hints,
    limits,
    mode_cards,
    mode_overview,
    modes,
    overall,
    projection,
    recordings,
    slice_tables,
    speakers,
    tradeoff,
)
from voxslice.report.answer import answer, figures, untested
from voxslice.report.caveats import warnings
from voxslice.report.condition_clips import Changes
from voxslice.report.corrected import SELECTION_NOTE
from voxslice.report.page.templates import style, template, text_of_file
from voxslice.report.searches import searches_sentence
from voxslice.report.study import Study, distinct

OPEN_PAIRS = 1
"""Number of pairs of models that are unfolded when the page opens."""
OPEN_WARNINGS = 5
"""Number of warnings that are unfolded when the page opens."""
OPEN_MODES = 2
"""Largest number of failure modes that are unfolded when the page opens."""
FIRST_PAGE_MODES = 3
"""Largest number of failure modes on the first printed page."""


@dataclass(frozen=True)
class Derived:
    """Numbers that only the report computes.

    Args:
        calibration: Table of `voxslice.report.calibration.calibration`.
        tradeoff: Table of `voxslice.report.tradeoff.tradeoff`.
        heatmap: Result of `voxslice.report.slice_tables.heat`.
        distributions: Table of `voxslice.report.limits.distributions`.
        map: Result of `voxslice.report.projection.make_map`.
    """

    calibration: pd.DataFrame
    tradeoff: pd.DataFrame
    heatmap: slice_tables.Heat
    distributions: pd.DataFrame
    map: projection.Map | None

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The numbers as tables, by the names of the outputs of the rule."""
        empty = pd.DataFrame(columns=["file", "start", "end", "x", "y"])
        return {
            "calibration": self.calibration,
            "tradeoff": self.tradeoff,
            "heatmap": self.heatmap.cells,
            "distributions": self.distributions,
            "map": empty if self.map is None else self.map.table,
        }


def derive(study: Study) -> Derived:
    """Compute the numbers that only the report shows.

    Args:
        study: Results of the workflow.

    Returns:
        The numbers.
    """
    return Derived(
        calibration.calibration(study),
        tradeoff.tradeoff(study),
        slice_tables.heat(study),
        limits.distributions(study),
        projection.make_map(study),
    )


def render(
    study: Study,
    derived: Derived,
    *,
    audio: str | Path,
    library: str,
    max_megabytes: float,
    changes: Changes | None = None,
) -> str:
    """Make the report.

    Args:
        study: Results of the workflow.
        derived: Numbers that `derive` returns for these results.
        audio: Folder to which the names of the audio files are relative.
        library: JavaScript that draws charts (Vega, Vega-Lite and Vega-Embed).
        max_megabytes: Largest size of the page. Audio that does not fit is left out.
        changes: Functions that change the audio as a condition does, by the id of the condition.

    Returns:
        HTML of the page.

    Raises:
        InputError: If the page is too large even without audio.
    """
    page = template("report.html.j2")
    library = inlined(f"(() => {{{library}}})();")  # the function keeps its names local
    script = text_of_file("report.js")
    found = modes.modes_of(study)
    groups = clips.choose(study, modes.shown_first(found))
    pairs = condition_clips.choose_pairs(study)
    parts = {
        "study": study,
        "style": style(),
        "script": Markup(script),  # noqa: S704
        "library": Markup(library),  # noqa: S704
        "hashes": [_hash(library), _hash(script)],
        **_parts(study, derived),
        "map": derived.map,
        "map_chart": derived.map and projection.map_chart(study, derived.map, groups),
    }
    line = recordings.timeline(study)
    all_clips = sum(len(group.clips) for group in groups)
    size = len(
        page.render(
            **parts, groups=groups, left_out=all_clips, condition_pairs=pairs, timeline=line
        ).encode()
    )
    limit = int(max_megabytes * 1e6)
    if size > limit:
        raise InputError(
            f"The report has {size / 1e6:.1f} MB without any audio, more than the"
            f" {max_megabytes:g} MB of report.max_megabytes: raise this limit in the config."
        )
    pairs = condition_clips.with_sounds(pairs, audio, changes or {}, limit - size)
    size += sum(len(pair.clean) + len(pair.changed) + 2 * clips.PLAYER for pair in pairs)
    line = recordings.with_sound(line, audio, limit - size)
    size += len(line.clip.audio) if line else 0
    groups, left_out = clips.with_audio(groups, audio, limit - size)
    return page.render(
        **parts, groups=groups, left_out=left_out, condition_pairs=pairs, timeline=line
    )


def _parts(study: Study, derived: Derived) -> dict[str, Any]:
    """The values that the template shows, by their names in the template."""
    failures, more_failures = limits.failure_table(study)
    gates = against.gate_table(study)
    measured = [
        name for name in dict.fromkeys(study.metrics["metric"]) if overall.has_values(study, name)
    ]
    return {
        "answer": recordings.answer_sentences(study) + answer(study),
        "recording_sentences": recordings.sentences(study),
        "recording_table": recordings.metric_table(study),
        "untested": untested(study),
        "searches_sentence": searches_sentence(study.study_searches),
        "figures": figures(study),
        "warnings": warnings(study),
        "open_warnings": OPEN_WARNINGS,
        **_checks(study),
        **_abstention(study),
        **_conditions(study),
        **_modes(study),
        "dataset_facts": compared.dataset_facts(study),
        "model_table": compared.model_table(study),
        "setting_facts": compared.setting_facts(study),
        "metric_table": overall.metric_table(study),
        "interval_sentences": overall.interval_sentences(study),
        "metric_charts": [overall.metric_chart(study, name) for name in measured],
        "confusions": overall.confusion_matrices(study) if study.classification else [],
        "merged": overall.merged_sentence(study),
        **_calibration(study, derived.calibration),
        "tradeoff_table": tradeoff.tradeoff_table(study, derived.tradeoff),
        **_tradeoff(study, derived),
        "tradeoff_remarks": tradeoff.remarks(study, derived.tradeoff),
        "heat_names": slice_tables.heat_columns(study),
        "heat_maps": slice_tables.heat_maps(study, derived.heatmap),
        "slices": [_slices(study, position) for position in range(len(study.models))],
        "pairs": [
            {
                "title": f"{b.name} compared with {a.name}",
                "open": number < OPEN_PAIRS,
                "statements": against.statements(study, a, b),
                "chart": against.difference_chart(study, a, b),
                "table": against.comparison_table(study, a, b),
                "regressions": against.regression_table(study, a, b),
                "shown": against.shown_regressions(study, a, b),
            }
            for number, (a, b) in enumerate(against.pairs(study))
        ],
        "gates": gates,
        "gate_counts": against.gate_counts(study) if gates else "",
        "speakers": speakers.section(study),
        "audit_sentences": audit.audit_sentences(study.audit, len(study.metadata)),
        "audit_table": audit.audit_table(study.audit),
        "hint_sentences": hints.hint_sentences(study),
        "hint_table": hints.hint_table(study),
        "failures": failures,
        "more_failures": more_failures,
        "label_table": limits.label_table(study, derived.distributions),
        "label_chart": limits.distribution_chart(study, derived.distributions, limits.LABEL),
        "duration_sentence": limits.duration_sentence(study),
        "duration_chart": limits.distribution_chart(study, derived.distributions, limits.DURATION),
        "speaker_sentence": limits.speaker_sentence(study),
    }


def _abstention(study: Study) -> dict[str, Any]:
    """The values of the part on abstention, by their names in the template."""
    if not abstention.has_abstention(study):
        return {"abstention_sentences": [], "abstention_table": None, "risk_charts": []}
    return {
        "abstention_sentences": abstention.sentences(study),
        "abstention_table": abstention.abstention_table(study),
        "abstention_rules": (study.abstention["by"] == RULE).any(),
        "risk_charts": abstention.risk_charts(study),
    }


def _conditions(study: Study) -> dict[str, Any]:
    """The values of the part on conditions, by their names in the template."""
    if not len(study.condition_outcomes):
        return {"condition_sentence": "", "probe_sentences": conditions.probe_sentences(study)}
    return {
        "condition_sentence": conditions.worst_sentence(study.condition_worst, study.measures),
        "condition_headline": conditions.headline(study),
        "condition_effects": conditions.effects(study),
        "condition_definitions": conditions.definitions(study),
        "condition_map": conditions.model_map(study),
        "condition_groups": conditions.group_maps(study),
        "condition_worst": conditions.worst_table(study),
        "condition_rivals": conditions.rival_table(study),
        "condition_slices": conditions.slice_table(study),
        "probe_sentences": conditions.probe_sentences(study),
    }


def _tradeoff(study: Study, derived: Derived) -> dict[str, Any]:
    """The charts of the trade-off and the table of cascades, by their names in the template."""
    points = cascades.cascade_points(study)
    return {
        "tradeoff_charts": tradeoff.charts(study, derived.tradeoff, points),
        "cascade_table": cascades.cascade_table(study, points),
    }


def _checks(study: Study) -> dict[str, Any]:
    """The values of the section on checks, by their names in the template."""
    table = checks.check_table(study)
    level = study.checks["level"].dropna()
    return {
        "check_table": table,
        "check_sentence": checks.check_sentence(study.checks) if table else None,
        "check_level": float(level.iloc[0]) if len(level) else None,
    }


def _calibration(study: Study, table: pd.DataFrame) -> dict[str, Any]:
    """The values of the part on calibration, by their names in the template."""
    models = [model for model in study.models if model.name in set(table["model"])]
    if study.classification:
        charts = [[calibration.reliability_chart(study, table, model)] for model in models]
    else:
        charts = [
            [
                calibration.scatter_chart(study, model),
                calibration.error_chart(study, table, model),
            ]
            for model in models
        ]
    return {
        "calibration_summary": calibration.summary(study, table) if models else None,
        "calibration_details": calibration.details(study, table) if models else None,
        "calibration_charts": [
            (model.name, study.models.index(model), charts_of_model)
            for model, charts_of_model in zip(models, charts, strict=True)
        ],
        "uncalibrated": [model.name for model in study.models if model not in models],
        "sampled": calibration.sampled(study),
    }


def _slices(study: Study, position: int) -> dict[str, Any]:
    """The values of the part on the slices of a model, by their names in the template."""
    model = study.models[position]
    rows = distinct(model.slices)
    confirmed, suggested = rows[rows["confirmed"]], rows[~rows["confirmed"]]
    return {
        "model": model.name,
        "position": position,
        "searched": slice_tables.searched(study, model),
        "parts": [
            (
                slice_tables.drop_chart(study, model, part),
                slice_tables.slice_table(study, model, part),
            )
            if len(part)
            else None
            for part in (confirmed, suggested)
        ],
        "confirmed": len(confirmed),
        "suggested": len(suggested),
    }


def _modes(study: Study) -> dict[str, Any]:
    """The values of the section on failure modes, by their names in the template."""
    found = modes.modes_of(study)
    first = modes.shown_first(found)
    shown_names = {mode.name for mode in first}
    later = [mode for mode in found if mode.name not in shown_names]
    return {
        "selection_note": SELECTION_NOTE,
        "modes_confirmed": any(mode.confirmed for mode in found),
        "mode_chart": mode_overview.share_chart(study, first) if first else None,
        "mode_overview": mode_overview.overview(study, first, every_model=True) if first else None,
        "first_page": mode_overview.overview(
            study, first[:FIRST_PAGE_MODES], every_model=False, brief=True
        )
        if first
        else None,
        "open_modes": mode_cards.cards(study, first[:OPEN_MODES]),
        "folded_modes": mode_cards.cards(study, first[OPEN_MODES:]),
        "undecided_modes": mode_cards.cards(study, later),
    }


def inlined(script: str) -> str:
    """Escape a script, so that it can be written into a script element.

    Args:
        script: JavaScript.

    Returns:
        JavaScript that does the same and does not contain an end tag of a script.
    """
    return script.replace("</script", "<\\/script")


def _hash(script: str) -> str:
    """SHA-256 of a script in base64, by which the policy of the page allows it."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
