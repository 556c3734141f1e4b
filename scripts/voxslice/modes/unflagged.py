"""Whether failure modes hold without the utterances that the audit of the data flags."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from voxslice.slices.search import DEFAULT_ALPHA, assess_slices


class Retest(NamedTuple):
    """The test of a confirmed mode without the flagged utterances.

    Attributes:
        p: p-value, adjusted for the confirmed modes of the model
        confirmed: whether it is at most 0.05; None if the test does not confirm the mode with the
            flagged utterances either
    """

    p: float
    confirmed: bool | None


def without_flagged(
    masks: Mapping[str, np.ndarray],
    loss: np.ndarray,
    flagged: np.ndarray,
    speakers: np.ndarray | None,
    *,
    seed: int,
) -> dict[str, Retest]:
    """Test the confirmed modes of a model again, without the flagged utterances.

    The tests are those of the search, within and across speakers (see
    `voxslice.slices.search.assess_slices`), and they are adjusted for all modes that are tested
    again. They are not adjusted for the rules of the search, which has chosen the modes before. So
    a mode that is not confirmed here owes its confirmation to flagged utterances.

    Args:
        masks: the utterances of each confirmed mode, masks of shape (utterances,)
        loss: loss of each utterance, NaN if the model did not score it
        flagged: whether the audit flags each utterance
        speakers: speaker of each utterance, as `voxslice.speakers.speakers_of` returns them; None
            if not known
        seed: seed of the resampling

    Returns:
        the test of each mode
    """
    scored = np.isfinite(loss)

    def p_values(kept: np.ndarray) -> list[float]:
        of_kept = None if speakers is None else speakers[kept]
        inside = [mask[kept] for mask in masks.values()]
        return [p for p, _ in assess_slices(inside, loss[kept], of_kept, seed=seed)]

    tested = zip(masks, p_values(scored), p_values(scored & ~flagged), strict=True)
    return {
        name: Retest(p, p <= DEFAULT_ALPHA if before <= DEFAULT_ALPHA else None)
        for name, before, p in tested
    }
