"""What models compute from the audio of utterances, as features of a classifier."""

from collections.abc import Mapping, Sequence

import pandas as pd

from voxslice.decisions.collect import Features
from voxslice.files import read_embeddings, read_predictions
from voxslice.speakers import speakers_of
from voxslice.utterance_keys import KEY


def read_features(
    embedding: Sequence[str], outputs: Mapping[str, Sequence[str]], metadata: pd.DataFrame
) -> Features:
    """Read the embedding of utterances and the outputs of models for them.

    Args:
        embedding: Parquet files of the predictions of the model with the embedding
        outputs: Parquet files of the predictions of each model
        metadata: the metadata of the utterances, which may have a column `speaker`

    Returns:
        the utterances that have an embedding, in the order of the files. The columns of the outputs
        are called `{model}.{label}`
    """
    keys, vectors = read_embeddings(list(embedding))
    columns = [keys[KEY]]
    for model, paths in outputs.items():
        table = read_predictions(list(paths))
        numbers = table.drop(columns=KEY).select_dtypes("number").add_prefix(f"{model}.")
        columns.append(keys[KEY].merge(table[KEY].join(numbers), on=KEY, how="left")[list(numbers)])
    table = pd.concat(columns, axis=1).drop(columns=KEY)
    return Features(keys, vectors, table, speakers_of(keys, metadata))
