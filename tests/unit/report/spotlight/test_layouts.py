"""The layouts of the interactive view: the widgets and the columns they show."""

import numpy as np
import pytest
from view_study import COUNT, NO_MODES, class_scores, make_metadata, make_slice, make_table, widgets
from voxslice.report.spotlight.layouts import make_layout, make_slice_layout
from voxslice.report.spotlight.tables import make_slice_table
from voxslice.scores.scores import score_values
from voxslice.task import Task
from voxslice.utterance_keys import KEY

COLUMN_KEYS = {
    "columns", "visibleColumns", "xColumn", "yColumn", "xAxisColumn", "yAxisColumn", "placeBy",
    "colorBy", "columnKey", "stackByColumnKey",
}  # fmt: skip


@pytest.mark.slow
def test_layout_of_slices_shows_columns_that_are_there():
    metadata = make_metadata()
    scores = {name: class_scores(metadata, ["female", "male"]) for name in ("a", "b", "c")}
    found, members = make_slice([0, 1])
    table = make_slice_table(
        dict.fromkeys(scores, found),
        dict.fromkeys(scores, members),
        scores,
        NO_MODES[2],
        task=Task("classification"),
    )
    layout = make_slice_layout(list(scores))
    shown = widgets(layout)
    assert [kind for kind, _ in shown].count("scatterplot") == 3  # one, and two later models
    for _, config in shown:
        for key in COLUMN_KEYS & config.keys():
            names = [config[key]] if isinstance(config[key], str) else config[key] or []
            assert set(names) <= set(table.columns), key


@pytest.mark.parametrize("models", [["a"], ["a", "b"], list("abcde")])
@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_layout_shows_columns_that_are_there(models, kind):
    metadata = make_metadata(age=np.arange(6.0))
    if kind == "classification":
        scores = {name: class_scores(metadata, ["female", "male"]) for name in models}
    else:
        predictions = metadata[KEY].assign(age=np.arange(6.0) + 1)
        one = score_values(predictions, metadata["age"], column="age", scale=1)
        scores = dict.fromkeys(models, one)
    matrix = np.random.default_rng(0).normal(size=(COUNT, 8)).astype(np.float32)
    table = make_table(metadata, scores, task=Task(kind), embedding=(metadata[KEY], matrix))
    made = [make_layout(table, models, Task(kind)) for _ in range(2)]
    assert made[0].model_dump_json() == made[1].model_dump_json()
    shown = widgets(made[0])
    for _, config in shown:
        for key in COLUMN_KEYS & config.keys():
            names = [config[key]] if isinstance(config[key], str) else config[key] or []
            assert set(names) <= set(table.columns), key
    kinds = [kind for kind, _ in shown]
    count = len(models)
    if kind == "classification":
        assert kinds.count("Metric") == count
        assert kinds.count("ConfusionMatrix") == 2 * count - 1
        assert kinds.count("scatterplot") == 1  # the map
    else:
        assert kinds.count("scatterplot") == count + 1
    assert kinds.count("histogram") == count
    for kind in ("table", "IssuesWidget", "inspector"):
        assert kinds.count(kind) == 1
    views = dict(shown)["inspector"]["views"]
    assert [(view["view"], view["columns"]) for view in views] == [
        ("AudioView", ["audio"]),
        *(("TextLens", [name]) for name in ["summary", *(f"{model}_summary" for model in models)]),
    ]
