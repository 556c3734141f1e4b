"""Checks of a study after a random change: an error is one sentence, and no utterance is lost."""

import json
import re
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
from study_steps import Wildcards, shard_files
from voxslice.config import lookups
from voxslice.files import read_csv

KEY = ["file", "start", "end"]
LONGEST_SENTENCE = 600
LEFT_OUT = re.compile(r"^([\d,]+) of the [\d,]+ utterances (?:has|have) .* left out", re.MULTILINE)
"""A sentence on utterances without a label that the task names."""


def require_sentence(sentence, names):
    """Check that a refusal is one sentence which names a file, a key or a column.

    Args:
        sentence: text of the error
        names: names that the study has or had
    """
    assert sentence == sentence.strip() and "\n" not in sentence, "it has several lines"
    assert len(sentence) <= LONGEST_SENTENCE, f"it has {len(sentence)} characters"
    assert "Traceback" not in sentence and 'File "' not in sentence, "it contains a traceback"
    assert sentence.endswith((".", "?")), "it is not a sentence"
    assert any(name in sentence for name in names), "it names no file, key or column"


def read_shards(dataset, model):
    """The predictions and the failures of a model on a dataset."""
    job = Wildcards(dataset=dataset, model=model)
    predictions = [pd.read_parquet(path) for path in shard_files("predictions", job)]
    failures = read_csv(f"results/failures/{dataset}/{model}.csv")
    return pd.concat(predictions, ignore_index=True), failures


def keys(table):
    """The utterances of a table, with times in microseconds."""
    # the end of a file that cannot be read is missing
    times = [(table[name].astype(float) * 1e6).round().fillna(-1) for name in KEY[1:]]
    found = list(zip(table["file"], *times, strict=True))
    assert len(set(found)) == len(found), "an utterance is listed twice"
    return set(found)


def require_results(study, jobs, before, mutation):
    """Check all tables of a finished study.

    Args:
        study: the completed config
        jobs: what its jobs printed
        before: predictions of the study before the mutation, by dataset and model, with their card
        mutation: what was changed
    """
    for dataset in study.datasets:
        listed = pd.read_parquet(f"resources/{dataset}/utterances.parquet")
        metadata = pd.read_parquet(f"resources/{dataset}/metadata.parquet")
        assert keys(listed) == keys(metadata)
        if mutation.table is not None:
            require_table(listed, metadata, mutation.table, jobs.printed["read_metadata", dataset])
        for model in study.run_models:
            predictions, failures = read_shards(dataset, model)
            assert keys(predictions).isdisjoint(keys(failures))
            assert keys(predictions) | keys(failures) == keys(listed), "utterances are lost"
            for reason in failures["reason"]:
                assert "\n" not in reason and 0 < len(reason) <= LONGEST_SENTENCE, reason
                assert "Traceback" not in reason, reason
            if model not in mutation.models:
                require_same(predictions, model, before.get((dataset, model)), mutation, study)
    for dataset, task in lookups.studies(study.config):
        require_task(study, jobs, dataset, task)


def require_table(listed, metadata, table, printed):
    """Check that each row of a table is an utterance, with the values of the table."""
    assert len(listed) == len(table), f"{len(listed)} utterances of {len(table)} rows"
    if len({row["file"] for row in table}) < len(table):
        return  # segments
    cells = {str(Path(row["file"])): row for row in table}
    for name in set(metadata.columns) & set(table[0]) - set(KEY):
        for file, value in zip(metadata["file"], metadata[name], strict=True):
            cell = cells[file][name]
            if pd.isna(value):
                assert cell == "" or f"column {name} " in printed, f"{name} of {file} is lost"
            elif unicodedata.normalize("NFC", cell) != str(value):
                number = float(cell.replace(",", "."))
                assert number == float(value), f"{name} of {file}: {cell!r} became {value!r}"
                assert "," not in cell or "decimal commas" in printed


def require_same(predictions, model, earlier, mutation, study):
    """Check that the utterances which were not changed have the predictions that they had."""
    if earlier is None:
        return
    card, rate, old = earlier
    fetched = json.loads(Path(f"resources/models/{model}/model.json").read_text(encoding="utf-8"))
    if fetched != card or study.config["models"][model]["sampling_rate"] != rate:
        return
    columns = [name for name in predictions if name in old and name not in KEY]
    both = predictions.merge(old, on=KEY, suffixes=("", "_before"))
    both = both[~both["file"].isin(mutation.files)]
    for name in columns:
        a, b = both[name], both[f"{name}_before"]
        assert np.array_equal(np.stack(a), np.stack(b)) if len(both) else True, f"{name} changed"


