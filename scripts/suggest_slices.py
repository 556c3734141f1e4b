import pandas as pd
from tqdm import tqdm
from voxslice.files import read_embeddings, write_csv, write_parquet
from voxslice.logs import to_log
from voxslice.sampling import sampled
from voxslice.slices.held_out import split_speakers
from voxslice.slices.suggest import SUGGESTION_COLUMNS, suggest_and_verify
from voxslice.speakers import speakers_of
from voxslice.task import Task
from voxslice.utterance_keys import KEY, match_rows

with to_log(snakemake.log):
    metadata = pd.read_parquet(snakemake.input.metadata)
    models = dict(zip(snakemake.params.models, snakemake.input.scores, strict=True))
    searches = snakemake.params.searches
    tables = [pd.DataFrame(columns=["model", "search", "number", *SUGGESTION_COLUMNS])]
    members = [pd.DataFrame(columns=["model", "search", "number", *KEY])]
    splits = [pd.DataFrame(columns=["model", "search", "half", "speaker"])]
    for model, search in tqdm([(m, v) for m in models for v in searches], unit="search"):
        scores = pd.read_parquet(models[model])
        rows = sampled(len(scores), searches[search]["sample"], snakemake.params.seed)
        if len(rows) < len(scores):
            print(f"{search}: a sample of {len(rows)} of {len(scores)} utterances is looked at.")
            scores = scores.iloc[rows].reset_index(drop=True)
        embedding = None
        if "embedding_of" in searches[search]:
            paths = snakemake.input.get(f"embedding_{search}")
            embedding = match_rows(scores, *read_embeddings(paths, scores))
        speakers = speakers_of(scores, metadata)
        slices, table = suggest_and_verify(
            scores,
            scores[KEY].merge(metadata, on=KEY, how="left"),
            speakers,
            searches[search]["features"],
            embedding,
            task=Task(snakemake.params.kind, min_drop=snakemake.params.min_drop),
            min_support=searches[search]["min_support"],
            stability_seeds=searches[search]["stability_seeds"],
            alpha=snakemake.params.alpha,
            seed=snakemake.params.seed,
        )
        if len(slices):
            halves = split_speakers(speakers, snakemake.params.seed)
            splits.append(halves.assign(model=model, search=search))
        tables.append(table.assign(model=model, search=search, number=range(len(table))))
        for number, rows in enumerate(slices):
            members.append(scores.loc[rows, KEY].assign(model=model, search=search, number=number))
    write_csv(pd.concat([t for t in tables if len(t)] or tables), snakemake.output.table)
    write_csv(pd.concat(splits), snakemake.output.halves)
    write_parquet(pd.concat(members, ignore_index=True), snakemake.output.members)
