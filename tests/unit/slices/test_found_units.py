"""Units that the config does not name are found from the tables of a study."""

import numpy as np
import pandas as pd
from voxslice.audit.finding import Finding
from voxslice.slices.found_units import find_units
from voxslice.units import COPIES
from voxslice.utterance_keys import KEY

SPEAKERS, SENTENCES, EMOTIONS = 20, 12, ["anger", "joy", "neutral"]
COLUMNS = {"speaker": {"column": "who"}, "gender": {"column": "sex"}, "emotion": {"column": "mood"}}


def study(seed=0, size=1.2):
    """Twenty speakers read twelve sentences in three emotions; some sentences are hard."""
    rng = np.random.default_rng(seed)
    rows = [
        (speaker, sentence, emotion)
        for speaker in range(SPEAKERS)
        for sentence in range(SENTENCES)
        for emotion in EMOTIONS
    ]
    table = pd.DataFrame(rows, columns=["speaker", "sentence", "emotion"])
    hard = size * rng.normal(size=SENTENCES)[table["sentence"]]
    loss = (rng.random(len(table)) < 1 / (1 + np.exp(1.5 - hard))).astype(float)
    length = rng.normal(3, 0.7, len(table)).clip(1)
    names = zip(table["speaker"], table["sentence"], table["emotion"], strict=True)
    metadata = pd.DataFrame(
        {
            "file": [f"{who:02}/s{text:02}-{emotion[0]}.wav" for who, text, emotion in names],
            "start": 0.0,
            "end": length,
            "duration": length,
            "speaker": table["speaker"].map("v{}".format),
            "gender": np.where(table["speaker"] % 2, "female", "male"),
            "emotion": table["emotion"],
            "sentence": table["sentence"],
        }
    )
    return metadata, loss


def found(metadata, loss, scores=None, **changes):
    """All tests of units, and those that are found."""
    scores = metadata[KEY].assign(loss=loss) if scores is None else scores
    settings = {
        "unit_columns": metadata[KEY],
        "findings": pd.DataFrame(columns=Finding._fields),
        "columns": COLUMNS,
        "units": [],
        "features": ["emotion", "gender"],
        "target": "gender",
        "alpha": 0.05,
        "seed": 1,
    } | changes
    table = find_units({"model": scores}, metadata.drop(columns="sentence"), **settings)
    return table, table[table["found"]]


def test_the_sentence_in_the_names_of_files_is_found():
    metadata, loss = study()
    _, rows = found(metadata, loss)
    first = rows.iloc[0]
    assert (first["source"], first["clue"], first["alike"]) == ("file name", "00", "utterances")
    assert first["config"] == (
        r"{columns: {unit: {file_name: '^\d+/s(?P<value>\d+)'}}, units: [unit]}"
    )
    assert first["units"] == SENTENCES and first["utterances"] == len(metadata)


def test_a_column_that_the_config_does_not_name_comes_before_the_name_of_the_file():
    metadata, loss = study()
    more = metadata[KEY].assign(**{"{column: text}": metadata["sentence"].astype("string")})
    _, rows = found(metadata, loss, unit_columns=more)
    assert rows.iloc[0]["config"] == "{columns: {text: {column: text}}, units: [text]}"


def test_a_unit_that_is_named_is_not_found_again():
    metadata, loss = study(1)
    assert len(found(metadata, loss)[1])
    named = metadata.assign(text=metadata["sentence"].astype("string"))
    columns = COLUMNS | {"text": {"column": "text"}}
    table, rows = found(named, loss, columns=columns, units=["text"])
    assert len(table) and not len(rows)


def test_without_hard_sentences_nothing_is_found():
    false = [len(found(*study(seed, size=0))[1]) > 0 for seed in range(8)]
    assert sum(false) <= 2


def test_scores_may_lack_utterances_and_have_another_order():
    metadata, loss = study()
    table, _ = found(metadata, loss)
    scores = metadata[KEY].assign(loss=loss)
    order = np.random.default_rng(0).permutation(len(metadata))
    pd.testing.assert_frame_equal(found(metadata, loss, scores=scores.iloc[order])[0], table)
    part, _ = found(metadata, loss, scores=scores.iloc[:-30])
    assert part["utterances"].max() == len(metadata) - 30


def test_numeric_features_and_labels_may_be_missing():
    metadata, loss = study()
    metadata["age"] = np.where(
        np.arange(len(metadata)) % 7, 30.0 + np.arange(len(metadata)), np.nan
    )
    columns = COLUMNS | {"age": {"column": "age"}}
    _, rows = found(metadata, loss, columns=columns, features=["age", "emotion"], target="age")
    assert rows.iloc[0]["clue"] == "00"


def test_exact_copies_count_once():
    metadata, loss = study()
    copies = metadata.assign(file=[f"again/{i}.wav" for i in range(len(metadata))])
    both = pd.concat([metadata, copies], ignore_index=True)
    both[COPIES] = np.tile([f"{i:x}" for i in range(len(metadata))], 2)
    scores = metadata[KEY].assign(loss=loss)
    all_scores = both[KEY].assign(loss=np.tile(loss, 2))
    text = both[KEY].assign(**{"{column: text}": np.tile(metadata["sentence"].astype("string"), 2)})
    settings = {"unit_columns": text, "scores": all_scores}
    table, rows = found(both, loss, **settings)
    once, _ = found(metadata, loss, unit_columns=text.iloc[: len(metadata)], scores=scores)
    by_text, of_text = (t[t["clue"] == "text"].iloc[0] for t in (table, once))
    assert by_text["utterances"] == of_text["utterances"] == len(metadata)
    assert by_text["correlation"] == of_text["correlation"]
    assert not rows["source"].isin(["copies", "duration"]).any()
    # without the column, the equal durations give the copies away
    _, rows = found(both.drop(columns=COPIES), loss, **settings)
    assert "duration" in set(rows["source"])
    # if the first of two copies has no score, the second one counts
    part, _ = found(both, loss, unit_columns=text, scores=all_scores.iloc[50:])
    assert part[part["clue"] == "text"].iloc[0]["utterances"] == len(metadata)
