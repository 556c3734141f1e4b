"""Rules are read as they were written, and named in words."""

import numpy as np
import pandas as pd
import pytest
from voxslice.modes.rules import in_words, read_rule, utterances_of

TABLE = pd.DataFrame(
    {
        "emotion": ["anger", "fear", "calm & slow", None],
        "gender": ["female", "male", "male", "female"],
        "age": [25, 31, 47, None],
        "pitch": [80.5, 159.0, 345.0, 210.0],
        "age group": ["young", "young", "old", "old"],
        "smoker": ["yes", "no", "no", "yes"],
        "arousal": ["low 0.1..0.4", "middle 0.4..0.7", "high 0.7..1", None],
        "topic": ["a, b", "c", "a, b", "c"],
    }
)


@pytest.mark.parametrize(
    ("rule", "words", "rows"),
    [
        ("gender = male", "male", [1, 2]),
        ("emotion in {anger, fear} & gender = male", "anger or fear, male", [1]),
        ("emotion = calm & slow & gender = male", "calm & slow, male", [2]),
        ("emotion missing", "no emotion", [3]),
        ("emotion in {fear, missing}", "fear or no emotion", [1, 3]),
        ("age at most 31", "age at most 31", [0, 1]),
        ("age missing", "no age", [3]),
        ("age group = old & age at least 40", "old, age at least 40", [2]),
        ("pitch in 159..345", "pitch from 159 to 345 Hz", [1, 2, 3]),
        ("pitch = 80.5", "pitch 80.5 Hz", [0]),
        ("pitch at least 200", "pitch at least 200 Hz", [2, 3]),
        ("smoker = yes", "smoker yes", [0, 3]),
        ("arousal = high 0.7..1", "high arousal", [2]),
        ("topic in {a, b, c}", "topic a, b or c", [0, 1, 2, 3]),
    ],
)
def test_a_rule_gives_its_utterances_and_its_words(rule, words, rows):
    conditions = read_rule(rule, TABLE, {"pitch": "Hz"})
    assert in_words(conditions) == words
    assert list(np.flatnonzero(utterances_of(conditions))) == rows


@pytest.mark.parametrize(
    "text",
    ["no rule", "colour = red", "gender = other", "gender = male & colour = red", "age in x..y"],
)
def test_a_text_that_is_no_rule_gives_no_conditions(text):
    assert read_rule(text, TABLE) == []
