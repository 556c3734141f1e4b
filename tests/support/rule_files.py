"""The rule files of the workflow, as text."""

import re

from snakemake_cli import ROOT

RULE_FILES = sorted((ROOT / "rules").glob("*.smk"))
HEADER = re.compile(r"^(?:rule|checkpoint) (\w+):\n", re.MULTILINE)


def rule_texts():
    """The text of each rule with a script, by name. Targets have no script."""
    text = "".join(path.read_text(encoding="utf-8") for path in RULE_FILES)
    _, *parts = HEADER.split(text)
    found = dict(zip(parts[::2], parts[1::2], strict=True))
    return {name: text for name, text in found.items() if "script:" in text}
