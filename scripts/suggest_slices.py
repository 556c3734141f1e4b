import pandas as pd
from tqdm import tqdm
from voxslice.files import KEY, match_rows, read_embeddings, write_parquet
from voxslice.logs import to_log
from voxslice.sliceguard_finder import suggest

with to_log(snakemake.log):
    files = pd.read_parquet(snakemake.input.files)
    models = dict(zip(snakemake.params.models, snakemake.input.scores, strict=True))
    views = snakemake.params.views
    embeddings = {
        view: read_embeddings(snakemake.input.get(f"embedding_{view}"))
        for view in views
        if "embedding" in views[view]
    }
    found = [pd.DataFrame(columns=["model", "view", "number", *KEY])]
    for model, view in tqdm([(m, v) for m in models for v in views], unit="view"):
        scores = pd.read_parquet(models[model])
        slices = suggest(
            scores[KEY].merge(files, on=KEY, how="left"),
            scores,
            views[view]["features"],
            embedding=match_rows(scores, *embeddings[view]) if view in embeddings else None,
            classification=snakemake.params.classification,
            min_support=views[view]["min_support"],
            min_drop=snakemake.params.min_drop,
            seed=snakemake.params.seed,
        )
        for number, rows in enumerate(slices):
            found.append(scores.loc[rows, KEY].assign(model=model, view=view, number=number))
    write_parquet(pd.concat(found, ignore_index=True), snakemake.output[0])
