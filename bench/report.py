"""Benchmark of the report: time and memory for few and for many utterances.

The tables are drawn at random: two models with 20 slices each, of which half are confirmed, an
embedding of 1,024 dimensions, and audio. They are first written to files. A separate process reads
them and makes the page.

    python bench/report.py            # everything; writes bench/report.md
    python bench/report.py --quick    # a small case, printed only
"""

from __future__ import annotations

import argparse
import json
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parent / "scripts"
sys.path.insert(0, str(PACKAGE))

# (utterances, speakers): those of the default study, and many
CASES = [(535, 10), (100_000, 500), (100_000, None)]
SLICES, DIMENSIONS, SHARDS, RECORDINGS = 20, 1024, 4, 50
EMOTIONS = ["anger", "boredom", "disgust", "fear", "happiness", "neutral", "sadness"]


def write_study(folder: Path, utterances: int, speakers: int | None, task: str) -> None:
    """Draw a study and write it: the embedding as Parquet, everything else as a pickle."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq
    import soundfile
    import vl_convert
    from voxslice.classes import Classes
    from voxslice.comparison import by_speaker, compare, groups
    from voxslice.report.study import Model, Study
    from voxslice.scores import metrics
    from voxslice.scores.scores import score_classes, score_values
    from voxslice.slices.study_level import STUDY_COLUMNS
    from voxslice.slices.table import SLICE_COLUMNS, slice_id, summarise
    from voxslice.task import Task
    from voxslice.utterance_keys import KEY

    draw = np.random.default_rng(0)
    classification = task == "gender"
    measured = Task("classification" if classification else "regression", margin=0.02)
    rows = np.arange(utterances)
    metadata = pd.DataFrame({"file": [f"{row % RECORDINGS}.wav" for row in rows]})
    metadata["start"] = (rows // RECORDINGS) * 0.001
    metadata["end"] = metadata["start"] + 2
    metadata["duration"] = draw.uniform(1, 6, utterances)
    if speakers:
        metadata["speaker"] = [f"s{one}" for one in draw.integers(speakers, size=utterances)]
    metadata["gender"] = draw.choice(["female", "male"], utterances)
    metadata["emotion"] = draw.choice(EMOTIONS, utterances)
    metadata["age"] = draw.integers(20, 70, utterances).astype(float)
    for number in range(RECORDINGS):
        noise = draw.normal(scale=0.1, size=16000 * 5)
        soundfile.write(folder / f"{number}.wav", noise, 16000)
    known = metadata["speaker"].to_numpy(str) if speakers else None
    models, compared = [], {}
    for name, rate in [("small", 0.15), ("big", 0.05)]:
        if classification:
            wrong = draw.random(utterances) < rate
            female = metadata["gender"].eq("female") ^ wrong
            logits = metadata[KEY].assign(
                female=np.where(female, 2, 0) + draw.normal(scale=0.3, size=utterances),
                male=np.where(female, 0, 2) + draw.normal(scale=0.3, size=utterances),
            )
            scores = score_classes(
                logits,
                metadata["gender"],
                classes=["female", "male"],
                task=Classes(["female", "male"]),
            )
        else:
            values = metadata[KEY].assign(
                age=metadata["age"] + draw.normal(scale=100 * rate, size=utterances)
            )
            scores = score_values(values, metadata["age"], column="age", scale=1)
        found, members = [], []
        for number in range(SLICES):
            mask = draw.random(utterances) < draw.uniform(0.02, 0.4)
            row = {
                "slice": slice_id(scores[mask]), "finder": "subgroups", "search": "subgroups",
                "rule": f"rule = {number}", "precision": 1.0, "recall": 1.0, "p": 0.01, "q": 0.02,
                "evidence": "within speakers", "confirmed": number % 2 == 0, "searched": 1000,
            }  # fmt: skip
            loss = scores["loss"].to_numpy()
            found.append(row | summarise(mask, loss, known, measured))
            members.append(scores.loc[mask, KEY].assign(slice=row["slice"]))
        compared[name] = scores
        models.append(
            Model(
                name,
                {"license": "MIT", "note": ""},
                {"origin": "-", "sha256": "0", "size_mb": 1.0, "parameters": 1, "outputs": {}},
                {"scale": "logits" if classification else None, "notes": []},
                scores,
                pd.DataFrame(found, columns=SLICE_COLUMNS),
                pd.concat(members),
                pd.DataFrame(columns=["search", "finder", "searched", "found", "confirmed"]),
                pd.DataFrame(columns=[*KEY, "reason"]),
            )
        )
    labels = ["female", "male"] if classification else None
    keys, aligned = groups.align(compared)
    slices = groups.slice_groups(keys, [m.slices for m in models], [m.members for m in models])
    table = compare.compare(aligned, slices, known, task=measured, resamples=100, seed=0)
    settings = {
        "type": "classification",
        "target": "gender",
        "labels": labels,
        "min_drop": 0.1,
        "metric": "uar",
    }
    if not classification:
        settings = {
            "type": "regression",
            "target": "age",
            "unit": "years",
            "min_drop": 1.0,
            "metric": "mae",
        }
    study = Study(
        dataset="drawn", task=task, task_settings=settings | {"margin": 0.02},
        dataset_settings={
            "audb": {"name": "drawn", "version": "1.0.0"}, "license": "-", "note": "",
            "synthetic": True,
            "columns": {name: {"column": name} for name in ("speaker", "gender", "emotion", "age")},
        },
        searches={}, seed=0, resamples=2000, shortest=3.0, gate=0.99, command="-", commit="",
        versions={}, metadata=metadata, models=models, sources={},
        pair=[models[0].name, models[-1].name], embedders={},
        study_searches=pd.DataFrame(
            [("drawn", task, model.name, "subgroups", True) for model in models],
            columns=["dataset", "task", "model", "search", "holds"],
        ).reindex(columns=STUDY_COLUMNS),
        metrics=pd.concat(
            metrics.measure(scores, known, labels=labels).assign(model=name)
            for name, scores in compared.items()
        ),
        confusion=pd.concat(
            metrics.confusion_table(scores, labels).assign(model=name)
            for name, scores in compared.items()
        ) if labels else pd.DataFrame(),
        comparison=table,
        regressions=compare.regressions(table),
        speaker_table=by_speaker.speaker_table(
            compared, metadata, task=measured, resamples=100, seed=0
        ),
        speaker_pairs=by_speaker.pair_table(
            compared, metadata, metrics=[measured.metric], margin=0.02,
            resamples=100, seed=0,
        ),
        gates=pd.DataFrame(), costs=pd.DataFrame(), embedding=None,
        silence=pd.DataFrame(columns=[*KEY, "reason"]), measure_tables={},
    )  # fmt: skip
    (folder / "study.pickle").write_bytes(pickle.dumps(study))
    (folder / "vega.js").write_text(vl_convert.javascript_bundle())
    for shard, part in enumerate(np.array_split(rows, SHARDS)):
        states = draw.normal(size=len(part) * DIMENSIONS).astype(np.float32)
        columns = {name: metadata[name].iloc[part].to_numpy() for name in KEY}
        columns["embedding"] = pa.FixedSizeListArray.from_arrays(pa.array(states), DIMENSIONS)
        pq.write_table(pa.table(columns), folder / f"{shard}.parquet")


def make_page(folder: Path) -> None:
    """Make the page of a study that `write_study` has written, and print time and memory."""
    begin = time.perf_counter()
    from voxslice.report.page.render import derive, render
    from voxslice.report.study import stored_embedding

    # a pickle that this script has written, instead of the tables that the workflow reads
    study = pickle.loads((folder / "study.pickle").read_bytes())
    shards = [str(folder / f"{shard}.parquet") for shard in range(SHARDS)]
    study = replace(study, embedding=stored_embedding("states", shards))
    read = time.perf_counter() - begin
    page = render(
        study,
        derive(study),
        audio=folder,
        library=(folder / "vega.js").read_text(),
        max_megabytes=10,
    )
    figures = {
        "read": read,
        "seconds": time.perf_counter() - begin,
        "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
        "megabytes": len(page.encode()) / 1e6,
    }
    print(json.dumps(figures))


def measure(utterances: int, speakers: int | None, task: str) -> str:
    """A line of the table."""
    with tempfile.TemporaryDirectory() as folder:
        for action in ("--write", "--make"):
            done = subprocess.run(
                [sys.executable, __file__, action, folder, str(utterances), str(speakers or 0),
                 task],
                check=True, capture_output=True, text=True,
            )  # fmt: skip
    figures = json.loads(done.stdout)
    return (
        f"| {task} | {utterances:,} | {speakers or 'unknown'} | {figures['seconds']:.1f} |"
        f" {figures['read']:.1f} | {figures['gigabytes']:.2f} | {figures['megabytes']:.1f} |"
    )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", nargs=4)
    parser.add_argument("--make", nargs=4)
    given = parser.parse_args()
    if given.write:
        folder, utterances, speakers, task = given.write
        write_study(Path(folder), int(utterances), int(speakers) or None, task)
        return
    if given.make:
        make_page(Path(given.make[0]))
        return
    lines = [
        "# Benchmark of the report",
        "",
        "Made by `python bench/report.py` from generated tables. Seconds are wall clock",
        "time on two cores, from the start of the imports to the finished page.",
        "The library that draws the charts is bundled once per study, and its time does not count.",
        "",
        "| task | utterances | speakers | seconds | reading (s) | peak GB | page in MB |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    print("\n".join(lines[-2:]))
    for utterances, speakers in CASES[:1] if given.quick else CASES:
        for task in ("gender", "age"):
            lines.append(measure(utterances, speakers, task))
            print(lines[-1], flush=True)
    if not given.quick:
        (HERE / "report.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
