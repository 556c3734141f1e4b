"""Modes count in the study only if one of their searches does."""

import numpy as np
import pandas as pd
from voxslice.modes.in_study import count_in_study


def test_a_mode_needs_one_search_that_holds():
    modes = pd.DataFrame(
        {
            "mode": ["1", "1", "2", "3", "rest"],
            "model": ["a", "b", "a", "a", "a"],
            "confirmed": [True, True, True, False, False],
            "confirmed_by": ["words, sound", "words", "sound", None, np.nan],
        }
    )
    searches = pd.DataFrame(
        {
            "dataset": "voices",
            "task": ["gender", "gender", "gender", "age"],
            "model": ["a", "a", "b", "b"],
            "search": ["words", "sound", "words", "words"],
            "holds": [True, False, False, True],
        }
    )
    counted = count_in_study(modes, searches, "voices", "gender")
    assert counted["confirmed"].to_list() == [True, False, False, False, False]
    assert counted["only_in_search"].to_list() == [False, True, True, False, False]
    assert counted["mode"].equals(modes["mode"])
