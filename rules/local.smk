"""Local data and models, which stay where they are. A change of their content reruns jobs.

Their modification times are ignored: they are ancient inputs, and a parameter holds the fingerprint
of their content. A record (`seen.json`) stores the content that a job has read. The record is not an
output: Snakemake removes outputs before a job runs again, and the job parses the workflow, which
reads the record.
"""

import functools
from types import SimpleNamespace

from voxslice.data import local_data

SEEN = made("resources/{dataset}/seen.json")
SEEN_MODEL = made("resources/models/{model}/seen.json")


def local_input(path):
    """Mark a local file or folder as an input without the prefix of a module."""
    return ancient(path if made("x") == "x" else local(path))


def audio(wildcards):
    """Folder that the file names of a dataset are relative to."""
    folder = STUDY.audio_folder(wildcards)
    return ancient(folder) if is_made(folder) else local_input(folder)


def recording_folder(wildcards):
    """Folder that the recordings of a csv are relative to."""
    return local_input(STUDY.recording_folder(wildcards))


def turns(wildcards):
    """Local files with the turns of a dataset; none without turns."""
    return [local_input(path) for path in STUDY.turn_files(wildcards)]


def state_of_turns(wildcards):
    """Fingerprint of the content of the turns of a dataset."""
    return state_of_tables(*STUDY.turn_files(wildcards))


def pool_audio(wildcards):
    """The folder of the audio of each dataset without labels of a task."""
    return {
        f"audio_{dataset}": audio(SimpleNamespace(dataset=dataset))
        for dataset in STUDY.pools(wildcards)
    }


def tables(wildcards):
    """Tables of a dataset as inputs: the downloaded folder, or the local tables."""
    paths = STUDY.tables(wildcards)
    if paths is None:
        return STUDY.audio_folder(wildcards)
    return [local_input(path) for path in paths]


@functools.cache
def state_of_tables(*paths):
    """Fingerprint of the content of local tables."""
    return local_data.tables_state(paths)


def tables_of_metadata(wildcards):
    """Fingerprint of the tables that the metadata is read from; None if they are downloaded."""
    paths = STUDY.tables(wildcards)
    return None if paths is None else state_of_tables(*paths)


def tables_of_listing(wildcards):
    """Fingerprint of the tables that utterances are listed from; None if they are downloaded.

    It is None for a csv as well, because only some of its columns matter (see `state_of_dataset`).
    """
    csv = setting("datasets/{dataset}/csv", "path")(wildcards)
    return None if csv else tables_of_metadata(wildcards)


def state_of_dataset(wildcards):
    """Fingerprint of the utterances and the audio of a local dataset; None if it is downloaded."""
    return dataset_state(wildcards.dataset)


@functools.cache
def dataset_state(dataset):
    """Fingerprint of a local dataset by its id, computed once while the workflow is parsed."""
    wildcards = SimpleNamespace(dataset=dataset)
    csv = setting("datasets/{dataset}/csv", "path", "audio")(wildcards)
    if csv:
        data = local_data.of_table(**csv, filters=STUDY.filters(wildcards))
    elif STUDY.tables(wildcards):
        data = local_data.of_database(STUDY.audio_place(wildcards))
    else:
        data = None
    return data and data.fingerprint(SEEN.format(dataset=dataset))


def state_of_model(wildcards):
    """Fingerprint of the local files of a model; None if it is downloaded or made here."""
    return model_state(wildcards.model)


@functools.cache
def model_state(model):
    """Fingerprint of a local model by its id, computed once while the workflow is parsed."""
    files = STUDY.model_files(SimpleNamespace(model=model))
    if all(map(is_made, files)):
        return None
    return local_data.of_files(files).fingerprint(SEEN_MODEL.format(model=model))


def model_files(wildcards):
    """Local files of a model as inputs.

    Files that the workflow itself makes, as in the embedded study, are normal inputs.
    """
    files = STUDY.model_files(wildcards)
    if all(map(is_made, files)):
        return files
    return [local_input(file) for file in files]
