"""Local data and models, which stay where they are. Their content counts, not their time.

They are ancient inputs, and a parameter holds the fingerprint of their content. A record says what
a job has read. It is no output, because it would be missing while a job that runs again parses the
workflow.
"""

import functools
from types import SimpleNamespace

from voxslice.data import local_data

SEEN = made("resources/{dataset}/seen.json")
SEEN_MODEL = made("resources/models/{model}/seen.json")


def local_input(path):
    """A local file or folder as an input. The prefix of a module does not apply to it."""
    return ancient(path if made("x") == "x" else local(path))


def audio(wildcards):
    """The folder that the files of a dataset are relative to."""
    folder = STUDY.audio_folder(wildcards)
    return ancient(folder) if is_made(folder) else local_input(folder)


def tables(wildcards):
    """The tables of a dataset: the downloaded folder, or local tables."""
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

    It is None for a csv, too: only some of its columns count, see `state_of_dataset`.
    """
    csv = setting("datasets/{dataset}/csv", "path")(wildcards)
    return None if csv else tables_of_metadata(wildcards)


def state_of_dataset(wildcards):
    """Fingerprint of the utterances and the audio of a local dataset; None if it is downloaded."""
    return dataset_state(wildcards.dataset)


@functools.cache
def dataset_state(dataset):
    """`state_of_dataset` by id of the dataset. It is computed once per parsing of the workflow."""
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
    """`state_of_model` by id of the model. It is computed once per parsing of the workflow."""
    files = STUDY.model_files(SimpleNamespace(model=model))
    if all(map(is_made, files)):
        return None
    return local_data.of_files(files).fingerprint(SEEN_MODEL.format(model=model))


def model_files(wildcards):
    """Local files of a model. Those that the workflow makes (embedded study) count by time."""
    files = STUDY.model_files(wildcards)
    if all(map(is_made, files)):
        return files
    return [local_input(file) for file in files]
