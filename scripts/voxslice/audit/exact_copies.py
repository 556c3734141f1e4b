"""Find utterances with the same samples, which are one observation and not several."""

import pandas as pd

from voxslice.utterance_keys import KEY


def content_of(examined: pd.DataFrame) -> pd.Series:
    """Tell utterances that sound by their samples.

    Args:
        examined: table with one row per utterance, see `voxslice.audit.examine.examine`

    Returns:
        the digest of the samples of each row; missing if the audio is silent or cannot be read
    """
    sounds = examined["content"].notna() & (examined["silence"].fillna("") == "")
    return examined["content"].where(sounds)


def exact_copies(utterances: pd.DataFrame, examined: pd.DataFrame) -> pd.Series | None:
    """Name the samples of the utterances that are exact copies of each other.

    Args:
        utterances: table with the keys of all utterances
        examined: table with one row per utterance, see `voxslice.audit.examine.examine`

    Returns:
        for each row of `utterances` the digest of the samples, which its copies share; missing if
        it has no copy. None if there are no copies
    """
    content = content_of(examined)
    copied = content.notna() & content.duplicated(keep=False)
    if not copied.any():
        return None
    digests = examined[KEY].assign(content=content.where(copied))
    return utterances[KEY].merge(digests, on=KEY, how="left")["content"].set_axis(utterances.index)
