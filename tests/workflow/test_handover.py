"""The targets `handovers` and `collections` on the finished embedded study."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from huggingface_hub import ModelCard
from snakemake_cli import jobs_of, planned, snakemake
from voxslice.decisions.markdown import number
from voxslice.files import read_csv
from voxslice.report.collected import LISTENED
from voxslice.report.spotlight.viewer import load
from voxslice.table_specs import TABLES, problems

pytestmark = pytest.mark.workflow

TASKS = ("gender", "age")


def test_each_model_is_handed_over(finished_study, demo_config, tmp_path):
    study = tmp_path / "study"
    shutil.copytree(finished_study, study, symlinks=True)
    shutil.rmtree(study / "results/handover", ignore_errors=True)
    process = snakemake(study, "handovers", configfiles=[demo_config])
    assert jobs_of(process) == ["hand_over model=practice_big", "hand_over model=practice_small"]
    assert planned(study, "handovers", configfiles=[demo_config]) == []
    folder = study / "results/handover/practice_small"
    specs = [spec for spec in TABLES if "/handover/" in spec.path]
    assert len(specs) == 3
    for spec in specs:
        assert problems(read_csv(folder / spec.path.rsplit("/", 1)[1]), spec) == []
    card = ModelCard.load(folder / "README.md", ignore_metadata_errors=False)
    metrics = pd.concat(
        read_csv(study / f"results/metrics/demo/{task}.csv").assign(task=task) for task in TASKS
    )
    own = metrics[metrics["model"] == "practice_small"]
    found = {(one.task_name, one.metric_type): one.metric_value for one in card.data.eval_results}
    assert found == own.set_index(["task", "metric"])["value"].to_dict()
    assert "The speech is synthetic" in card.text

    # each number of the card is a cell of a table
    names = [
        *(f"results/{kind}/demo/{task}.csv" for kind in ("metrics", "modes") for task in TASKS),
        "results/handover/practice_small/groups.csv",
    ]
    tables = [read_csv(study / name).select_dtypes("number") for name in names]
    cells = {number(cell) for table in tables for cell in table.to_numpy(float).ravel()}
    shown = re.findall(r"(?<=\| )-?[\d.]+(?:e-?\d+)?(?= \|)", card.text)
    assert len(shown) > 50
    assert set(shown) <= cells


@pytest.fixture
def pool(finished_study, tmp_path):
    """Config of a dataset without labels: some of the audio of the embedded study."""
    audio = finished_study / "resources/demo/audio"
    files = sorted(path.relative_to(audio) for path in audio.rglob("*.wav"))[::40]
    table = tmp_path / "pool.csv"
    pd.DataFrame({"file": files}).to_csv(table, index=False)
    config = tmp_path / "pool.yaml"
    text = f"datasets: {{pool: {{csv: {{path: {table}, audio: {audio}}}, license: CC0-1.0,"
    text += " columns: {length: {measure: duration}}}}"
    config.write_text(text)
    return files, config


def test_lists_of_utterances_to_collect(finished_study, demo_config, pool, tmp_path):
    files, config = pool
    study = tmp_path / "study"
    shutil.copytree(finished_study, study, symlinks=True)
    target, configfiles = "results/collect/demo/gender", [demo_config, config]
    process = snakemake(study, f"{target}.html", configfiles=configfiles)
    jobs = [job.split()[0] for job in jobs_of(process)]
    assert {"predict", "collect_utterances", "show_collected"} <= set(jobs)
    assert planned(study, f"{target}.html", configfiles=configfiles) == []
    specs = {spec.path.rsplit("/", 1)[1]: spec for spec in TABLES if "/collect/" in spec.path}
    summary = read_csv(study / target / "summary.csv")
    assert problems(summary, specs["summary.csv"]) == []
    assert len(summary)
    assert (summary["precision"].dropna() > 0).any()
    page = (study / f"{target}.html").read_text()
    for row in summary.to_dict("records"):
        listed = read_csv(study / target / f"{row['mode']}.csv")
        assert problems(listed, specs["{mode}.csv"]) == []
        assert sorted(listed["file"]) == sorted(map(str, files))
        assert row["name"] in page
    assert page.count("data:audio/mpeg;base64,") == LISTENED * len(summary)
    view = load(study / "results/spotlight/demo/gender.collected")
    assert len(view.table) == len(files) * len(summary)
    assert view.table["audio"].map(lambda path: Path(path).is_file()).all()
