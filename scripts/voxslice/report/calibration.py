"""How far a model is to be believed: sureness against correctness, error against the true value."""

from collections.abc import Callable

import altair as alt
import numpy as np
import pandas as pd

from voxslice.bins import assign_bins, quantile_edges
from voxslice.report.drawing import MAX_POINTS, SOFT, Drawing, draw, style, thinned
from voxslice.report.numbers import Measure
from voxslice.report.study import Model, Study
from voxslice.report.tables import Column, Table, count, model_cell, number
from voxslice.scores.bootstrap import bootstrap_interval, speaker_sums

CALIBRATION_BINS = 10
"""Of probability from 0 to 1, all of the same width."""
GROUPS = 6
"""Of true values, of about the same size."""
SIDE = 236
"""Of a square drawing, in pixels."""
SHARE = Measure("share", 100, 1, "%", True)


def confidence(scores: pd.DataFrame) -> np.ndarray | None:
    """The probability of the class that was chosen, shape (utterances,).

    Args:
        scores: of a classification

    Returns:
        None where a model gives no probability of a class that it chooses
    """
    classes = scores["prediction"].cat.categories
    chosen = scores["prediction"].cat.codes.to_numpy()
    columns = [f"p_{name}" for name in classes]
    missing = [position for position, name in enumerate(columns) if name not in scores]
    if np.isin(chosen, missing).any():
        return None
    matrix = scores.reindex(columns=columns).to_numpy(float)
    return matrix[np.arange(len(scores)), chosen]


