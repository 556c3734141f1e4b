"""A small study whose models were run in conditions, with tables made by the real functions."""

import dataclasses

import numpy as np
import pandas as pd
from report_study import KEY, make_study
from voxslice.conditions.outcomes import (
    condition_outcomes,
    models_in_conditions,
    worst_conditions,
)
from voxslice.conditions.pooled import pooled_slices
from voxslice.conditions.probes import PROBE_COLUMNS
from voxslice.conditions.tables import broken_utterances, condition_groups
from voxslice.speakers import speakers_of
from voxslice.task import Task


def in_conditions(study):
    """Scores by model and condition: `phone` makes women men or predictions 30 too high."""
    found = {}
    women = study.metadata["gender"].eq("female").to_numpy()
    for model in study.models:
        clean = model.scores
        if study.classification:
            said = np.where(women, "male", clean["prediction"])
            phone = clean.assign(prediction=said, loss=(said != clean["label"]).astype(float))
        else:
            said = clean["prediction"] + 30 * women
            phone = clean.assign(prediction=said, loss=(said - clean["label"]).abs())
        found[model.name] = {"clean": clean, "phone": phone, "quiet": clean}
    return found


def study_in_conditions(**options):
    """The study of `report_study` with the tables of conditions."""
    study = make_study(**options)
    scores = in_conditions(study)
    keys = study.models[0].scores[KEY]
    speakers = speakers_of(keys, study.metadata)
    columns = [name for name in ("gender", "emotion") if name in study.metadata]
    groups = condition_groups(
        keys, study.metadata[columns], study.modes.assign(confirmed=False), study.mode_members
    )
    task = Task(study.measured.kind, overall=study.overall_metric)
    outcomes = condition_outcomes(scores, groups, speakers, task=task, resamples=100, seed=0)
    names = list(scores)
    pairs = [(a, b) for place, a in enumerate(names) for b in names[place + 1 :]]
    # six speakers are too few for a test across speakers
    hurt = (outcomes["condition"] == "phone") & (outcomes["group"] == "gender=female")
    outcomes.loc[hurt, ["p_excess", "evidence"]] = [0.01, "across speakers"]
    return dataclasses.replace(
        study,
        condition_outcomes=outcomes,
        condition_slices=pooled_slices(
            scores, study.metadata, speakers, features=columns, task=task, depth=2, min_support=3,
            alpha=0.05, seed=0,
        ),
        condition_models=models_in_conditions(
            scores, pairs, speakers, task=task, resamples=100, seed=0
        ),
        condition_worst=worst_conditions(outcomes),
        condition_settings={"phone": {"codec": "g711"}, "quiet": {"gain": -30}},
        condition_broken=broken_utterances(scores, groups, outcomes, keys, speakers),
        probes=pd.DataFrame(
            [
                {"mode": "1", "model": "a", "name": "male, anger", "verdict": verdict,
                 "sentence": sentence}
                for verdict, sentence in (
                    ("no effect", "Raising the level by 10 dB: level is not the reason."),
                    ("reason", "Lowering the pitch: the model goes by pitch."),
                )
            ],
            columns=PROBE_COLUMNS,
        ),
    )  # fmt: skip
