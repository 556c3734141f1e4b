"""Start the interactive view with its command, and write a small view for tests."""

import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import psutil
import soundfile
from view_study import class_scores, make_metadata, make_modes, make_slice, make_table
from voxslice.files import write_parquet, write_text
from voxslice.report.spotlight.issues import make_issues
from voxslice.report.spotlight.layouts import make_layout, to_json
from voxslice.report.spotlight.tables import ISSUES, LAYOUT, TABLE
from voxslice.task import Task

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Served:
    """A running view: its address with the token, and the parts of the address."""

    address: str

    @property
    def url(self):
        return self.address.split("?")[0].rstrip("/")

    @property
    def token(self):
        return self.address.split("token=")[1]

    @property
    def port(self):
        return urlsplit(self.url).port

    @property
    def cookie(self):
        return f"voxslice_view_{self.port}={self.token}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def serve(view, folder, wait_for, *arguments):
    """Run the command that opens a view, and end it with SIGTERM, which must leave no process."""
    port = free_port()
    log = folder / "log"
    command = [sys.executable, ROOT / "scripts/view.py", view, "--port", str(port), "--no-browser"]
    # started in another folder, because audio must be found from any folder
    with log.open("w") as file:
        process = subprocess.Popen(
            [*command, *arguments], cwd=folder, stdout=file, stderr=subprocess.STDOUT
        )
    try:
        wait_for(
            lambda: log.read_text().endswith("\n") or process.poll() is not None,
            120,
            "Spotlight does not start in time",
        )
        assert process.poll() is None, log.read_text()
        match = re.fullmatch(
            rf"The view is open at (http://127\.0\.0\.1:{port}/\?token=\S{{43}})\n", log.read_text()
        )
        assert match, log.read_text()
        yield Served(match[1])
        family = psutil.Process(process.pid).children(recursive=True)
        assert family, "the server is not where this test looks for it"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert psutil.wait_procs(family, 15)[1] == []
        assert not listens(port)
        assert log.read_text().count("\n") == 1, log.read_text()
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def write_view(folder):
    """Write a view of six utterances with audio, one slice and two models."""
    metadata = make_metadata()
    for position, name in enumerate(metadata["file"]):
        path = folder / "audio" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(position).normal(0, 0.1, 16_000)
        soundfile.write(path, noise, 16_000)
    scores = {
        "a": class_scores(metadata, ["female", "male"], wrong=[0]),
        "b": class_scores(metadata, ["female", "male"]),
    }
    table = make_table(metadata, scores, audio=str(folder / "audio"))
    found, members = make_slice([0, 2])
    task = Task("classification")
    modes = make_modes([0, 2])
    issues = make_issues(metadata, *modes, {"a": found}, {"a": members}, task)
    write_parquet(table, folder / TABLE)
    write_text(to_json(make_layout(table, list(scores), task)), folder / LAYOUT)
    write_text(to_json(issues), folder / ISSUES)
    return folder
