"""Cascades on the trade-off of the report."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from report_study import make_study, page_of, write_noise
from voxslice.decisions.cascade import CASCADE_COLUMNS
from voxslice.report.cascades import cascade_points, cascade_table


def study(**settings):
    rows = [
        {"model": first, "then": second, "share": share, "handed": share + 0.01,
         "metric": "accuracy", "value": 0.85 + share / 10, "low": 0.8, "high": 0.9, "mode": "1",
         "name": "male, anger", "mode_value": 0.5, "mode_low": 0.3, "mode_high": 0.7}
        for first, second in (("a", "b"), ("b", "a"))
        for share in (0.1, 0.5)
    ]  # fmt: skip
    cascades = pd.DataFrame(rows, columns=CASCADE_COLUMNS)
    return dataclasses.replace(make_study(**settings), cascades=cascades)


def test_a_cascade_costs_both_models():
    points = cascade_points(study(costs=True))
    # the model a is twice as fast as b
    assert set(points["model"]) == {"a, then b"}
    latency = points[points["cost"] == "p50_ms"]
    assert latency["x"].tolist() == pytest.approx([10 + 0.11 * 20, 10 + 0.51 * 20])
    factor = points[points["cost"] == "rtf"]
    assert factor["x"].tolist() == pytest.approx([0.01 + 0.11 * 0.02, 0.01 + 0.51 * 0.02])


def test_the_table_has_one_row_per_share():
    one = study(costs=True)
    table = cascade_table(one, cascade_points(one))
    assert [cell.text for cell in table.rows[0]] == [
        "a, then b", "11 %", "12.2", "0.0122", "86.0", "50.0",
    ]  # fmt: skip
    assert table.rows[0][5].note == "male, anger [30.0, 70.0]"
    assert len(table.rows) == 2
    assert cascade_table(one, cascade_points(study())) is None


def test_a_model_hands_nothing_on_to_a_worse_one():
    one = study(costs=True)
    first, second = one.models
    swapped = [
        dataclasses.replace(first, scores=second.scores),
        dataclasses.replace(second, scores=first.scores),
    ]
    assert len(cascade_points(one))
    assert not len(cascade_points(dataclasses.replace(one, models=swapped)))


def test_costs_of_several_machines_are_not_added():
    one = study(costs=True)
    names = np.where(one.costs["model"] == "a", "here", "there")
    one = dataclasses.replace(one, costs=one.costs.assign(machine=names))
    assert not len(cascade_points(one))


@pytest.mark.slow
def test_the_page_shows_cascades(tmp_path):
    page = page_of(study(costs=True), write_noise(tmp_path))
    assert "Cascades: the faster model answers where it is sure, otherwise the better one" in page
    assert "a, then b" in page
