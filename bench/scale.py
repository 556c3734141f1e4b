"""How the steps behind inference scale: simulated corpora of 100,000 and 1,000,000 utterances.

    python bench/scale.py --rows 100000 1000000
    python bench/scale.py --rows 100000 1000000 --embedding

There is no audio and no model. The script writes a dataset as a table, and tables of predictions of
two models. Snakemake then runs scores, metrics, slices, comparison, report and view, one job after
the other, so that no two jobs share the machine. With `--embedding`, hidden states of a third model
are drawn as well, in shards as inference writes them. sliceguard, the map of the report and the
view use a sample of them.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

ROOT = Path(__file__).resolve().parents[1]
SEED = 70_000
UTTERANCES = 100  # of a speaker
EMOTIONS = ["anger", "boredom", "disgust", "fear", "happiness", "neutral", "sadness"]
ROOMS = ["car", "hall", "office", "street"]
MODELS = {"small": 0.09, "big": 0.05}  # share of errors
EMBEDDER = "ears"
DIMENSIONS = 1024  # of an embedding, as wav2vec 2.0 has
GOALS = ["scores", "metrics", "slices", "comparisons", "reports", "views"]


def simulate(rows: int) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Draw a corpus, and predictions of two models that share part of their errors.

    Speakers differ in their errors, and the smaller model fails on a quarter of the angry men.

    Args:
        rows: Number of utterances.

    Returns:
        The utterances with their metadata, and each model's table of predictions.
    """
    rng = np.random.default_rng(SEED)
    speakers = max(rows // UTTERANCES, 10)
    speaker = np.sort(rng.integers(0, speakers, rows))
    gender = rng.choice(["female", "male"], speakers)[speaker]
    age = rng.integers(18, 80, speakers)[speaker]
    duration = np.round(rng.gamma(4, 0.8, rows) + 0.3, 4)
    metadata = pd.DataFrame(
        {
            "file": [f"s{s:06d}/u{i:08d}.wav" for i, s in enumerate(speaker)],
            "start": 0.0,
            "end": duration,
            "speaker": pd.Series([f"s{s:06d}" for s in speaker], dtype="string"),
            "gender": pd.Categorical(gender),
            "age": age,
            "emotion": pd.Categorical(rng.choice(EMOTIONS, rows)),
            "room": pd.Categorical(rng.choice(ROOMS, rows)),
            "snr": np.round(rng.normal(18, 6, rows), 2),
        }
    )
    hard = rng.random(rows)  # some utterances are hard for both models
    habit = rng.beta(0.6, 9.4, speakers)[speaker] / 0.06
    tables = {}
    for name, share in MODELS.items():
        rate = share * habit
        if name == "small":
            rate = rate + 0.2 * ((gender == "male") & (metadata["emotion"] == "anger").to_numpy())
        wrong = np.where(rng.random(rows) < 0.5, hard, rng.random(rows)) < rate
        male = np.where(wrong, gender == "female", gender == "male")
        sure = 0.5 + 0.5 * rng.beta(4, 1, rows)
        p_male = np.where(male, sure, 1 - sure).round(6)
        tables[name] = pd.DataFrame(
            {
                "file": metadata["file"],
                "gender": np.where(male, "male", "female"),
                "gender.female": 1 - p_male,
                "gender.male": p_male,
                "age": age + rng.normal(2, 100 * share, rows).round(3),
            }
        )
    return metadata, tables


def write_study(folder: Path, rows: int, *, embedding: bool) -> Path:
    """Write the tables and the config of a study.

    Args:
        folder: Folder in which the study runs.
        rows: Number of utterances.
        embedding: Whether a search uses the embedding of a third model.

    Returns:
        The config file.
    """
    metadata, tables = simulate(rows)
    metadata.to_csv(folder / "corpus.csv", index=False)
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet")
    metadata = ["speaker", "gender", "age", "emotion", "room", "snr"]
    config = {
        "datasets": {
            "corpus": {
                "csv": {"path": str(folder / "corpus.csv")},
                "columns": {name: {"column": name} for name in metadata},
                "license": "simulated",
                "synthetic": True,
            }
        },
        "models": {
            name: {
                "predictions": {"corpus": str(folder / f"{name}.parquet")},
                "tasks": ["gender", "age"],
                "license": "simulated",
            }
            for name in MODELS
        },
        "tasks": {
            "gender": {
                "type": "classification",
                "target": "gender",
                "labels": ["female", "male"],
                "min_drop": 0.15,
            },
            "age": {"type": "regression", "target": "age", "min_drop": 3},
        },
        "searches": {
            "subgroups": {
                "finder": "subgroups",
                "features": ["gender", "age", "emotion", "room", "snr"],
            }
        },
    }
    if embedding:
        for place in (folder / "audio", folder / EMBEDDER):
            place.mkdir(parents=True)
        for name in ("model.onnx", "model.yaml"):
            (folder / EMBEDDER / name).touch()
        config["datasets"]["corpus"]["csv"]["audio"] = str(folder / "audio")
        model = {"path": str(folder / EMBEDDER), "tasks": [], "license": "simulated"}
        config["models"][EMBEDDER] = model
        search = {"finder": "sliceguard", "features": ["gender"], "embedding_of": EMBEDDER}
        # further seeds would only repeat the search on the same sample
        config["searches"]["embedding"] = search | {"stability_seeds": 0}
    path = folder / "scale.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return path


def write_embedding(folder: Path) -> list[str]:
    """Write the results of inference: an installed model, and its hidden states in shards.

    The hidden states of angry men, on which the smaller model fails, form a cluster.

    Args:
        folder: Folder of the study, which has a table of shards.

    Returns:
        The files, relative to the folder, that Snakemake has to accept as finished.
    """
    card = {"origin": EMBEDDER, "sha256": "0" * 64, "size_mb": 1.0, "parameters": 0, "outputs": {}}
    made = [f"resources/models/{EMBEDDER}/model.{kind}" for kind in ("onnx", "yaml", "json")]
    for name in made:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(card))
    keys = ["file", "start", "end"]
    known = pd.read_csv(folder / "corpus.csv", usecols=["file", "gender", "emotion"])
    hard = set(known.loc[(known["gender"] == "male") & (known["emotion"] == "anger"), "file"])
    utterances = pd.read_parquet(folder / "resources/corpus/utterances.parquet", columns=keys)
    rng = np.random.default_rng(SEED)
    shards = pd.read_csv(folder / "resources/corpus/shards.csv")
    for shard, first, stop in shards[["first", "stop"]].itertuples():
        part = utterances.iloc[first:stop]
        states = rng.normal(size=(len(part), DIMENSIONS)).astype(np.float32)
        states[part["file"].isin(hard), :8] += 3
        column = pa.FixedSizeListArray.from_arrays(pa.array(states.ravel()), DIMENSIONS)
        table = pa.table({name: part[name].to_numpy() for name in keys} | {"embedding": column})
        for kind, ending in (("predictions", "parquet"), ("failures", "csv")):
            name = f"results/{kind}/corpus/{EMBEDDER}/{shard}.{ending}"
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            made.append(name)
        pq.write_table(table, folder / made[-2], row_group_size=1024)
        (folder / made[-1]).write_text(",".join([*keys, "reason"]) + "\n")
    return made


