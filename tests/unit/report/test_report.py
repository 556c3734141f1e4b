"""The page of the report is complete, offline, escaped, reproducible and within its size limit."""

import dataclasses
import hashlib
import re
from base64 import b64encode
from html.parser import HTMLParser

import pandas as pd
import pytest
import yaml
from modes_tables import with_modes
from report_study import (
    HOSTILE,
    LIBRARY,
    class_scores,
    make_slice,
    make_study,
    page_of,
    write_noise,
)
from snakemake_cli import ROOT
from voxslice.config.complete import complete
from voxslice.errors import InputError
from voxslice.files import as_booleans
from voxslice.report.numbers import Measure, decimal, measures, probability
from voxslice.report.page.render import derive, inlined
from voxslice.report.page.templates import breakable
from voxslice.report.study import by_severity
from voxslice.task import Task

SECTIONS = ["answer", "modes", "speakers", "against", "overall", "tradeoff", "slices", "limits"]


@pytest.fixture
def audio(tmp_path):
    """A folder with a second of noise for each utterance."""
    return write_noise(tmp_path)


class Tags(HTMLParser):
    """Count tags, keep text, and check that every opened tag is closed."""

    VOID = frozenset({"meta", "link", "br", "wbr"})

    def __init__(self):
        super().__init__()
        self.counts, self.open, self.text = {}, [], []

    def handle_starttag(self, tag, attrs):
        self.counts[tag] = self.counts.get(tag, 0) + 1
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"script", "style"} & set(self.open):
            self.text.append(data)


def parsed(html):
    tags = Tags()
    tags.feed(html)
    tags.close()
    assert tags.open == []
    return tags


# numbers


def test_numbers_are_written_with_unit_sign_and_few_digits():
    accuracy = measures("")["accuracy"]
    assert accuracy.text(0.97009) == "97.0 %"
    assert accuracy.interval(0.951, 0.984) == "[95.1, 98.4]"
    assert accuracy.interval(float("nan"), 1) == ""
    assert accuracy.signed(0.114) == "+11.4"
    assert accuracy.signed(-0.114) == "−11.4"
    assert measures("years")["mae"].text(3.8602) == "3.86 years"
    assert decimal(-0.001, 1) == "0.0"
    assert decimal(float("nan"), 1) == "–"
    assert [probability(p) for p in (0.0004, 0.05, float("nan"))] == ["< 0.001", "0.050", "–"]


@pytest.mark.parametrize("name, better", [("accuracy", True), ("mae", False)])
def test_direction_of_metrics(name, better):
    measure: Measure = measures("years")[name]
    assert measure.rises is better


def test_text_breaks_after_underscores_and_is_escaped():
    assert breakable("a_b/<c>") == "a_<wbr>b/<wbr>&lt;c&gt;"


def test_confirmed_is_read_from_booleans_and_text():
    assert as_booleans(pd.Series([True, "True", "false", None])).tolist() == [
        True,
        True,
        False,
        False,
    ]


def test_confirmed_slices_are_listed_first():
    table = pd.DataFrame(
        {"slice": ["x", "y", "z"], "drop": [0.5, 0.1, 0.3], "confirmed": [False, True, False]}
    )
    assert by_severity(table)["slice"].tolist() == ["y", "x", "z"]


# the page

