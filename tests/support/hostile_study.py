"""A study in which all text of data is hostile: labels, columns, rules, file names and notes."""

import dataclasses

import pandas as pd

HEBREW, ARABIC = "רע", "رجل غاضب"
TEXTS = {
    "female": "female\u202e",  # mirrors what follows
    "male": HEBREW,
    "anger": "\u2069anger\u2067\x1b[31m",
    "neutral": ARABIC,
    "sadness": "sad\x9b\u2028ness",
    "a rule": "a \u202erule",
    "02.wav": "02\u202evaw.wav",
    "03.wav": "رجل 5.wav",
    "A model.": "A \u2067model\x07.",
}


def hostile(value, texts=TEXTS):
    """Replace text everywhere in a study, also in categories and names of columns."""
    if isinstance(value, str):
        for text, other in texts.items():
            # `female` holds `male`: a text is replaced once
            value = value.replace(text, other) if text != "male" or "female" not in value else value
        return value
    if isinstance(value, pd.DataFrame):
        value = value.rename(columns=hostile)
        return value.apply(lambda column: _hostile_column(column)) if len(value) else value
    if isinstance(value, dict):
        return {hostile(key): hostile(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(hostile(each) for each in value)
    if dataclasses.is_dataclass(value):
        fields = (field.name for field in dataclasses.fields(value) if field.init)
        return dataclasses.replace(
            value, **{name: hostile(getattr(value, name)) for name in fields}
        )
    return value


def _hostile_column(column):
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.rename_categories(hostile)
    return column.map(hostile).astype(column.dtype) if column.dtype == object else column
