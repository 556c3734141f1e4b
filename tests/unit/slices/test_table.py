"""The table of slices of a model: ids, drops and intervals."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from voxslice.files import read_csv, write_csv
from voxslice.sampling import sampled
from voxslice.slices.table import (
    SEARCH_COLUMNS,
    SLICE_COLUMNS,
    slice_id,
    summarise,
    tabulate_slices,
)
from voxslice.speakers import UNKNOWN_SPEAKER, speakers_of
from voxslice.task import Task
from voxslice.units import COPIES
from voxslice.utterance_keys import KEY

COUNT = 200
SCRIPTS = Path(__file__).parents[3] / "scripts"


def keys(count=COUNT):
    return pd.DataFrame({"file": [f"{i:03}.wav" for i in range(count)], "start": 0.0, "end": 1.5})


def mask(*rows):
    members = np.zeros(COUNT, dtype=bool)
    members[list(rows)] = True
    return members


def measured(members, loss, speakers=None, kind="classification"):
    return pd.DataFrame([summarise(one, loss, speakers, Task(kind)) for one in members])


def test_an_id_depends_on_the_members_alone():
    table = keys(10)
    first = slice_id(table.iloc[[1, 4, 7]])
    assert slice_id(table.iloc[[7, 1, 4]].assign(loss=1, label="x")) == first
    assert slice_id(table.iloc[[1, 4, 7]].reset_index(drop=True)) == first
    assert slice_id(table.iloc[[1, 4]]) != first
    assert slice_id(table.iloc[[1, 4, 7]].assign(end=1.6)) != first
    assert len(first) == 8 and int(first, 16) >= 0


def test_an_id_is_the_same_after_a_file(tmp_path):
    table = keys(10).assign(end=np.arange(10) / 3)
    table.to_parquet(tmp_path / "keys.parquet")
    assert slice_id(pd.read_parquet(tmp_path / "keys.parquet")) == slice_id(table)


def test_a_classification_drops_where_it_is_worse():
    loss = np.zeros(COUNT)
    loss[:30] = 1
    row = measured([mask(*range(40))], loss).iloc[0]
    assert row["support"] == 40
    assert row["value"] == pytest.approx(0.25)
    assert row["rest"] == 1
    assert row["drop"] == pytest.approx(0.75)
    assert 0.55 < row["low"] < 0.75 < row["high"] < 0.9
    better = measured([~mask(*range(40))], loss).iloc[0]
    assert better["drop"] == pytest.approx(-0.75)
    assert better["high"] < 0


def test_a_regression_drops_where_the_error_is_larger():
    loss = np.full(COUNT, 2.0)
    loss[:40] = np.tile([4.0, 6.0], 20)
    row = measured([mask(*range(40))], loss, kind="regression").iloc[0]
    assert (row["value"], row["rest"], row["drop"]) == (5, 2, 3)
    assert 2.5 < row["low"] < 3 < row["high"] < 3.5


def test_intervals_draw_speakers():
    rng = np.random.default_rng(0)
    speakers = np.repeat(np.arange(20), 10).astype(str)
    # five speakers are in the slice, and the model is always wrong for two of them
    loss = (np.repeat(np.isin(np.arange(20), [0, 1]), 10) | (rng.random(COUNT) < 0.1)).astype(float)
    members = [mask(*range(50))]
    by_speaker, alone = measured(members, loss, speakers), measured(members, loss)
    assert by_speaker["speakers"].to_list() == [5]
    assert alone["speakers"].isna().all()
    assert by_speaker["drop"].equals(alone["drop"])
    widths = [(table["high"] - table["low"]).iloc[0] for table in (by_speaker, alone)]
    assert widths[0] > 1.5 * widths[1]
    pd.testing.assert_frame_equal(by_speaker, measured(members, loss, speakers), check_exact=True)


def test_the_interval_covers_the_difference():
    rng = np.random.default_rng(1)
    names = np.repeat(np.arange(30), 10).astype(str)
    inside = np.repeat(rng.random(30) < 0.4, 10)
    covered = 0
    for _ in range(150):
        loss = (inside * 1.0) + np.repeat(rng.normal(0, 1, 30), 10) + rng.normal(0, 1, 300)
        row = measured([inside], loss, names, kind="regression").iloc[0]
        covered += row["low"] <= 1 <= row["high"]
    assert 0.88 <= covered / 150 <= 0.99


def test_slices_are_measured_one_by_one():
    loss = np.random.default_rng(0).random(COUNT)
    members = [mask(*range(20)), mask(*range(50, 80))]
    both = measured(members, loss, kind="regression")
    for number, one in enumerate(members):
        row = measured([one], loss, kind="regression").iloc[0]
        assert both.iloc[number]["value"] == pytest.approx(loss[one].mean())
        assert both.iloc[number]["rest"] == pytest.approx(loss[~one].mean())
        np.testing.assert_allclose(
            both.iloc[number][["low", "high"]].astype(float), row[["low", "high"]].astype(float)
        )


def test_a_slice_of_everything_has_no_rest():
    row = measured([np.ones(COUNT, bool)], np.zeros(COUNT)).iloc[0]
    assert (row["support"], row["value"]) == (COUNT, 1)
    assert row[["rest", "drop", "low", "high"]].isna().all()


def test_a_slice_of_nothing_has_no_value():
    row = measured([mask()], np.zeros(COUNT)).iloc[0]
    assert (row["support"], row["rest"]) == (0, 1)
    assert row[["value", "drop", "low", "high"]].isna().all()


def study():
    rng = np.random.default_rng(0)
    table = keys().assign(
        speaker=np.repeat([f"s{i}" for i in range(20)], 10),
        emotion=rng.choice(["anger", "joy"], COUNT),
        gender=rng.choice(["female", "male"], COUNT),
    )
    loss = ((table["emotion"] == "anger") & (rng.random(COUNT) < 0.5)).astype(float)
    scores = keys().assign(label="x", prediction="x", loss=loss)
    return scores, table


FIGURES = {
    "p": 0.01, "q": 0.02, "evidence": "within speakers", "confirmed": True, "note": "",
    "stability": 0.8,
}  # fmt: skip


def found(searches, suggested=(), speakers=True):
    """Tabulate slices, the suggested ones given as pairs of a search and row positions."""
    scores, table = study()
    table = table if speakers else table.drop(columns="speaker")
    rows = [
        keys().iloc[positions].assign(search=name, number=number)
        for number, (name, positions) in enumerate(suggested)
    ]
    tested = [{"search": name, "number": i} | FIGURES for i, (name, _) in enumerate(suggested)]
    tables = tabulate_slices(
        scores,
        table,
        table["speaker"].to_numpy() if speakers else None,
        pd.DataFrame(tested, columns=["search", "number", *FIGURES]),
        pd.concat([keys().iloc[:0].assign(search="", number=0), *rows], ignore_index=True),
        searches,
        task=Task("classification"),
        columns=["speaker", "emotion", "gender"],
        alpha=0.05,
        seed=0,
    )
    return tables.slices, tables.members, tables.searches


def search(*features, finder="sliceguard", **settings):
    defaults = {"min_support": 10, "depth": 2, "sample": 5000}
    return {"finder": finder, "features": list(features)} | defaults | settings


def angry():
    return np.flatnonzero(study()[1]["emotion"] == "anger")


def test_suggested_slices_of_every_search():
    searches = {"one": search("emotion"), "two": search("gender")}
    some = np.arange(15)
    slices, members, summaries = found(
        searches, [("one", angry()), ("two", angry()), ("two", some)]
    )
    assert list(slices) == SLICE_COLUMNS
    assert slices["search"].to_list() == ["one", "two", "two"]
    assert slices["rule"].iloc[0] == "emotion = anger"
    assert slices[["precision", "recall"]].iloc[0].to_list() == [1, 1]
    assert slices["rule"].iloc[1] != "emotion = anger"  # that search does not look at emotion
    assert slices["slice"].iloc[0] == slices["slice"].iloc[1] != slices["slice"].iloc[2]
    assert slices["support"].to_list() == [len(angry()), len(angry()), 15]
    assert (slices["drop"].iloc[:2] > 0.3).all()
    assert slices[list(FIGURES)].iloc[0].to_dict() == FIGURES
    assert list(members) == ["slice", *KEY]
    # a slice that two searches found is listed once
    assert len(members) == len(angry()) + 15
    files = study()[1].loc[angry(), "file"].to_list()
    assert members["file"].iloc[: len(angry())].to_list() == files
    assert list(summaries) == SEARCH_COLUMNS
    assert summaries["found"].to_list() == [1, 2]


@pytest.mark.parametrize("speakers", [True, False])
def test_metadata_is_searched(speakers):
    searches = {"first": search("emotion", "gender", finder="subgroups")}
    slices, members, summaries = found(searches, speakers=speakers)
    first = slices.iloc[0]
    assert (first["rule"], first["finder"], first["search"]) == (
        "emotion = anger", "subgroups", "first",
    )  # fmt: skip
    assert first["confirmed"]
    assert first["evidence"] == ("within speakers" if speakers else "rows")
    assert first["q"] <= 0.05
    loss = study()[0]["loss"].to_numpy()
    assert first["value"] == pytest.approx(1 - loss[angry()].mean())
    assert first["drop"] == pytest.approx(first["rest"] - first["value"])
    assert set(members.loc[members["slice"] == first["slice"], "file"]) == set(
        study()[1].loc[angry(), "file"]
    )
    # two emotions, two genders and their four pairs
    assert summaries.iloc[0].to_list()[:4] == ["first", "subgroups", 8, 2]
    assert first["searched"] == 8
    assert pd.isna(first["speakers"]) != speakers


def searched(metadata, loss, seed=0):
    """Slices that a search of the metadata finds."""
    features = [name for name in metadata if name not in [*KEY, "speaker", COPIES]]
    tables = tabulate_slices(
        metadata[KEY].assign(loss=loss),
        metadata,
        speakers_of(metadata, metadata),
        pd.DataFrame(columns=["search", "number"]),
        pd.DataFrame(columns=["search", "number", *KEY]),
        {"first": search(*features, finder="subgroups")},
        task=Task("classification"),
        columns=["speaker", *features],
        alpha=0.05,
        seed=seed,
    )
    return tables.slices


def anonymous_study(seed, speakers=60, count=1000):
    """Speakers with different error rates, half of them unknown, without a planted slice."""
    rng = np.random.default_rng(seed)
    who = rng.integers(speakers, size=count)
    metadata = keys(count).assign(
        speaker=pd.Series([f"s{i}" for i in who], dtype="string").mask(who < speakers / 2),
        gender=rng.choice(["female", "male"], speakers)[who],
        age=rng.integers(18, 80, speakers)[who],
        emotion=rng.choice(list("abcd"), count),
    )
    return metadata, (rng.random(count) < rng.beta(0.6, 9.4, speakers)[who]).astype(float)


@pytest.mark.slow
def test_unnamed_speakers_are_not_one_speaker():
    """Treated as one speaker, they would confirm attributes of speakers in half of the searches."""
    confirmed = [searched(*anonymous_study(seed), seed)["confirmed"].any() for seed in range(40)]
    assert sum(confirmed) <= 5  # 2 expected at most at the level of 0.05


def test_a_speaker_may_be_called_unknown():
    """A slice that is planted within known speakers is found although others are unknown."""
    rng = np.random.default_rng(0)
    metadata = keys(300).assign(
        speaker=pd.Series(["unknown"] * 150 + [None] * 150, dtype="string"),
        emotion=rng.choice(["anger", "joy"], 300),
    )
    loss = ((metadata["emotion"] == "anger") & (rng.random(300) < 0.4)).astype(float)
    row = searched(metadata, loss.where(metadata.index < 150, 0)).iloc[0]
    assert (row["rule"], row["evidence"], row["speakers"]) == (
        "emotion = anger", "within speakers", 1,
    )  # fmt: skip
    assert row["support"] == (metadata["emotion"] == "anger").sum()
    # the same among those who are not named is no evidence within speakers
    assert not searched(metadata, loss.where(metadata.index >= 150, 0))["confirmed"].any()


def test_unnamed_speakers_are_not_counted():
    speakers = np.repeat(["a", "b", UNKNOWN_SPEAKER, UNKNOWN_SPEAKER], COUNT // 4)
    loss = np.random.default_rng(0).random(COUNT)
    table = measured([mask(*range(120)), mask(*range(150, 200))], loss, speakers)
    assert table["speakers"].to_list() == [2, 0]
    # they are resampled together: resampled separately, they would make the interval too narrow
    alone = np.where(speakers == UNKNOWN_SPEAKER, np.arange(COUNT).astype(str), speakers)
    loss[100:] += 0.3 * (loss[100:] > 0.3)
    inside = mask(*range(0, COUNT, 3))
    one, many = (measured([inside], loss, names).iloc[0] for names in (speakers, alone))
    assert one["high"] - one["low"] > many["high"] - many["low"]


@pytest.mark.slow
def test_overlapping_segments_count_once():
    rng = np.random.default_rng(1)
    emotion, loss = np.tile(list("abcd"), 100), (rng.random(400) < 0.2).astype(float)
    loss[::4] = rng.random(100) < 0.3
    once = keys(400).assign(speaker=np.arange(400) // 40, emotion=emotion)
    later = once.assign(start=0.3, end=1.8)
    thrice = pd.concat([once, later, once.assign(start=0.6, end=2.1)], ignore_index=True)
    apart = thrice.assign(file=[f"{i:04}.wav" for i in range(1200)])
    p, of_three, of_files = (
        searched(table, np.tile(loss, len(table) // 400))["p"].iloc[0]
        for table in (once, thrice, apart)
    )
    assert of_files < 0.01 < p == pytest.approx(of_three, rel=0.2)


def copied(metadata, loss, times):
    """The utterances with their exact copies, and the losses."""
    table = pd.concat([metadata] * times, ignore_index=True)
    content = table["file"]
    return table.assign(
        file=[f"{i:05}.wav" for i in range(len(table))], **{COPIES: content}
    ), np.tile(loss, times)


def test_exact_copies_count_once():
    metadata, loss = anonymous_study(3, count=600)
    once = searched(metadata, loss)
    table, losses = copied(metadata, loss, 3)
    of_three = searched(table, losses)
    for name in ("rule", "p", "q", "confirmed", "detectable"):
        pd.testing.assert_series_equal(of_three[name], once[name])
    assert (of_three["support"] == 3 * once["support"]).all()
    independent = searched(table.drop(columns=COPIES), losses)
    assert independent["p"].iloc[0] < once["p"].iloc[0] / 2


@pytest.mark.slow
@pytest.mark.parametrize("different", ["emotion", "speaker", "loss"])
def test_copies_that_differ_in_part_confirm_nothing(different):
    """Some copies have another label, another speaker, or a loss with a rounding error."""
    confirmed, independent = [], []
    for seed in range(6):
        metadata, loss = anonymous_study(seed, count=600)
        table, losses = copied(metadata, loss, 3)
        changed = np.random.default_rng(seed).choice(np.arange(600, 1800), 120, replace=False)
        if different == "loss":
            losses[changed] += 1e-7
        else:
            column = table[different].to_numpy(copy=True)
            column[changed] = np.roll(column[changed], 1)
            table[different] = column
        confirmed.append(searched(table, losses)["confirmed"].any())
        independent.append(searched(table.drop(columns=COPIES), losses)["confirmed"].any())
    assert sum(confirmed) <= 1 < sum(independent)


def test_a_search_without_any_known_speaker():
    metadata, loss = anonymous_study(0)
    metadata["speaker"] = pd.array([None] * len(metadata), dtype="string")
    slices = searched(metadata, loss + (metadata["emotion"] == "a"))
    assert not slices["confirmed"].any()


def test_ids_of_digits_are_read_back_as_text(tmp_path):
    """The script reads the suggestions for the model `1` in the search `2024`."""
    scores, metadata = study()
    suggestion = pd.DataFrame([{"model": "1", "search": "2024", "number": 0, **FIGURES}])
    suggested = keys().iloc[angry()].assign(model="1", search="2024", number=0)
    paths = {name: str(tmp_path / name) for name in ["metadata", "scores", "suggested"]}
    for path, table in zip(paths.values(), [metadata, scores, suggested], strict=True):
        table.to_parquet(path)
    write_csv(suggestion, tmp_path / "suggestions.csv")
    written = {name: str(tmp_path / f"{name}.csv") for name in ["slices", "members", "searches"]}
    snakemake = SimpleNamespace(
        input=SimpleNamespace(**paths, suggestions=str(tmp_path / "suggestions.csv")),
        output=SimpleNamespace(**written),
        params=SimpleNamespace(
            searches={"2024": search("emotion")},
            kind="classification",
            columns=["emotion"],
            units=[],
            alpha=0.05,
            seed=0,
        ),
        wildcards=SimpleNamespace(model="1"),
        log=[str(tmp_path / "log")],
    )
    runpy.run_path(str(SCRIPTS / "find_slices.py"), {"snakemake": snakemake}, "__main__")
    row = read_csv(written["slices"]).iloc[0]
    assert (row["rule"], row["search"], row["support"]) == ("emotion = anger", "2024", len(angry()))


def test_figures_of_a_sample_are_of_that_sample():
    looked_at = sampled(COUNT, 100, 0)
    inside = np.intersect1d(looked_at, angry())
    searches = {"one": search("emotion", sample=100)}
    slices, members, summaries = found(searches, [("one", inside)])
    row = slices.iloc[0]
    assert (row["rule"], row["precision"], row["recall"]) == ("emotion = anger", 1, 1)
    loss = study()[0]["loss"].to_numpy()
    assert row["support"] == len(inside) == len(members) < len(angry())
    assert row["value"] == pytest.approx(1 - loss[inside].mean())
    # angry utterances outside of the sample would lower it
    assert row["rest"] == 1
    assert row["note"] == "in a sample of 100 of 200 utterances"
    assert summaries["utterances"].to_list() == [100]


def test_no_slice_in_any_search(tmp_path):
    for searches in ({"one": search("emotion")}, {}):
        slices, members, summaries = found(searches)
        assert list(slices) == SLICE_COLUMNS and len(slices) == 0
        assert list(members) == ["slice", *KEY] and len(members) == 0
        assert len(summaries) == len(searches)
        members.to_parquet(tmp_path / "members.parquet")
        assert pd.read_parquet(tmp_path / "members.parquet").empty


def test_embedding_slices_are_described_by_all_columns_but_the_speaker():
    slices, _, _ = found({"one": search(embedding_of="m")}, [("one", angry())])
    assert slices["rule"].to_list() == ["emotion = anger"]
    slices, _, _ = found({"one": search(embedding_of="m")}, [("one", np.arange(10))])  # one speaker
    assert "speaker" not in slices["rule"].iloc[0]
