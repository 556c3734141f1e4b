"""Render the summary of a report: one page for mail and print, without audio and scripts."""

from voxslice.report import mode_overview, modes, overall
from voxslice.report.answer import answer, figures, untested
from voxslice.report.caveats import warnings
from voxslice.report.conditions import worst_sentence
from voxslice.report.corrected import SELECTION_NOTE
from voxslice.report.page.templates import style, template
from voxslice.report.searches import searches_sentence
from voxslice.report.study import Study

MAX_MODES = 8
"""Largest number of failure modes in the summary."""
MAX_BYTES = 150_000
"""Largest size of a summary in bytes. Without its chart, it is far smaller."""


def render_summary(study: Study, page: str) -> str:
    """Make the summary of a report.

    Args:
        study: results of the workflow
        page: name of the file of the report, which is in the same folder

    Returns:
        HTML of the page; its chart is left out if the page would be larger than `MAX_BYTES`
    """
    first = modes.shown_first(modes.modes_of(study))[:MAX_MODES]
    parts = {
        "study": study,
        "page": page,
        "style": style(),
        "answer": answer(study),
        "untested": untested(study),
        "searches_sentence": searches_sentence(study.study_searches),
        "figures": figures(study),
        "warnings": warnings(study),
        "condition_sentence": worst_sentence(study.condition_worst, study.measures),
        "modes_confirmed": any(mode.confirmed for mode in first),
        "mode_overview": mode_overview.overview(study, first, every_model=False) if first else None,
        "selection_note": SELECTION_NOTE,
        "metric_table": overall.metric_table(study),
        "interval_sentences": overall.interval_sentences(study),
    }
    chart = mode_overview.share_chart(study, first) if first else None
    summary = template("summary.html.j2")
    html = summary.render(**parts, mode_chart=chart)
    if len(html.encode()) > MAX_BYTES:
        return summary.render(**parts, mode_chart=None)
    return html
