import pandas as pd
from voxslice.files import write_csv
from voxslice.logs import to_log
from voxslice.scores.metrics import confusion_table, measure
from voxslice.speakers import speakers_of

with to_log(snakemake.log):
    metadata, labels = pd.read_parquet(snakemake.input.metadata), snakemake.params.labels
    metrics, confusions = [], [pd.DataFrame(columns=["model", "label", "prediction", "count"])]
    models = dict(zip(snakemake.params.models, snakemake.input.scores, strict=True))
    tables = {model: pd.read_parquet(path) for model, path in models.items()}
    references = pd.read_parquet(snakemake.input.references)
    tables |= dict(iter(references.groupby("model", sort=False)))
    for model, scores in tables.items():
        table = measure(
            scores,
            speakers_of(scores, metadata),
            labels=labels,
            resamples=snakemake.params.resamples,
            seed=snakemake.params.seed,
        )
        metrics.append(table.assign(model=model)[["model", *table.columns]])
        if labels and model in models:
            table = confusion_table(scores, labels)
            confusions.append(table.assign(model=model)[["model", *table.columns]])
    write_csv(pd.concat(metrics), snakemake.output.metrics)
    write_csv(pd.concat(confusions), snakemake.output.confusion)
