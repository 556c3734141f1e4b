"""Inputs and parameters of the rules on conditions and probes, which need Snakemake's objects."""

from voxslice.data import local_data


def sources_of_condition(wildcards):
    """Files that a condition is made from, besides the audio: other speakers, or recordings."""
    if STUDY.uses_talkers(wildcards):
        checkpoints.choose_talkers.get(dataset=wildcards.dataset)
        return {"talkers": ancient(f"resources/{wildcards.dataset}/talkers.parquet")}
    if STUDY.uses_rooms(wildcards):
        return {"recordings": f"resources/rooms/{wildcards.condition}"}
    folder = STUDY.condition_folder(wildcards)
    return {"recordings": local_input(folder)} if folder else {}


def state_of_talkers(wildcards):
    """Digest of the table of talkers if a condition is made from it; None if there is none yet."""
    if not STUDY.uses_talkers(wildcards):
        return None
    table = made(f"resources/{wildcards.dataset}/talkers.parquet")
    return local_data.tables_state([table]) if Path(table).exists() else None


@functools.cache
def recordings_state(folder):
    """Fingerprint of a folder of recordings, computed once while the workflow is parsed."""
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    return local_data.of_files(files).fingerprint() if files else ""


def state_of_recordings(wildcards):
    """Fingerprint of the folder of recordings that a condition names; None if it names none."""
    folder = STUDY.condition_folder(wildcards)
    return folder and recordings_state(folder)


def parts_in_conditions(wildcards):
    """Predictions and failures of a model on a dataset by condition, one file per shard each.

    The talkers are waited for here, too. If only the jobs of the shards waited for them, Snakemake
    would compare no parameters of these jobs.
    """
    dataset, parts = wildcards.dataset, {}
    numbers = shards(dataset)
    for condition in STUDY.conditions(dataset):
        sources_of_condition(
            types.SimpleNamespace(dataset=dataset, condition=condition)
        )
        for kind, suffix in (("predictions", "parquet"), ("failures", "csv")):
            folder = f"results/condition_{kind}/{dataset}/{wildcards.model}/{condition}"
            parts[f"{kind}_{condition}"] = [
                f"{folder}/{number}.{suffix}" for number in numbers
            ]
    return parts


def sources_of_sounds(wildcards):
    """Files that the report makes the audio of conditions from, besides the audio itself."""
    sources = {}
    for condition in STUDY.task_conditions(wildcards):
        one = types.SimpleNamespace(dataset=wildcards.dataset, condition=condition)
        folder = STUDY.condition_folder(one)
        if STUDY.uses_talkers(one):
            sources["talkers"] = f"resources/{wildcards.dataset}/talkers.parquet"
        elif STUDY.uses_rooms(one):
            sources[f"recordings_{condition}"] = f"resources/rooms/{condition}"
        elif folder:
            sources[f"recordings_{condition}"] = local_input(folder)
    return sources


def probe_scores(suffix):
    """Input of a rule: the scores of each model after each probe of a dataset and task."""
    return lambda wildcards: [
        f"results/probe_scores/{wildcards.dataset}/{wildcards.task}/{model}/{probe}{suffix}"
        for model in STUDY.condition_models(wildcards)
        for probe in STUDY.probes(wildcards.dataset)
    ]
