"""The interactive view in a browser, opened with its command."""

import json
import re
import subprocess
import sys
from urllib.parse import urlsplit

import pandas as pd
import pytest
from view_server import ROOT, serve

pytestmark = pytest.mark.browser
KNOWN = "process is not defined"
"""An error of Spotlight 1.8.2 at each load, without effect."""


@pytest.fixture(scope="module")
def view(finished_study):
    """Folder of a view of a classification that has slices."""
    for path in sorted(finished_study.glob("results/spotlight/*/*/issues.json")):
        confusions = "ConfusionMatrix" in path.with_name("layout.json").read_text()
        if confusions and json.loads(path.read_text()):
            return path.parent
    pytest.fail("the finished study has no view of a classification with slices")


@pytest.fixture(scope="module")
def served(view, tmp_path_factory, wait_for):
    """The running view of the utterances."""
    with serve(view, tmp_path_factory.mktemp("view"), wait_for) as served:
        yield served


@pytest.fixture
def opened(page, served):
    page.goto(served.address)
    page.locator('[data-test-tag="datagrid-all-count"]').first.wait_for(timeout=60_000)
    return page


def selected(page):
    return int(page.locator('[data-test-tag="datagrid-selected-count"]').first.inner_text())


def nothing_went_wrong(page, url):
    """Check that the page has only the known error and sent requests to no other server."""
    assert [problem for problem in page.problems if KNOWN not in problem] == []
    local = (url, url.replace("http:", "ws:"), "data:", "blob:")
    assert [request for request in page.requests if not request.startswith(local)] == []


def test_everything_is_shown(opened, view, served):
    table = pd.read_parquet(view / "table.parquet")
    all_count = opened.locator('[data-test-tag="datagrid-all-count"]').first
    assert int(all_count.inner_text()) == len(table)
    for issue in json.loads((view / "issues.json").read_text()):
        assert opened.get_by_text(issue["title"], exact=True).count() > 0
    for name in ("Utterances", "Failure modes and slices", "Map of the embedding", "Utterance"):
        assert opened.get_by_text(name, exact=True).count() == 1
    # the map is there without being computed
    assert opened.get_by_text("Computing").count() == 0
    model = re.sub("_prediction$", "", next(c for c in table if c.endswith("_prediction")))
    counts = table.groupby(["label", f"{model}_prediction"], observed=True).size()
    cells = opened.locator("svg text").all_text_contents()
    assert {str(count) for count in counts} <= set(cells)
    accuracy = (table[f"{model}_correct"] == "right").mean()
    assert opened.get_by_text(f"{accuracy:.4f}").count() > 0
    nothing_went_wrong(opened, served.url)


def test_the_table_of_slices(page, view, tmp_path, wait_for):
    table = pd.read_parquet(view / "slices.parquet")
    titles = [issue["title"] for issue in json.loads((view / "issues.json").read_text())]
    titles = [title for title in titles if title.startswith("↳ ")]  # without the modes
    assert sorted(f"[{name}]" for name in table["slice"]) == sorted(t.split()[-1] for t in titles)
    with serve(view, tmp_path, wait_for, "--slices") as served:
        page.goto(served.address)
        count = page.locator('[data-test-tag="datagrid-all-count"]').first
        count.wait_for(timeout=60_000)
        assert int(count.inner_text()) == len(table)
        assert page.get_by_text(table["rule"].iloc[0], exact=True).count() > 0
        nothing_went_wrong(page, served.url)
        page.goto("about:blank")


def test_selecting_a_slice_selects_its_rows(opened, view, wait_for):
    issue = json.loads((view / "issues.json").read_text())[0]
    opened.get_by_text(issue["title"], exact=True).first.click()
    wait_for(
        lambda: selected(opened) == len(issue["rows"]), 15, "the slice's rows are not selected"
    )


def test_wrong_is_red_right_is_blue_and_nothing_is_undefined(opened):
    red, blue = "rgb(228, 26, 28)", "rgb(55, 126, 184)"
    opened.wait_for_function(
        """(red) => [...document.querySelectorAll("svg rect, svg path")]
        .some((one) => getComputedStyle(one).fill === red)""",
        arg=red,
        timeout=30_000,
    )
    fills = opened.locator("svg rect, svg path").evaluate_all(
        "all => all.map((one) => getComputedStyle(one).fill)"
    )
    assert {red, blue} <= set(fills)
    assert "undefined" not in opened.evaluate("document.documentElement.innerText")


def test_modes_are_listed_first_and_worst_first(opened, view):
    issues = json.loads((view / "issues.json").read_text())
    assert issues[0]["title"].startswith("1. ")
    assert issues[1]["title"].startswith("↳ ")
    tops = [
        opened.get_by_text(issue["title"], exact=True).first.bounding_box()["y"]
        for issue in issues[:4]
    ]
    assert tops == sorted(tops)


def test_audio_plays(opened, served, wait_for):
    opened.locator('[data-rowindex="0"][data-columnindex="1"]').first.click()
    wait_for(lambda: selected(opened) == 1, 15, "the row is not selected")
    # the player may be replaced while it loads: look for it again at each turn
    opened.wait_for_function(
        """() => {
          const audio = document.querySelector("audio");
          if (!audio) return false;
          audio.muted = audio.loop = true;
          if (audio.paused) audio.play().catch(() => {});
          return audio.currentTime > 0.05;
        }""",
        timeout=30_000,
    )
    nothing_went_wrong(opened, served.url)


def test_a_port_in_use_is_explained_in_one_sentence(served, view):
    port = str(urlsplit(served.url).port)
    command = [sys.executable, ROOT / "scripts/view.py", view, "--port", port, "--no-browser"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"Error: Port {port} cannot be used")
    assert done.stderr.count("\n") == 1
