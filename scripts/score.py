import json
from pathlib import Path

import pandas as pd
from voxslice.files import KEY, read_predictions, write_parquet
from voxslice.logs import to_log
from voxslice.scores import labels_of_output, score_classes, score_values, value_label

with to_log(snakemake.log):
    task, model = snakemake.params.task, snakemake.wildcards.model
    outputs = json.loads(Path(snakemake.input.card).read_text())["outputs"]
    classes = labels_of_output(outputs, task["output"], model)
    files = pd.read_parquet(snakemake.input.files, columns=[*KEY, task["target"]])
    if task["type"] == "classification":
        predictions = read_predictions(snakemake.input.predictions, [*KEY, *classes])
        labels = predictions[KEY].merge(files, on=KEY, how="left")[task["target"]]
        scores = score_classes(predictions, labels, classes=classes, known=task["labels"])
    else:
        column = value_label(classes, task.get("label"), task["output"], model)
        predictions = read_predictions(snakemake.input.predictions, [*KEY, column])
        labels = predictions[KEY].merge(files, on=KEY, how="left")[task["target"]]
        scores = score_values(predictions, labels, column=column, scale=task["scale"])
    print(f"{len(scores)} of {len(files)} utterances are scored.")
    write_parquet(scores, snakemake.output[0])