def snakemake(folder: Path, config: Path, *words: str) -> None:
    """Run Snakemake in a folder, one job at a time; a failure ends the benchmark."""
    command = [sys.executable, "-m", "snakemake", *words, "--snakefile", ROOT / "Snakefile"]
    command += ["--profile", "none", "--workflow-profile", ROOT / "profiles/default"]
    command += ["--directory", folder, "--cores", "all", "--jobs", 1, "--configfile", config]
    with (folder / "run.log").open("w") as log:
        done = subprocess.run([str(x) for x in command], stdout=log, stderr=log, check=False)
    if done.returncode:
        sys.exit((folder / "run.log").read_text(encoding="utf-8")[-6000:])


def run(rows: int, embedding: bool, keep: Path | None) -> pd.DataFrame:
    """Run the workflow on a simulated corpus.

    Args:
        rows: Number of utterances.
        embedding: Whether a search uses an embedding. The time to draw it is not counted.
        keep: Folder in which the study is kept; None for a temporary folder.

    Returns:
        One row per job with wall-clock seconds, CPU seconds and peak memory, as Snakemake measures
        them, and a last row for all jobs.
    """
    folder = Path(keep or tempfile.mkdtemp(prefix="voxslice-scale-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        config = write_study(folder, rows, embedding=embedding)
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        if embedding:
            snakemake(folder, config, "resources/corpus/shards.csv")
            drawn = time.perf_counter()
            snakemake(folder, config, "--touch", *write_embedding(folder))
            start += time.perf_counter() - drawn
        snakemake(folder, config, *GOALS)
        seconds = time.perf_counter() - start
        records = []
        for path in sorted((folder / "benchmarks").rglob("*.tsv")):
            line = pd.read_csv(path, sep="\t").iloc[0]
            job = path.relative_to(folder / "benchmarks").with_suffix("").as_posix()
            record = {"rows": rows, "job": job.replace("/corpus", ""), "seconds": line["s"]}
            record |= {"cpu_seconds": line["cpu_time"], "peak_gb": line["max_rss"] / 1024}
            records.append(record)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        whole = {"rows": rows, "job": "all", "seconds": seconds, "cpu_seconds": used}
        table = pd.DataFrame([*records, whole])
        table.loc[table["job"] == "all", "peak_gb"] = table["peak_gb"].max()
        return table
    finally:
        if keep is None:
            shutil.rmtree(folder)


def main() -> None:
    """Run the benchmark with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000], help="of each corpus")
    parser.add_argument("--embedding", action="store_true", help="with a search of an embedding")
    parser.add_argument("--keep", type=Path, help="folder in which the study is left")
    options = parser.parse_args()
    tables = [run(rows, options.embedding, options.keep) for rows in options.rows]
    table = pd.concat(tables)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores")
    figures = ["seconds", "cpu_seconds", "peak_gb"]
    wide = table.pivot_table(index="job", columns="rows", values=figures, sort=False)
    print(wide.round(2).to_string())


if __name__ == "__main__":
    main()
