import json
from pathlib import Path

import pandas as pd
from voxslice.files import read_predictions, write_parquet, write_text
from voxslice.logs import to_log
from voxslice.scores.classes import Classes
from voxslice.scores.label_check import unnamed_labels
from voxslice.scores.scale import scale_of_output
from voxslice.scores.scores import (
    labels_of_output,
    score_choices,
    score_classes,
    score_values,
    value_label,
)
from voxslice.utterance_keys import KEY

with to_log(snakemake.log):
    name, model = snakemake.wildcards.task, snakemake.wildcards.model
    task, given = snakemake.params.task, snakemake.params.given
    paths = snakemake.input.predictions
    summary: dict = {"scale": None, "notes": []}
    metadata = pd.read_parquet(snakemake.input.metadata, columns=[*KEY, task["target"]])

    def labels_of(predictions: pd.DataFrame) -> pd.Series:
        return predictions[KEY].merge(metadata, on=KEY, how="left")[task["target"]]

    if given:
        predictions = read_predictions(paths)
        predictions = predictions[predictions[name].notna()].reset_index(drop=True)
        labels = labels_of(predictions)
        if task["type"] == "classification":
            scores = score_choices(predictions, labels, task=name, known=task["labels"])
        else:
            scores = score_values(predictions, labels, column=name, scale=1)
    else:
        card = json.loads(Path(snakemake.input.card).read_text())
        classes = labels_of_output(card["outputs"], task["output"], model)
        if task["type"] == "classification":
            predictions = read_predictions(paths, [*KEY, *classes])
            labels = labels_of(predictions)
            scale = scale_of_output(
                predictions[classes].to_numpy(float),
                declared=snakemake.params.scale,
                activation=card["activations"].get(task["output"]),
                model=model,
                output=task["output"],
            )
            summary = {"scale": scale.kind, "notes": [scale.note] if scale.note else []}
            print(scale.note or f"The output {task['output']} of {model} holds {scale.kind}.")
            scores = score_classes(
                predictions,
                labels,
                classes=classes,
                task=Classes(**snakemake.params.classes),
                scale=scale.kind,
            )
        else:
            column = value_label(classes, task.get("label"), task["output"], model)
            predictions = read_predictions(paths, [*KEY, column])
            labels = labels_of(predictions)
            scores = score_values(predictions, labels, column=column, scale=task["scale"])
    if task["type"] == "classification":
        for sentence in unnamed_labels(metadata[task["target"]], task["labels"]):
            print(sentence)
    print(f"{len(scores)} of {len(metadata)} utterances are scored.")
    write_parquet(scores, snakemake.output.scores)
    write_text(json.dumps(summary, indent=2) + "\n", snakemake.output.summary)
