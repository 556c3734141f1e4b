"""Render the page of the utterances to collect, with players and without scripts."""

from collections.abc import Sequence

from voxslice.report.collected import Collected
from voxslice.report.page.templates import style, template


def render_collected(dataset: str, task: str, modes: Sequence[Collected]) -> str:
    """Make the page of the utterances to collect.

    Args:
        dataset: id of the dataset in which the failure modes were found
        task: id of the task
        modes: the lists, one per failure mode

    Returns:
        HTML of the page
    """
    return template("collected.html.j2").render(
        dataset=dataset, task=task, modes=modes, style=style()
    )
