"""The interactive view, opened by its one command, as a reader sees it."""

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import psutil
import pytest

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
KNOWN = "process is not defined"
"""An error of Spotlight 1.8.2 at each load, without effect."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_up(url):
    try:
        with urllib.request.urlopen(f"{url}/api/table/", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="module")
def view(finished_study):
    """Folder of a view of a classification that has slices."""
    for path in sorted(finished_study.glob("results/spotlight/*/*/issues.json")):
        confusions = "ConfusionMatrix" in path.with_name("layout.json").read_text()
        if confusions and json.loads(path.read_text()):
            return path.parent
    pytest.fail("the finished study has no view of a classification with slices")


@contextmanager
def serve(view, folder, wait_for, *arguments):
    """Run the command that opens a view; it ends with SIGTERM, which must leave nothing behind."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = folder / "log"
    command = [sys.executable, ROOT / "scripts/view.py", view, "--port", str(port), "--no-browser"]
    # started elsewhere on purpose: audio must be found from any folder
    with log.open("w") as file:
        process = subprocess.Popen(
            [*command, *arguments], cwd=folder, stdout=file, stderr=subprocess.STDOUT
        )
    wait_for(
        lambda: is_up(url) or process.poll() is not None, 120, "Spotlight does not start in time"
    )
    assert process.poll() is None, log.read_text()
    yield url
    family = psutil.Process(process.pid).children(recursive=True)
    assert family, "the server is not where this test looks for it"
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert psutil.wait_procs(family, 15)[1] == []
    assert not is_up(url)
    assert [line for line in log.read_text().splitlines() if line] == [
        f"Spotlight running on {url}/"
    ]


@pytest.fixture(scope="module")
def url(view, tmp_path_factory, wait_for):
    """Address of the running view of the utterances."""
    with serve(view, tmp_path_factory.mktemp("view"), wait_for) as url:
        yield url


@pytest.fixture
def opened(page, url):
    page.goto(url)
    page.locator('[data-test-tag="datagrid-all-count"]').first.wait_for(timeout=60_000)
    return page


def selected(page):
    return int(page.locator('[data-test-tag="datagrid-selected-count"]').first.inner_text())


def nothing_went_wrong(page, url):
    assert [problem for problem in page.problems if KNOWN not in problem] == []
    local = (url, url.replace("http:", "ws:"), "data:", "blob:")
    assert [request for request in page.requests if not request.startswith(local)] == []


def test_everything_is_shown(opened, view, url):
    table = pd.read_parquet(view / "table.parquet")
    all_count = opened.locator('[data-test-tag="datagrid-all-count"]').first
    assert int(all_count.inner_text()) == len(table)
    for issue in json.loads((view / "issues.json").read_text()):
        assert opened.get_by_text(issue["title"], exact=True).count() > 0
    for name in ("Utterances", "Slices", "Map of the embedding", "Utterance"):
        assert opened.get_by_text(name, exact=True).count() == 1
    # the map is there without being computed
    assert opened.get_by_text("Computing").count() == 0
    model = re.sub("_prediction$", "", next(c for c in table if c.endswith("_prediction")))
    counts = table.groupby(["label", f"{model}_prediction"], observed=True).size()
    cells = opened.locator("svg text").all_text_contents()
    assert {str(count) for count in counts} <= set(cells)
    accuracy = (table[f"{model}_correct"] == "right").mean()
    assert opened.get_by_text(f"{accuracy:.4f}").count() > 0
    nothing_went_wrong(opened, url)


def test_the_table_of_slices(page, view, tmp_path, wait_for):
    table = pd.read_parquet(view / "slices.parquet")
    titles = [issue["title"] for issue in json.loads((view / "issues.json").read_text())]
    assert sorted(f"[{name}]" for name in table["slice"]) == sorted(t.split()[-1] for t in titles)
    with serve(view, tmp_path, wait_for, "--slices") as url:
        page.goto(url)
        count = page.locator('[data-test-tag="datagrid-all-count"]').first
        count.wait_for(timeout=60_000)
        assert int(count.inner_text()) == len(table)
        assert page.get_by_text(table["rule"].iloc[0], exact=True).count() > 0
        nothing_went_wrong(page, url)
        page.goto("about:blank")


def test_selecting_a_slice_selects_its_rows(opened, view, wait_for):
    issue = json.loads((view / "issues.json").read_text())[0]
    opened.get_by_text(issue["title"], exact=True).first.click()
    wait_for(
        lambda: selected(opened) == len(issue["rows"]), 15, "the slice's rows are not selected"
    )


def test_audio_plays(opened, url, wait_for):
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
    nothing_went_wrong(opened, url)


def test_a_taken_port_is_told_in_one_sentence(url, view):
    port = url.rsplit(":", 1)[1]
    command = [sys.executable, ROOT / "scripts/view.py", view, "--port", port, "--no-browser"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"Error: Port {port} cannot be used")
    assert done.stderr.count("\n") == 1