def calibrate(
    sure: np.ndarray, right: np.ndarray, speakers: np.ndarray | None, *, resamples: int, seed: int
) -> pd.DataFrame:
    """Sureness against correctness in bins, and how far they are apart.

    The expected calibration error is the mean distance of accuracy and mean confidence over the
    bins, weighted by their utterances (Guo et al., "On calibration of modern neural networks",
    ICML 2017).

    Args:
        sure: probability of the chosen class, shape (utterances,)
        right: whether it is the label
        speakers: speaker of each row, None where every row stands alone
        resamples: bootstrap resamples
        seed: of the bootstrap

    Returns:
        a row `all` and one a bin that has utterances: `bin`, `from`, `to`, `n`, `confidence`
        (mean), `accuracy` with its 95 % interval `low`, `high`; in the row `all` also `ece` with
        `ece_low`, `ece_high`
    """
    bins = np.minimum((sure * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    parts = np.zeros((len(sure), CALIBRATION_BINS, 3))
    parts[np.arange(len(sure)), bins] = np.stack([np.ones(len(sure)), sure, right], axis=-1)
    sums, spoken = parts.sum(0), speaker_sums(parts, speakers)
    low, high = bootstrap_interval(
        spoken,
        _reliability,
        resamples=resamples,
        seed=seed,
        speakers=np.array([len(spoken)] * 2 + list((spoken[..., 0] > 0).sum(0))),
    )
    values = _reliability(sums)
    edges = np.arange(CALIBRATION_BINS + 1) / CALIBRATION_BINS
    table = pd.DataFrame(
        {
            "bin": ["all", *map(str, range(1, CALIBRATION_BINS + 1))],
            "from": [0.0, *edges[:-1]],
            "to": [1.0, *edges[1:]],
            "n": [len(sure), *sums[:, 0].astype(int)],
            "confidence": [sure.mean(), *_over(sums[:, 1], sums[:, 0])],
            "accuracy": values[1:],
            "low": low[1:],
            "high": high[1:],
            "ece": [values[0]] + [np.nan] * CALIBRATION_BINS,
            "ece_low": [low[0]] + [np.nan] * CALIBRATION_BINS,
            "ece_high": [high[0]] + [np.nan] * CALIBRATION_BINS,
        }
    )
    return table[table["n"] > 0].reset_index(drop=True)


def _over(total: np.ndarray, size: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return total / size


def _reliability(sums: np.ndarray) -> np.ndarray:
    """Expected calibration error, accuracy, and accuracy of each bin; shape (..., 2 + bins)."""
    size, sure, right = np.moveaxis(sums, -1, 0)
    error = _over(np.abs(sure - right).sum(-1), size.sum(-1))
    overall = _over(right.sum(-1), size.sum(-1))
    return np.concatenate([error[..., None], overall[..., None], _over(right, size)], axis=-1)


def bias(
    label: np.ndarray,
    prediction: np.ndarray,
    speakers: np.ndarray | None,
    *,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """How far the predictions of a regression lie above the true values, by the true value.

    Args:
        label: true values, shape (utterances,)
        prediction: predicted values
        speakers: speaker of each row, None where every row stands alone
        resamples: bootstrap resamples
        seed: of the bootstrap

    Returns:
        a row `all` and one for each group of true values: `bin`, `from`, `to`, `n`, `bias` (mean
        of predicted minus true) with its 95 % interval `low`, `high`, and `mae`
    """
    edges = quantile_edges(label, GROUPS)
    groups = assign_bins(label, edges)
    error = prediction - label
    parts = np.zeros((len(label), len(edges) + 1, 2))
    parts[np.arange(len(label)), groups + 1] = np.stack([np.ones(len(label)), error], axis=-1)
    parts[:, 0] = np.stack([np.ones(len(label)), error], axis=-1)
    mean: Callable[[np.ndarray], np.ndarray] = lambda sums: _over(sums[..., 1], sums[..., 0])  # noqa: E731
    spoken = speaker_sums(parts, speakers)
    low, high = bootstrap_interval(
        spoken, mean, resamples=resamples, seed=seed, speakers=(spoken[..., 0] > 0).sum(0)
    )
    inside = [np.ones(len(label), bool), *(groups == group for group in range(len(edges)))]
    return pd.DataFrame(
        {
            "bin": ["all", *map(str, range(1, len(edges) + 1))],
            "from": [label[mask].min() for mask in inside],
            "to": [label[mask].max() for mask in inside],
            "n": [mask.sum() for mask in inside],
            "bias": mean(parts.sum(0)),
            "low": low,
            "high": high,
            "mae": [np.abs(error[mask]).mean() for mask in inside],
        }
    )


def calibration(study: Study) -> pd.DataFrame:
    """The table of `calibrate` or `bias` of each model, with `model` in front.

    Models of a classification without probabilities are left out.
    """
    parts = []
    for model in study.models:
        speakers = study.speakers_of(model.scores)
        if study.classification:
            sure = confidence(model.scores)
            if sure is None:
                continue
            right = model.scores["loss"].to_numpy() == 0
            table = calibrate(sure, right, speakers, resamples=study.resamples, seed=study.seed)
        else:
            label, prediction = model.scores[["label", "prediction"]].to_numpy(float).T
            table = bias(label, prediction, speakers, resamples=study.resamples, seed=study.seed)
        parts.append(table.assign(model=model.name))
    if not parts:
        return pd.DataFrame(columns=["model", "bin"])
    table = pd.concat(parts, ignore_index=True)
    return table[["model", *table.columns.drop("model")]]


def summary(study: Study, table: pd.DataFrame) -> Table:
    """One row a model: how sure it is and how right, or how far its predictions are shifted."""
    rows = table[table["bin"] == "all"]
    if study.classification:
        columns = [
            Column("Model", number=False),
            Column("Mean confidence", "%", meaning="probability of the class that is chosen"),
            Column("Accuracy", "%"),
            Column(
                "Overconfidence", "points", meaning="confidence minus accuracy; too modest below 0"
            ),
            Column("Expected calibration error", "points", meaning="with 95 % interval"),
        ]
        shown = [
            [
                model_cell(study, row["model"]),
                number(SHARE.number(row["confidence"]), row["confidence"]),
                number(SHARE.number(row["accuracy"]), row["accuracy"]),
                number(
                    SHARE.signed(row["confidence"] - row["accuracy"]),
                    row["confidence"] - row["accuracy"],
                ),
                number(
                    SHARE.number(row["ece"]),
                    row["ece"],
                    note=SHARE.interval(row["ece_low"], row["ece_high"]),
                ),
            ]
            for _, row in rows.iterrows()
        ]
        return Table("Calibration", columns, shown)
    measure = study.measure
    columns = [
        Column("Model", number=False),
        Column("Bias", study.unit, meaning="mean of predicted minus true, with 95 % interval"),
        Column("Mean absolute error", study.unit),
    ]
    shown = [
        [
            model_cell(study, row["model"]),
            number(
                measure.signed(row["bias"]),
                row["bias"],
                note=measure.interval(row["low"], row["high"]),
            ),
            number(measure.number(row["mae"]), row["mae"]),
        ]
        for _, row in rows.iterrows()
    ]
    return Table("Bias", columns, shown)


def details(study: Study, table: pd.DataFrame) -> Table:
    """The bins of all models."""
    rows = table[table["bin"] != "all"]
    if study.classification:
        measure, values = SHARE, [("confidence", "Mean confidence"), ("accuracy", "Accuracy")]
        first, unit = "Confidence", "%"
    else:
        measure, values = study.measure, [("mae", "Mean absolute error"), ("bias", "Bias")]
        first, unit = f"True {study.target}", study.unit
    columns = [
        Column("Model", number=False),
        Column(f"{first} from", unit),
        Column("to", unit),
        Column("Utterances"),
        *(Column(title, unit) for _, title in values),
    ]
    factor = measure.factor
    shown = []
    for _, row in rows.iterrows():
        (first_name, _), (last_name, _) = values
        shown.append(
            [
                model_cell(study, row["model"]),
                number(f"{factor * row['from']:g}", row["from"]),
                number(f"{factor * row['to']:g}", row["to"]),
                count(row["n"]),
                number(measure.number(row[first_name]), row[first_name]),
                number(
                    measure.number(row[last_name]),
                    row[last_name],
                    note=measure.interval(row["low"], row["high"]),
                ),
            ]
        )
    return Table("Calibration by confidence" if study.classification else
                 "Error by true value", columns, shown)  # fmt: skip


def reliability_chart(study: Study, table: pd.DataFrame, model: Model) -> Drawing:
    """Accuracy against mean confidence of each bin of a model."""
    rows = table[(table["model"] == model.name) & (table["bin"] != "all")]
    colour, shape = style(study.models.index(model))
    names = ["confidence", "accuracy", "low", "high"]
    rows = rows[[*names, "n"]].assign(**{name: 100 * rows[name] for name in names})
    scale = alt.Scale(domain=[0, 100])
    axis = alt.Axis(values=list(range(0, 101, 20)))
    x = alt.X("confidence:Q", title="Mean confidence (%)", scale=scale, axis=axis)
    y = alt.Y("accuracy:Q", title="Accuracy (%)", scale=scale, axis=axis)
    tips = [
        *(alt.Tooltip(f"{name}:Q", title=name, format=".1f") for name in names[:2]),
        alt.Tooltip("low:Q", title="from", format=".1f"),
        alt.Tooltip("high:Q", title="to", format=".1f"),
        alt.Tooltip("n:Q", title="utterances", format=","),
    ]
    ends = alt.Chart(pd.DataFrame({"confidence": [0, 100], "accuracy": [0, 100]}))
    base = alt.Chart(rows)
    size = alt.Size("n:Q", scale=alt.Scale(domain=[0, int(rows["n"].max())], range=[30, 320]),
                    legend=None)  # fmt: skip
    chart = alt.layer(
        ends.mark_line(color=SOFT, strokeDash=[4, 3]).encode(x=x, y=y),
        base.mark_line(color=colour, opacity=0.5).encode(x=x, y=y),
        base.transform_filter("isValid(datum.low)")
        .mark_rule(color=colour, strokeWidth=2, opacity=0.6)
        .encode(x=x, y="low:Q", y2="high:Q"),
        base.mark_point(color=colour, shape=shape, filled=True, opacity=1).encode(
            x=x, y=y, size=size, tooltip=tips
        ),
    ).properties(width=SIDE, height=SIDE)
    return draw(chart, f"Accuracy against confidence of {model.name}")


def scatter_chart(study: Study, model: Model) -> Drawing:
    """Predicted against true values of a regression, with the line where they are equal."""
    domain = _domain(study)
    x = alt.X("label:Q", title=_titled(study, "True"), scale=domain, axis=alt.Axis(tickCount=6))
    y = alt.Y(
        "prediction:Q", title=_titled(study, "Predicted"), scale=domain, axis=alt.Axis(tickCount=6)
    )
    low, high = domain.domain
    ends = alt.Chart(pd.DataFrame({"label": [low, high], "prediction": [low, high]}))
    line = ends.mark_line(color=SOFT, strokeDash=[4, 3]).encode(x=x, y=y)
    chart = alt.layer(line, _points(study, model, x, y)).properties(width=SIDE, height=SIDE)
    return draw(chart, f"Predicted against true {study.target} of {model.name}")


def error_chart(study: Study, table: pd.DataFrame, model: Model) -> Drawing:
    """Error against the true value, with the bias of each group of true values."""
    rows = table[(table["model"] == model.name) & (table["bin"] != "all")]
    rows = rows.assign(label=(rows["from"] + rows["to"]) / 2)
    rows = rows[["label", "bias", "low", "high", "from", "to", "n"]]
    x = alt.X(
        "label:Q",
        title=_titled(study, "True"),
        scale=alt.Scale(zero=False, nice=True),
        axis=alt.Axis(tickCount=6),
    )
    y = alt.Y("error:Q", title=f"Error{_in(study)}", scale=_errors(study),
              axis=alt.Axis(tickCount=6))  # fmt: skip
    tips = [
        alt.Tooltip("from:Q", title=f"true {study.target} from"),
        alt.Tooltip("to:Q", title="to"),
        alt.Tooltip("bias:Q", title="bias", format="+.2f"),
        alt.Tooltip("n:Q", title="utterances", format=","),
    ]
    zero = alt.Chart(pd.DataFrame({"error": [0.0]}))
    base = alt.Chart(rows)
    ink = "var(--ink)"
    chart = alt.layer(
        zero.mark_rule(color=SOFT, strokeDash=[4, 3]).encode(y=y),
        _points(study, model, x, y),
        base.mark_line(color=ink, strokeWidth=1.5).encode(x=x, y="bias:Q"),
        base.transform_filter("isValid(datum.low)")
        .mark_rule(color=ink, strokeWidth=1.5)
        .encode(x=x, y="low:Q", y2="high:Q"),
        base.mark_point(shape="diamond", color=ink, filled=True, size=70, opacity=1).encode(
            x=x, y="bias:Q", tooltip=tips
        ),
    ).properties(width=SIDE, height=SIDE)
    return draw(chart, f"Error against true {study.target} of {model.name}")


def sampled(study: Study) -> int | None:
    """How many utterances the scatters show, None where they show all."""
    most = max(len(model.scores) for model in study.models)
    return MAX_POINTS if most > MAX_POINTS else None


def _points(study: Study, model: Model, x: alt.X, y: alt.Y) -> alt.Chart:
    table = thinned(model.scores[["file", "label", "prediction"]], study.seed)
    table = table.assign(error=table["prediction"] - table["label"]).round(4)
    colour, shape = style(study.models.index(model))
    tips = [
        alt.Tooltip("file:N"),
        alt.Tooltip("label:Q", title="true", format=",.4~g"),
        alt.Tooltip("prediction:Q", title="predicted", format=",.2f"),
        alt.Tooltip("error:Q", title="error", format="+,.2f"),
    ]
    dots = alt.Chart(table).mark_point(
        shape=shape, color=colour, filled=True, size=28, opacity=0.45
    )
    return dots.encode(x=x, y=y, tooltip=tips)


def _domain(study: Study) -> alt.Scale:
    """One scale for all models, so that the drawings can be held beside each other."""
    values = pd.concat([model.scores[["label", "prediction"]] for model in study.models])
    low, high = float(values.min().min()), float(values.max().max())
    return alt.Scale(domain=[low, high], nice=True, zero=False)


def _errors(study: Study) -> alt.Scale:
    errors = pd.concat([m.scores["prediction"] - m.scores["label"] for m in study.models])
    return alt.Scale(domain=[float(errors.min()), float(errors.max())], nice=True, zero=False)


def _titled(study: Study, word: str) -> str:
    return f"{word} {study.target}{_in(study)}"


def _in(study: Study) -> str:
    return f" ({study.unit})" if study.unit else ""
