"""Units that nobody named are found in a study, and the settings that the report names work."""

import html

import numpy as np
import pandas as pd
import pytest
import yaml
from small_inputs import noise, write_audio
from snakemake_cli import snakemake, write_config
from voxslice.files import read_csv
from voxslice.slices.search import find_slices
from voxslice.units import COPIES
from voxslice.utterance_keys import KEY

pytestmark = pytest.mark.workflow
SEED = 0
EMOTIONS = ["anger", "joy", "neutral"]


def sentences(rng):
    """Twenty speakers read twelve sentences, of which some are hard."""
    table = pd.DataFrame(
        [(who, text, mood) for who in range(20) for text in range(12) for mood in EMOTIONS],
        columns=["who", "text", "emotion"],
    )
    names = zip(table["who"], table["text"], table["emotion"], strict=True)
    table["file"] = [f"{who:02}/s{text:02}-{mood[0]}.wav" for who, text, mood in names]
    wrong = rng.random(720) < 1 / (1 + np.exp(1.5 - 1.3 * rng.normal(size=12)[table["text"]]))
    return table, wrong


def copies(rng, folder):
    """Ten speakers with twelve utterances each, and an exact copy of each of them."""
    table = pd.DataFrame({"source": np.arange(240) // 2})
    table["who"] = table["source"] // 12
    table["emotion"] = np.array(EMOTIONS)[table["source"] % 3]
    table["file"] = [f"x{number}.wav" for number in rng.permutation(240)]
    for file, source in zip(table["file"], table["source"], strict=True):
        write_audio(folder / file, noise(0.5 + 0.01 * (source % 50), seed=int(source)))
    return table, (rng.random(120) < 0.3)[table["source"]]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The results of both corpora, and those after the settings that the report names are set."""
    folder = tmp_path_factory.mktemp("units")
    rng = np.random.default_rng(3)
    config = {
        "resamples": 200,
        "seed": SEED,
        "datasets": {},
        "models": {"model": {"predictions": {}, "tasks": ["gender"], "license": "MIT"}},
        "tasks": {
            "gender": {"type": "classification", "target": "gender", "labels": ["female", "male"]}
        },
        "searches": {"all": {"finder": "subgroups", "features": ["gender", "emotion"]}},
    }
    for name, (table, wrong) in {
        "sentences": sentences(rng),
        "copies": copies(rng, folder / "audio"),
    }.items():
        male = table["who"].to_numpy() % 2 == 1
        table["gender"] = np.where(male, "male", "female")
        columns = ["file", "who", "gender", "emotion"]
        table[columns].assign(who=table["who"].map("v{}".format)).to_csv(
            folder / f"{name}.csv", index=False
        )
        predicted = np.where(male ^ wrong, "male", "female")
        table[["file"]].assign(gender=predicted).to_csv(folder / f"{name}.model.csv", index=False)
        config["datasets"][name] = {
            "csv": {"path": f"{name}.csv", "audio": "audio"},
            "columns": {
                "speaker": {"column": "who"},
                "gender": {"column": "gender"},
                "emotion": {"column": "emotion"},
            },
            "license": "MIT",
        }
        config["models"]["model"]["predictions"][name] = f"{name}.model.csv"
    path = write_config(folder / "study.yaml", config)
    tables = [
        f"results/{table}"
        for name in config["datasets"]
        for table in (f"units/{name}/gender.csv", f"slices/{name}/gender/model.csv")
    ]
    pages = [f"results/report/{name}/gender.html" for name in config["datasets"]]
    snakemake(folder, *tables, *pages, configfiles=[path])
    before = {name: results(folder, name) for name in config["datasets"]}
    overlay = {
        name: yaml.safe_load(found["units"].iloc[0]["config"])
        for name, found in before.items()
        if len(found["units"])
    }
    more = write_config(folder / "units.yaml", {"datasets": overlay})
    snakemake(folder, *tables, configfiles=[path, more])
    return folder, before, {name: results(folder, name) for name in overlay}


def results(folder, name):
    """The found units, the searches and the latest page of a dataset."""
    units = read_csv(folder / f"results/units/{name}/gender.csv")
    page = (folder / f"results/report/{name}/gender.html").read_text(encoding="utf-8")
    return {
        "units": units[units["found"].astype(bool)],
        "searches": read_csv(folder / f"results/slices/{name}/gender/model.searches.csv"),
        "page": html.unescape(page),
    }


def test_the_sentence_in_the_names_of_files_is_found(study):
    _, before, after = study
    first = before["sentences"]["units"].iloc[0]
    assert (first["source"], first["clue"]) == ("file name", "00")
    sentence = "Utterances with the same part of the file name (such as 00 in 00/s00-a.wav) have"
    assert sentence in before["sentences"]["page"]
    assert first["config"][1:-1] in before["sentences"]["page"]
    assert not len(after["sentences"]["units"])


def test_the_settings_give_the_sentences_as_a_column(study):
    folder, _, _ = study
    metadata = pd.read_parquet(folder / "resources/sentences/metadata.parquet")
    assert metadata["unit"].nunique() == 12
    assert metadata["unit"].iloc[0] == "00"


def test_exact_copies_count_once_without_a_setting(study):
    folder, before, after = study
    assert "copies" not in after and not len(before["copies"]["units"])
    metadata = pd.read_parquet(folder / "resources/copies/metadata.parquet")
    assert metadata[COPIES].value_counts().tolist() == [2] * 120
    scores = pd.read_parquet(folder / "results/scores/copies/gender/model.parquet")
    table = scores.merge(metadata, on=KEY)
    p = {
        name: find_slices(
            rows, rows["loss"].to_numpy(), ["gender", "emotion"], "speaker", seed=SEED
        ).p
        for name, rows in {
            "once": table.drop_duplicates(COPIES, ignore_index=True),
            "twice": table,
        }.items()
    }
    assert before["copies"]["searches"]["p"].iloc[0] == pytest.approx(p["once"])
    assert p["twice"] != pytest.approx(p["once"])
    sentence = "120 of 240 utterances are exact copies of other ones."
    assert sentence in before["copies"]["page"] and sentence not in before["sentences"]["page"]
