"""Exact intervals of a share that was 0 or 1 for every speaker, where a bootstrap fails.

If no utterance was wrong, all resamples agree, and a bootstrap shows no uncertainty. The interval
here follows from the number of speakers alone (Clopper and Pearson, Biometrika 26, 1934). It makes
no assumption on how the errors of a speaker depend on each other: the chance that none of a
speaker's utterances is wrong is at most the chance that one of them is right.
"""


def exact_interval(share: float, speakers: int, *, level: float) -> tuple[float, float]:
    """Interval of a share that was the same for every speaker.

    Args:
        share: 0 or 1
        speakers: number of speakers
        level: confidence level

    Returns:
        lower and upper end
    """
    edge = ((1 - level) / 2) ** (1 / speakers)
    return (edge, 1.0) if share == 1 else (0.0, 1 - edge)
