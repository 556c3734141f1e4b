"""Calibration of probabilities, and the error of a regression by the true value."""

from collections.abc import Callable

import altair as alt
import numpy as np
import pandas as pd

from voxslice.bins import assign_bins, quantile_edges
from voxslice.decisions.confidence import confidence
from voxslice.report.drawing import MAX_POINTS, SOFT, Drawing, draw, sample_rows, style
from voxslice.report.numbers import Measure
from voxslice.report.study import Model, Study
from voxslice.report.tables import Column, Table, count, model_cell, number
from voxslice.scores.bootstrap import bootstrap_interval, speaker_sums

CALIBRATION_BINS = 10
"""Number of bins of equal width of the probability from 0 to 1."""
GROUPS = 6
"""Number of groups of true values, of about the same size."""
SIDE = 236
"""Width and height of a chart in pixels."""
SHARE = Measure("share", "share", 100, 1, "%", True)


def calibrate(
    probability: np.ndarray,
    correct: np.ndarray,
    speakers: np.ndarray | None,
    *,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Compare mean confidence with accuracy in bins of confidence.

    The expected calibration error is the mean distance between accuracy and mean confidence over
    the bins, weighted by their numbers of utterances (Guo et al., "On calibration of modern neural
    networks", ICML 2017).

    Args:
        probability: probability of the predicted class, shape (utterances,)
        correct: whether the predicted class is correct, shape (utterances,)
        speakers: speaker of each utterance, None to treat utterances as independent
        resamples: number of bootstrap resamples
        seed: seed of the bootstrap

    Returns:
        a row `all`, and one row per bin that contains utterances: `bin`, `from`, `to`, `n` (number
        of utterances), `confidence` (mean), `accuracy` with its 95 % interval `low` and `high`; in
        the row `all` also `ece` with its 95 % interval `ece_low` and `ece_high`
    """
    count = len(probability)
    bins = np.minimum((probability * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    parts = np.zeros((count, CALIBRATION_BINS, 3))
    parts[np.arange(count), bins] = np.stack([np.ones(count), probability, correct], axis=-1)
    sums, by_speaker = parts.sum(0), speaker_sums(parts, speakers)
    low, high = bootstrap_interval(
        by_speaker,
        _reliability,
        resamples=resamples,
        seed=seed,
        speakers=np.array([len(by_speaker)] * 2 + list((by_speaker[..., 0] > 0).sum(0))),
    )
    values = _reliability(sums)
    edges = np.arange(CALIBRATION_BINS + 1) / CALIBRATION_BINS
    table = pd.DataFrame(
        {
            "bin": ["all", *map(str, range(1, CALIBRATION_BINS + 1))],
            "from": [0.0, *edges[:-1]],
            "to": [1.0, *edges[1:]],
            "n": [count, *sums[:, 0].astype(int)],
            "confidence": [probability.mean(), *_over(sums[:, 1], sums[:, 0])],
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
    """Divide sums by counts; NaN if a count is zero."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return total / size


def _reliability(sums: np.ndarray) -> np.ndarray:
    """Expected calibration error, accuracy, and accuracy of each bin; shape (..., 2 + bins)."""
    size, probability, correct = np.moveaxis(sums, -1, 0)
    error = _over(np.abs(probability - correct).sum(-1), size.sum(-1))
    overall = _over(correct.sum(-1), size.sum(-1))
    return np.concatenate([error[..., None], overall[..., None], _over(correct, size)], axis=-1)


def bias(
    label: np.ndarray,
    prediction: np.ndarray,
    speakers: np.ndarray | None,
    *,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Compute the bias of a regression in groups of true values.

    Args:
        label: true values, shape (utterances,)
        prediction: predicted values, shape (utterances,)
        speakers: speaker of each utterance, None to treat utterances as independent
        resamples: number of bootstrap resamples
        seed: seed of the bootstrap

    Returns:
        a row `all`, and one row per group of true values: `bin`, `from`, `to`, `n` (number of
        utterances), `bias` (mean of predicted minus true values) with its 95 % interval `low` and
        `high`, and `mae` (mean absolute error)
    """
    edges = quantile_edges(label, GROUPS)
    groups = assign_bins(label, edges)
    error = prediction - label
    parts = np.zeros((len(label), len(edges) + 1, 2))
    parts[np.arange(len(label)), groups + 1] = np.stack([np.ones(len(label)), error], axis=-1)
    parts[:, 0] = np.stack([np.ones(len(label)), error], axis=-1)
    mean: Callable[[np.ndarray], np.ndarray] = lambda sums: _over(sums[..., 1], sums[..., 0])  # noqa: E731
    by_speaker = speaker_sums(parts, speakers)
    low, high = bootstrap_interval(
        by_speaker, mean, resamples=resamples, seed=seed, speakers=(by_speaker[..., 0] > 0).sum(0)
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
    """Compute the calibration or the bias of all models.

    Args:
        study: the study

    Returns:
        the tables of `calibrate` for a classification or of `bias` for a regression, with the
        column `model`; models without probabilities have no rows in a classification
    """
    parts = []
    for model in study.models:
        speakers = study.speakers_of(model.scores)
        if study.classification:
            probability = confidence(model.scores)
            if probability is None:
                continue
            correct = model.scores["loss"].to_numpy() == 0
            table = calibrate(
                probability, correct, speakers, resamples=study.resamples, seed=study.seed
            )
        else:
            label, prediction = model.scores[["label", "prediction"]].to_numpy(float).T
            table = bias(label, prediction, speakers, resamples=study.resamples, seed=study.seed)
        parts.append(table.assign(model=model.name))
    if not parts:
        return pd.DataFrame(columns=["model", "bin"])
    table = pd.concat(parts, ignore_index=True)
    return table[["model", *table.columns.drop("model")]]


def summary(study: Study, table: pd.DataFrame) -> Table:
    """Make the table that summarises calibration or bias.

    Args:
        study: the study
        table: calibration or bias, as `calibration` returns it

    Returns:
        one row per model
    """
    rows = table[table["bin"] == "all"]
    if study.classification:
        columns = [
            Column("Model", number=False),
            Column("Mean confidence", "%", meaning="mean probability of the predicted class"),
            Column("Accuracy", "%"),
            Column(
                "Overconfidence",
                "points",
                meaning="mean confidence minus accuracy; negative if underconfident",
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
        Column("Bias", study.unit, meaning="predicted minus true value, mean with 95 % interval"),
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
    """Make the table of the bins of confidence or of true values.

    Args:
        study: the study
        table: calibration or bias, as `calibration` returns it

    Returns:
        one row per model and bin
    """
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
    """Draw the accuracy against the mean confidence of each bin.

    Args:
        study: the study
        table: calibration, as `calibration` returns it
        model: the model to draw

    Returns:
        the chart
    """
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
    return draw(chart, f"Accuracy and confidence of {model.name}")


def scatter_chart(study: Study, model: Model) -> Drawing:
    """Draw the predicted against the true values of a regression.

    Args:
        study: the study
        model: the model to draw

    Returns:
        the chart, with a line on which both are equal
    """
    domain = _domain(study)
    x = alt.X("label:Q", title=_titled(study, "True"), scale=domain, axis=alt.Axis(tickCount=6))
    y = alt.Y(
        "prediction:Q", title=_titled(study, "Predicted"), scale=domain, axis=alt.Axis(tickCount=6)
    )
    low, high = domain.domain
    ends = alt.Chart(pd.DataFrame({"label": [low, high], "prediction": [low, high]}))
    line = ends.mark_line(color=SOFT, strokeDash=[4, 3]).encode(x=x, y=y)
    chart = alt.layer(line, _points(study, model, x, y)).properties(width=SIDE, height=SIDE)
    return draw(chart, f"Predicted and true {study.target} of {model.name}")


def error_chart(study: Study, table: pd.DataFrame, model: Model) -> Drawing:
    """Draw the error against the true value, with the bias of each group of true values.

    Args:
        study: the study
        table: bias, as `calibration` returns it
        model: the model to draw

    Returns:
        the chart
    """
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
    return draw(chart, f"Error of {model.name} by true {study.target}")


def sampled(study: Study) -> int | None:
    """The number of utterances in a scatter plot; None if it shows all utterances."""
    most = max(len(model.scores) for model in study.models)
    return MAX_POINTS if most > MAX_POINTS else None


def _points(study: Study, model: Model, x: alt.X, y: alt.Y) -> alt.Chart:
    """Draw one point per utterance, or per utterance of a sample."""
    table = sample_rows(model.scores[["file", "label", "prediction"]], study.seed)
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
    """The scale of values, the same for all models, so that their charts can be compared."""
    values = pd.concat([model.scores[["label", "prediction"]] for model in study.models])
    low, high = float(values.min().min()), float(values.max().max())
    return alt.Scale(domain=[low, high], nice=True, zero=False)


def _errors(study: Study) -> alt.Scale:
    """The scale of errors, the same for all models."""
    errors = pd.concat([m.scores["prediction"] - m.scores["label"] for m in study.models])
    return alt.Scale(domain=[float(errors.min()), float(errors.max())], nice=True, zero=False)


def _titled(study: Study, word: str) -> str:
    return f"{word} {study.target}{_in(study)}"


def _in(study: Study) -> str:
    return f" ({study.unit})" if study.unit else ""
