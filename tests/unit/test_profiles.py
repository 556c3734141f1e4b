"""The profile for Slurm: where each step runs."""

import re

import yaml
from rule_files import RULE_FILES, rule_texts
from snakemake_cli import ROOT

ALONE = {  # long steps, steps beside the groups, and steps that must not be in one (see profile)
    "list_utterances", "separate_channels", "detect_speech",
    "segment_recordings", "measure_speech", "examine_audio", "audit", "read_metadata",
    "derive_model", "predict", "measure_costs", "collect_utterances", "show_collected",
    "make_demo_corpus", "train_demo_models", "predict_in_condition", "write_condition_audio",
    "score", "score_in_conditions", "suggest_slices", "find_hints", "compare_speakers",
    "compare_recordings", "abstain", "abstain_in_conditions", "check_models", "make_report",
    "make_view",
}  # fmt: skip


def groups():
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text("utf-8"))
    return profile["groups"]


def waiting_functions():
    """Names of the functions in rule files whose result is known only after a checkpoint."""
    text = "".join(path.read_text(encoding="utf-8") for path in RULE_FILES)
    parts = re.split(r"^def (\w+)", text, flags=re.MULTILINE)
    # a function ends at the next line that is not indented
    bodies = {
        name: re.split(r"^\S", rest.partition("\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
        for name, rest in zip(parts[1::2], parts[2::2], strict=True)
    }
    found = set()
    while True:
        names = "|".join([r"checkpoints\.\w+", *(rf"\b{name}\b" for name in sorted(found))])
        more = {name for name, body in bodies.items() if re.search(names, body)}
        if more == found:
            return found
        found = more


def test_each_step_runs_here_in_a_group_or_alone():
    steps = rule_texts()
    here = {name for name, text in steps.items() if "localrule: True" in text}
    grouped = set(groups())
    assert {"predict", "split_dataset", "find_slices"} <= set(steps)
    assert not here & grouped
    assert set(steps) - here - grouped == ALONE


def test_no_step_in_a_group_waits_for_a_checkpoint():
    # Snakemake would never start the group and end without an error
    names = waiting_functions()
    assert {"shards", "predictions", "map_embedding", "parts_in_conditions"} <= names
    assert "scores" not in names and "sources_of_sounds" not in names
    waits = re.compile("|".join(rf"\b{name}\b(?!=)" for name in sorted(names)))
    inputs = {
        name: re.search(r"    input:\n(.*?)\n    output:", text, re.DOTALL)
        for name, text in rule_texts().items()
    }
    waiting = {name for name, text in inputs.items() if text and waits.search(text[1])}
    assert {"score", "suggest_slices", "make_report", "make_view", "read_metadata"} <= waiting
    assert not waiting & set(groups())