CASES = {
    "classification": {},
    "regression": {"classification": False},
    "no speakers": {"speakers": False},
    "regression without speakers": {"classification": False, "speakers": False},
    "one model": {"models": 1},
    "three models": {"models": 3, "margin": 0.02, "mapped": True},
    "no slices": {"slices": False},
    "no emotion": {"emotion": False},
    "regression without slices": {"classification": False, "slices": False, "models": 1},
    "confirmed": {"confirmed": True, "costs": True, "mapped": True},
    "confirmed regression": {"classification": False, "confirmed": True, "costs": True,
                             "mapped": True, "margin": 1.0},
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_page_is_complete_and_needs_no_network(case, audio):
    study = make_study(**case)
    html = page_of(study, audio)
    tags = parsed(html)
    by_speaker = case.get("speakers", True)
    expected = [name for name in SECTIONS if by_speaker or name != "speakers"]
    assert re.findall(r'<section id="(\w+)">', html) == expected
    assert re.findall(r'href="#(\w+)"', html) == expected
    assert "default-src 'none'" in html
    outside = re.findall(r'(?:src|href)="(?!data:|#)([^"]*)"', html)
    assert outside == []
    words = "".join(tags.text).lower().split()
    assert not {"nan", "none.", "<na>"} & set(words)
    # every drawing has a specification beside it
    drawings = tags.counts["svg"] - html.count('class="wave"')
    assert html.count('<script type="application/json">') == drawings
    calibrations = len(study.models) * (1 if study.classification else 2)
    slices_shown = sum(len(model.slices) > 0 for model in study.models)
    pairs = len(study.models) * (len(study.models) - 1) // 2
    tradeoffs = {1: 0}.get(len(study.models), 1 if not case.get("costs") else 6)
    others = (not study.classification) + bool(case.get("mapped"))  # labels, map
    others += case.get("slices", True)  # the chart of failure modes
    assert drawings == 3 + by_speaker + calibrations + tradeoffs + slices_shown + pairs + others


@pytest.mark.slow
def test_the_policy_of_the_page_lists_the_hashes_of_its_scripts(audio):
    html = page_of(make_study(), audio)
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert len(scripts) == 2
    for script in scripts:
        digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in html
    # a string of the library contains the end of a script, which must not end the element
    assert "</script" in LIBRARY
    assert inlined(LIBRARY) in scripts[0]


def test_text_of_data_is_escaped(audio):
    study = make_study(mapped=True)
    # the file with the hostile name becomes an error, so that it gets a clip
    wrong = class_scores(study.metadata, [0, 2])
    found, members = make_slice(
        wrong, [0, 2], "gender = <img src=x>", study.metadata["speaker"].to_numpy(str),
        task=Task("classification"),
    )  # fmt: skip
    failures = pd.DataFrame({"file": [HOSTILE], "start": 0.0, "end": 1.0, "reason": "<i>bad</i>"})
    model = dataclasses.replace(
        study.models[0], scores=wrong, slices=found, members=members, failures=failures
    )
    study = with_modes(dataclasses.replace(study, models=[model, study.models[1]]))
    html = page_of(study, audio)
    tags = parsed(html)
    assert tags.counts["script"] == 2 + html.count('<script type="application/json">')
    assert HOSTILE not in html
    assert not {"img", "i"} & tags.counts.keys()
    text = "".join(tags.text)
    assert HOSTILE in text
    assert "<i>bad</i>" in text
    assert "gender = <img src=x>" in text


@pytest.mark.slow
def test_page_and_tables_have_the_same_bytes_twice(audio):
    case = {"confirmed": True, "costs": True, "mapped": True}
    assert page_of(make_study(**case), audio) == page_of(make_study(**case), audio)
    first, second = (derive(make_study(**case)).tables for _ in range(2))
    for name, table in first.items():
        assert table.to_csv() == second[name].to_csv()
    assert list(first) == ["calibration", "tradeoff", "heatmap", "distributions", "map"]


@pytest.mark.slow
def test_page_is_not_larger_than_its_limit(audio):
    study = make_study()
    whole = page_of(study, audio)
    limit = len(whole.encode()) / 1e6 - 0.004
    smaller = page_of(study, audio, max_megabytes=limit)
    assert len(smaller.encode()) <= limit * 1e6
    assert "no audio, because the page would exceed" in smaller
    assert "no audio, because the page would exceed" not in whole


@pytest.mark.slow
def test_a_page_that_cannot_be_within_its_limit_is_an_error(audio):
    with pytest.raises(InputError, match=r"more than the 0\.01 MB of report\.max_megabytes"):
        page_of(make_study(), audio, max_megabytes=0.01)


def test_the_size_of_the_page_is_limited_by_default():
    root = ROOT
    schema = yaml.safe_load((root / "config" / "schema.yaml").read_text())
    config = yaml.safe_load((root / "config" / "config.yaml").read_text())
    expected = {"max_megabytes": 10, "shortest_seconds": 3}
    assert complete(config, schema)["report"] == expected
    with pytest.raises(InputError, match=r"report: .*max_megabyte"):
        complete({**config, "report": {"max_megabyte": 1}}, schema)


@pytest.mark.slow
def test_all_pairs_except_the_first_are_folded(audio):
    study = make_study(models=3)
    names = [model.name for model in study.models]
    more = [study.comparison.assign(model_a=a, model_b=b) for a, b in [(names[1], names[0])]]
    study = dataclasses.replace(study, comparison=pd.concat([study.comparison, *more]))
    assert page_of(study, audio).count("<summary>a compared with b: ") == 1
