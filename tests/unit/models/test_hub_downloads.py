"""Models of the hub, downloaded from a server on this machine."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub
import pytest
from voxslice.errors import InputError
from voxslice.models.fetching import fetch_model

HUB = Path(__file__).parents[2] / "data" / "hub" / "wav2vec2"
REPO, REVISION = "owner/voices", "0123456789" * 4
FILES = {
    str(path.relative_to(HUB)): path.read_bytes()
    for path in HUB.rglob("*")
    if path.is_file() and path.name != "model_mask.onnx"
} | {"pytorch_model.bin": b"never downloaded", "README.md": b"# Voices"}


def point_to(monkeypatch, endpoint):
    """Do what the environment variable HF_ENDPOINT does when the library is imported."""
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", endpoint)
    template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """A server with one repository; the paths that it was asked for."""
    paths = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.answer(body=False)

        def do_GET(self):
            self.answer(body=True)

        def answer(self, *, body):
            path = self.path.split("?")[0]
            paths.append(path)
            start = f"/{REPO}/resolve/{REVISION}/"
            if path == f"/api/models/{REPO}/revision/{REVISION}":
                siblings = [{"rfilename": n, "size": len(c)} for n, c in FILES.items()]
                content = {"id": REPO, "modelId": REPO, "sha": REVISION, "siblings": siblings}
                self.send(json.dumps(content | {"tags": [], "downloads": 0}).encode(), body, {})
            elif path.removeprefix(start) in FILES:
                content = FILES[path.removeprefix(start)]
                self.send(content, body, {"X-Repo-Commit": REVISION, "ETag": f'"{len(content)}"'})
            else:
                self.send_response(404)
                self.send_header("X-Error-Code", "RepoNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()

        def send(self, content, body, headers):
            self.send_response(200)
            for name, value in (headers | {"Content-Length": str(len(content))}).items():
                self.send_header(name, value)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    point_to(monkeypatch, f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    yield paths
    server.shutdown()
    server.server_close()


def fetch(tmp_path, *, max_megabytes=100, **hub):
    fetch_model(
        {"hub": {"repo": REPO, "revision": REVISION, "file": "model.onnx"} | hub},
        tmp_path / "model",
        download=False,
        record=tmp_path / "record.json",
        max_megabytes=max_megabytes,
        max_minutes=1,
        max_seconds=60,
    )
    return json.loads((tmp_path / "model" / "model.json").read_text())


@pytest.mark.slow
def test_a_model_of_the_hub_is_the_same_as_its_folder(tmp_path, asked):
    card = fetch(tmp_path)
    assert card["origin"] == f"{REPO}@{REVISION}"
    assert card["outputs"]["logits"] == ["anger", "neutral", "sadness"]
    assert not any("pytorch_model" in path or "README" in path for path in asked)
    fetch_model(
        {"hub": {"path": str(HUB), "file": "model.onnx"}}, tmp_path / "local",
        download=False, record=tmp_path / "record.json", max_megabytes=100, max_minutes=1,
        max_seconds=60,
    )  # fmt: skip
    same = [(tmp_path / name / "model.onnx").read_bytes() for name in ("model", "local")]
    assert same[0] == same[1]


@pytest.mark.parametrize(
    ("hub", "sentence"),
    [
        ({"repo": "owner/other"}, "The hub has no model owner/other with the revision 0123"),
        ({"revision": "f" * 40}, "The hub has no model owner/voices with the revision ffff"),
        (
            {"file": "model_fp16.onnx"},
            "has no ONNX file model_fp16.onnx, but onnx/model.onnx: name",
        ),
    ],
)
def test_what_the_hub_does_not_have_is_one_sentence(tmp_path, asked, hub, sentence):
    with pytest.raises(InputError) as error:
        fetch(tmp_path, **hub)
    assert sentence in str(error.value) and "\n" not in str(error.value)


def test_a_large_download_is_refused_before_it_begins(tmp_path, asked):
    with pytest.raises(InputError, match=r"more than 0\.1 MB: raise limits\.download_megabytes"):
        fetch(tmp_path, max_megabytes=0.1)
    assert not any("resolve" in path for path in asked)


def test_a_server_that_is_not_there_is_one_sentence(tmp_path, monkeypatch):
    point_to(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(InputError, match="cannot be downloaded from the hub") as error:
        fetch(tmp_path)
    assert "\n" not in str(error.value)
