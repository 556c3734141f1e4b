"""Benchmark of the interactive view: how long it takes to make, and to open in a browser.

The study is drawn as in the benchmark of the report. The view of a task is written as in the rule
and opened with its command. The time ends when headless Chromium shows the rows of the table.

    python bench/view.py                  # everything; writes bench/view.md
    python bench/view.py --rows 1000      # printed only
"""

import argparse
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright
from report import SHARDS, write_study

HERE = Path(__file__).resolve().parent
SCRIPTS = HERE.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

ROWS = [535, 50_000, 100_000]
MAX_ROWS = 50_000  # the default of the config
HEAD = """# Benchmark of the interactive view

Made by `python bench/view.py`, which draws the tables. Seconds are wall-clock time on two cores.
"Seconds to open" begin with the command, include its imports, and end when a browser shows the
table.

| task | utterances | shown | seconds to make | seconds to open |
|---|--:|--:|--:|--:|
"""


def make(study: Path, view: Path) -> int:
    """Write the view of a drawn study and return the number of its rows."""
    from voxslice.files import read_embeddings, write_parquet, write_text
    from voxslice.report.spotlight import issues, layouts, tables

    # a pickle that bench/report.py has written, instead of the tables that the workflow reads
    given = pickle.loads((study / "study.pickle").read_bytes())
    scores = {model.name: model.scores for model in given.models}
    slices = {model.name: model.slices for model in given.models}
    members = {model.name: model.members for model in given.models}
    rows, total = tables.select(given.metadata, scores, max_rows=MAX_ROWS, seed=0)
    shards = [str(study / f"{shard}.parquet") for shard in range(SHARDS)]
    table = tables.make_table(
        rows,
        scores,
        audio=str(study),
        embedding=read_embeddings(shards, rows),
        seed=0,
        task=given.measured,
    )
    found = issues.make_issues(rows, slices, members, given.measured)
    if len(rows) < total:
        found.insert(0, issues.sample_note(len(rows), total, 0))
    layout = layouts.make_layout(table, list(scores), given.measured)
    write_parquet(table, view / tables.TABLE)
    write_text(layouts.to_json(layout), view / tables.LAYOUT)
    write_text(layouts.to_json(found), view / tables.ISSUES)
    return len(table)


def open_and_wait(view: Path, rows: int) -> float:
    """Seconds from the command that opens a view until a browser shows all of its rows."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        begin = time.perf_counter()
        command = [sys.executable, SCRIPTS / "view.py", view, "--no-browser"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            address = process.stdout.readline().split()[-1]  # printed once the server answers
            page.goto(address)
            count = page.locator('[data-test-tag="datagrid-all-count"]').first
            count.wait_for(timeout=300_000)
            seconds = time.perf_counter() - begin
            assert int(count.inner_text()) == rows
        finally:
            browser.close()
            process.send_signal(signal.SIGTERM)
            process.wait(30)
    return seconds


def measure(utterances: int, task: str) -> str:
    """A line of the table."""
    with tempfile.TemporaryDirectory() as folder:
        study, view = Path(folder, "study"), Path(folder, "view")
        study.mkdir()
        write_study(study, utterances, max(utterances // 200, 10), task)
        begin = time.perf_counter()
        rows = make(study, view)
        made = time.perf_counter() - begin
        opened = open_and_wait(view, rows)
    return f"| {task} | {utterances:,} | {rows:,} | {made:.1f} | {opened:.1f} |"


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", help="utterances; the figures are printed")
    given = parser.parse_args()
    lines = []
    for utterances in given.rows or ROWS:
        for task in ("gender", "age"):
            lines.append(measure(utterances, task))
            print(lines[-1], flush=True)
    if not given.rows:
        (HERE / "view.md").write_text(HEAD + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
