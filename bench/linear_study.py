"""The default study as one linear script with the defaults of its libraries, for bench/study.py.

    python bench/linear_study.py DATA OUT

DATA contains an audb repository of emodb and archives of the models (see bench/study.py). The
script runs one step after the other: the dataset by audb, each model by audonnx and audinterface,
sliceguard on metadata and on the embedding for each model and task, and a comparison.
"""

import sys
from pathlib import Path

import audb
import audeer
import audinterface
import audonnx
import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, mean_absolute_error
from sliceguard import SliceGuard

MODELS = ["gender_age_small", "gender_age_big"]
CLASSES = ["female", "male", "child"]
FEATURES = {"emotion": "nominal", "age": "numerical", "gender": "nominal"}

data, out = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()

audb.config.REPOSITORIES = [audb.Repository("audb-local", str(data / "audb"), "file-system")]
db = audb.load(
    "emodb",
    version="1.4.1",
    format="wav",
    mixdown=True,
    sampling_rate=16000,
    cache_root=str(out / "cache"),
)
speaker = db["files"]["speaker"]
table = pd.DataFrame(
    {
        "speaker": speaker.get().astype(str),
        "gender": speaker.get(map="gender").astype(str),
        "age": speaker.get(map="age").astype(float),
        "emotion": db["emotion"]["emotion"].get().astype(str),
    }
)

outputs = {}
for name in [*MODELS, "emotion"]:
    folder = audeer.extract_archive(str(data / "models" / f"{name}.zip"), str(out / name))
    model = audonnx.load(str(out / name))
    process = audinterface.Process(process_func=model, sampling_rate=16000)
    outputs[name] = process.process_index(table.index).to_list()
embedding = np.stack([row["hidden_states"].squeeze() for row in outputs["emotion"]])

slices, quality = [], []
for name in MODELS:
    chosen = [CLASSES[row["logits_gender"].argmax()] for row in outputs[name]]
    table[f"{name}_gender"] = chosen
    table[f"{name}_age"] = [100 * float(row["logits_age"].squeeze()) for row in outputs[name]]
    for task, metric, mode, drop in [
        ("gender", accuracy_score, "max", 0.15),
        ("age", mean_absolute_error, "min", 3),
    ]:
        quality.append([name, task, metric(table[task], table[f"{name}_{task}"])])
        for search in ["metadata", "embedding"]:
            frame = table.reset_index(drop=True)
            types = dict(FEATURES) if search == "metadata" else {"gender": "nominal"}
            given = {}
            if search == "embedding":
                types["voice"] = "embedding"
                given = {"voice": embedding}
            issues = SliceGuard().find_issues(
                frame,
                list(types),
                task,
                f"{name}_{task}",
                metric,
                metric_mode=mode,
                min_support=10,
                min_drop=drop,
                feature_types=types,
                precomputed_embeddings=given,
            )
            for issue in issues:
                slices.append([name, task, search, len(issue["rows"]), issue["metric"]])

table.to_csv(out / "predictions.csv")
print(pd.DataFrame(quality, columns=["model", "task", "quality"]))
print(pd.DataFrame(slices, columns=["model", "task", "search", "support", "quality"]))
right = {name: table[f"{name}_gender"] == table["gender"] for name in MODELS}
print(pd.crosstab(*right.values()))
print(pd.DataFrame(right).groupby([table["gender"], table["emotion"]]).mean())
