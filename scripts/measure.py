import pandas as pd
from voxslice.files import speakers_of, write_csv
from voxslice.logs import to_log
from voxslice.metrics import confusion_table, measure

with to_log(snakemake.log):
    files, labels = pd.read_parquet(snakemake.input.files), snakemake.params.labels
    metrics, confusions = [], [pd.DataFrame(columns=["model", "label", "prediction", "count"])]
    for model, path in zip(snakemake.params.models, snakemake.input.scores, strict=True):
        scores = pd.read_parquet(path)
        table = measure(
            scores,
            speakers_of(scores, files),
            labels=labels,
            resamples=snakemake.params.resamples,
            seed=snakemake.params.seed,
        )
        metrics.append(table.assign(model=model)[["model", *table.columns]])
        if labels:
            table = confusion_table(scores, labels)
            confusions.append(table.assign(model=model)[["model", *table.columns]])
    write_csv(pd.concat(metrics), snakemake.output.metrics)
    write_csv(pd.concat(confusions), snakemake.output.confusion)
