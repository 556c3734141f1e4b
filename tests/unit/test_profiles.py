"""The profile for Slurm: where each step runs."""

import yaml
from rule_files import rule_texts
from snakemake_cli import ROOT

ALONE = {  # long steps, or steps that must not be in a group (see the profile)
    "list_utterances", "separate_channels", "detect_speech",
    "segment_recordings", "measure_speech", "examine_audio", "audit", "read_metadata",
    "derive_model", "predict", "measure_costs", "collect_utterances", "show_collected",
    "make_demo_corpus", "train_demo_models", "predict_in_condition", "write_condition_audio",
}  # fmt: skip


def test_a_step_of_seconds_is_no_slurm_job_of_its_own():
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text("utf-8"))
    steps = rule_texts()
    here = {name for name, text in steps.items() if "localrule: True" in text}
    grouped = set(profile["groups"])
    assert {"predict", "split_dataset", "score"} <= set(steps)
    assert not here & grouped
    assert set(steps) - here - grouped == ALONE