def require_task(study, jobs, dataset, task):
    """Check the scores, metrics, slices and comparisons of a task."""
    settings = study.config["tasks"][task]
    classification = settings["type"] == "classification"
    metadata = pd.read_parquet(f"resources/{dataset}/metadata.parquet")
    models = lookups.models_of(study.config, dataset, task)
    metrics = read_csv(f"results/metrics/{dataset}/{task}.csv")
    compared = read_csv(f"results/comparison/{dataset}/{task}.csv")
    labels = metadata[settings["target"]]
    if classification:
        labels = labels.astype("string")
        known = labels.isin(settings["labels"])
    else:
        labels = labels.astype(float)
        known = labels.notna()
    labelled, losses = pd.DataFrame(metadata[KEY]).assign(label=labels)[known.to_numpy(bool)], {}
    for model in models:
        scores = pd.read_parquet(f"results/scores/{dataset}/{task}/{model}.parquet")
        predictions, failures = read_shards(dataset, model)
        assert keys(scores) == keys(predictions) & keys(labelled), "scores are lost"
        unlabelled = len(metadata) - len(labelled)
        lost = len(metadata) - unlabelled - len(keys(failures) & keys(labelled))
        assert len(scores) == lost
        printed = jobs.printed["score", dataset, task, model]
        assert f"{len(scores)} of {len(metadata)} utterances are scored." in printed
        reported = sum(int(count.replace(",", "")) for count in LEFT_OUT.findall(printed))
        assert not classification or reported == unlabelled, f"{reported} of {unlabelled}"
        require_scores(scores, predictions, labelled, settings, model)
        require_metrics(metrics[metrics["model"] == model].set_index("metric"), scores, settings)
        require_slices(dataset, task, model, scores, settings)
        losses[model] = scores.set_index(KEY)[["label", "loss"]]
    for row in compared[compared["kind"] == "all"].itertuples():
        if row.model_a in losses and row.model_b in losses:
            pair = pd.concat([losses[row.model_a], losses[row.model_b]], axis=1, join="inner")
            assert row.support == len(pair)
            label = pair["label"].iloc[:, 0]
            for value, (_, loss) in zip(
                (row.value_a, row.value_b), pair["loss"].items(), strict=True
            ):
                recalls = 1 - loss.groupby(label.astype(str)).mean()
                expected = {"accuracy": 1 - loss.mean(), "uar": recalls.mean(), "mae": loss.mean()}
                assert row.metric == settings["metric"]
                assert np.isclose(value, expected[row.metric], rtol=1e-6)


def require_scores(scores, predictions, labelled, settings, model):
    """Compute the predictions and losses again from the outputs of the model."""
    both = scores.merge(predictions, on=KEY, suffixes=("", "_of_output"))
    both = both.merge(labelled, on=KEY, suffixes=("", "_of_table"))
    assert len(both) == len(scores)
    card = json.loads(Path(f"resources/models/{model}/model.json").read_text(encoding="utf-8"))
    names = card["outputs"][settings["output"]]
    columns = [f"{name}_of_output" if f"{name}_of_output" in both else name for name in names]
    if settings["type"] == "regression":
        chosen = columns[names.index(settings.get("label", names[0]))]
        expected = both[chosen].astype(float) * settings["scale"]
        assert np.allclose(scores["prediction"], expected, rtol=1e-5)
        assert np.allclose(scores["label"], both["label_of_table"])
        assert np.allclose(scores["loss"], (scores["prediction"] - scores["label"]).abs())
        return
    assert (scores["label"].astype(str) == both["label_of_table"].astype(str)).all()
    right = scores["label"].astype(str) == scores["prediction"].astype(str)
    assert (scores["loss"] == 1.0 - right).all()
    if not settings["classes"] and not settings["exclude"]:
        best = both[columns].to_numpy(float).argmax(axis=1)
        assert (scores["prediction"].astype(str) == np.array(names)[best]).all()


def require_metrics(metrics, scores, settings):
    """Compute the metrics again from the scores."""
    assert (metrics["n"] == len(scores)).all()
    label, prediction = scores["label"], scores["prediction"]
    if settings["type"] == "classification":
        value, name = (label.astype(str) == prediction.astype(str)).mean(), "accuracy"
    else:
        value, name = (label - prediction).abs().mean(), "mae"
    assert np.isclose(metrics.loc[name, "value"], value, rtol=1e-6), name
    assert not np.isinf(metrics["value"]).any()


def require_slices(dataset, task, model, scores, settings):
    """Compute the value of each slice again from the scores of its members."""
    base = f"results/slices/{dataset}/{task}/{model}"
    slices = read_csv(f"{base}.csv")
    members = pd.read_parquet(f"{base}.members.parquet").merge(scores, on=KEY, how="left")
    assert set(members["slice"]) == set(slices["slice"])
    for row in slices.itertuples():
        loss = members.loc[members["slice"] == row.slice, "loss"]
        assert loss.notna().all() and len(loss) == row.support
        value = 1 - loss.mean() if settings["type"] == "classification" else loss.mean()
        assert np.isclose(row.value, value, rtol=1e-6)
