"""The profile for Slurm: where each step runs."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
ALONE = {  # take long, or may be in no group (see the profile)
    "list_utterances", "measure_speech", "read_metadata", "derive_model", "predict",
    "measure_costs", "make_demo_corpus", "train_demo_models",
}  # fmt: skip
HEADER = re.compile(r"^(?:rule|checkpoint) (\w+):\n", re.MULTILINE)


def rules():
    """Each rule of the workflow that makes files, by name: its text."""
    text = "".join(path.read_text("utf-8") for path in sorted((ROOT / "rules").glob("*.smk")))
    _, *parts = HEADER.split(text)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_a_step_of_seconds_is_no_slurm_job_of_its_own():
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text("utf-8"))
    steps = rules()
    here = {name for name, text in steps.items() if "localrule: True" in text}
    grouped = set(profile["groups"])
    assert {"predict", "split_dataset", "score"} <= set(steps)
    assert not here & grouped
    assert set(steps) - here - grouped == ALONE
