"""Small tables of failure modes for the tests of the report: one mode per distinct slice."""

import dataclasses

import numpy as np
import pandas as pd
from voxslice.files import as_booleans
from voxslice.modes.differences import DIFFERENCE_COLUMNS
from voxslice.modes.table import ALL_OTHERS, LINK_COLUMNS, MODE_COLUMNS, SAME_SPEAKERS
from voxslice.names import NO_RULE
from voxslice.report.study import distinct
from voxslice.utterance_keys import KEY


def with_modes(study, *, confirmed_modes=4):
    """Add tables of modes to a study: each of the worst slices of any model is a mode."""
    found = pd.concat([distinct(model.slices).assign(model=model.name) for model in study.models])
    if not len(found):
        return study
    found = found.assign(confirmed=as_booleans(found["confirmed"]))
    found = found.sort_values(["confirmed", "support", "slice"], ascending=[False, False, True])
    found = found.drop_duplicates("slice").reset_index(drop=True)
    keep = found["confirmed"] & (found["confirmed"].cumsum() <= confirmed_modes)
    found = pd.concat([found[keep], found[~found["confirmed"]].head(3)]).reset_index(drop=True)
    rows, members, links = [], [], []
    for number, one in found.iterrows():
        mode = str(number + 1)
        keys = next(model for model in study.models if model.name == one["model"]).members
        keys = keys.loc[keys["slice"] == one["slice"], KEY]
        members.append(keys.assign(mode=mode))
        ruled = one["rule"] != NO_RULE and min(one["precision"], one["recall"]) >= 0.8
        name = f"cluster {mode} of the {one['search']}: mostly male (91 %)"
        for model in study.models:
            same = model.slices[model.slices["slice"] == one["slice"]]
            searches = ", ".join(same["search"])
            row = _figures(study, model, keys) | {
                "mode": mode, "model": model.name,
                "name": one["rule"].replace(" & ", ", ") if ruled else name,
                "rule": one["rule"] if ruled else np.nan,
                "precision": 1.0 if ruled else np.nan, "recall": 1.0 if ruled else np.nan,
                "searches": searches or np.nan, "slices": len(same),
            }  # fmt: skip
            sure = bool(as_booleans(same["confirmed"]).any())
            evidence = same["evidence"].dropna()
            row |= {"confirmed": sure, "evidence": evidence.iloc[0] if sure else np.nan}
            within = row["evidence"] == "within speakers"
            row["compared_with"] = SAME_SPEAKERS if within else ALL_OTHERS
            rows.append(row)
            links += [
                {"mode": mode, "model": model.name, "search": search, "slice": one["slice"],
                 "share": 1.0, "representative": place == 0}
                for place, search in enumerate(same["search"])
            ]  # fmt: skip
    everyone = pd.concat(members).drop_duplicates(KEY)
    for model in study.models:
        others = model.scores.merge(everyone[KEY], on=KEY, how="left", indicator=True)
        others = others.loc[others["_merge"] == "left_only", KEY]
        rows.append(_figures(study, model, others) | {"mode": "rest", "model": model.name})
    return dataclasses.replace(
        study,
        modes=pd.DataFrame(rows).reindex(columns=MODE_COLUMNS),
        mode_members=pd.concat(members)[["mode", *KEY]],
        mode_slices=pd.DataFrame(links, columns=LINK_COLUMNS),
        mode_differences=pd.DataFrame(
            [
                ["1", "pitch", "Hz", 310.5, 230.2, 1.3, 0.9, 1.7, 5, 0.001, 0.004],
                ["1", "level", "dB", -20.1, -20.3, 0.02, -0.1, 0.2, 5, 0.7, 0.8],
            ],
            columns=DIFFERENCE_COLUMNS,
        ),
    )


def _figures(study, model, keys):
    scores = model.scores
    inside = pd.MultiIndex.from_frame(scores[KEY]).isin(pd.MultiIndex.from_frame(keys))
    loss = scores["loss"].to_numpy(float)
    speakers = study.speakers_of(scores[KEY].merge(study.metadata, on=KEY))
    mean_in, mean_out = (
        float(loss[mask].mean()) if mask.any() else np.nan for mask in (inside, ~inside)
    )
    total = max(loss.sum(), 1e-12)
    return {
        "support": int(inside.sum()),
        "speakers": np.nan if speakers is None else len(set(speakers[inside])),
        "value": study.measured.metric_of(mean_in), "rest": study.measured.metric_of(mean_out),
        "drop": mean_in - mean_out, "drop_low": mean_in - mean_out - 0.1,
        "drop_high": mean_in - mean_out + 0.1, "excess": 0.9 * (mean_in - mean_out),
        "low": 0.5 * (mean_in - mean_out), "high": 1.3 * (mean_in - mean_out),
        "errors": loss[inside].sum(), "errors_elsewhere": loss[~inside].sum(),
        "share_of_errors": loss[inside].sum() / total, "share_of_utterances": inside.mean(),
        "confusion": "female predicted as male (2 of 4 errors)" if inside.any() else np.nan,
        "leading_speaker": np.nan, "stability": np.nan, "flagged": 0,
        "excess_unflagged": 0.9 * (mean_in - mean_out), "p_unflagged": np.nan,
        "confirmed_unflagged": np.nan,
    }  # fmt: skip
