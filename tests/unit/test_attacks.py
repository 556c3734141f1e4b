"""Each attack in docs/attacks.md has a test."""

import re

import pytest
from snakemake_cli import ROOT

PAGE = (ROOT / "docs/attacks.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[^:`]+)::(\w+)`", PAGE)))


def test_each_row_names_a_test():
    rows = [line for line in PAGE.splitlines() if re.match(r"\| (?!attack|---)", line)]
    assert len(rows) > 60 and all("::test_" in row for row in rows)


SECTIONS = re.findall(r"^## (.*)\n\n(\| attack \|[^#]*)", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("title", "rows"), SECTIONS, ids=[title for title, _ in SECTIONS])
def test_each_section_has_two_further_attacks(title, rows):
    assert len(re.findall(r"^\|[^|]* \* \|", rows, re.MULTILINE)) >= 2


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _, name in NAMED])
def test_tests_of_attacks_exist(file, name):
    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")
