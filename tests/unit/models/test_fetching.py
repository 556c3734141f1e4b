"""Fetching a model: the files that are installed, and the checksums that are recorded."""

import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from full_disk import require_sentence, run_on_full_disk
from small_inputs import LABELS, write_model
from voxslice.errors import InputError
from voxslice.models.fetching import fetch_model

NOTHING = {"url": None, "path": None, "onnx": None, "outputs": None, "sha256": None}


@pytest.fixture
def archive(tmp_path):
    """A zip archive of a model."""
    write_model(tmp_path / "source" / "model")
    return pack(tmp_path)


def pack(tmp_path):
    return shutil.make_archive(str(tmp_path / "model"), "zip", tmp_path / "source")


@pytest.fixture
def record(tmp_path):
    return tmp_path / "checksums" / "mine.json"


def fetch(tmp_path, record, **source):
    place = source.get("url") or source.get("onnx") or ""
    fetch_model(
        NOTHING | source,
        tmp_path / "target",
        download="://" in place,
        record=record,
        max_megabytes=100,
        max_minutes=1,
        max_seconds=60,
    )
    return json.loads((tmp_path / "target" / "model.json").read_text())


def url_of(archive):
    return f"file://{archive}"


def checksum_of(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def test_an_archive_is_installed_and_then_trusted(tmp_path, archive, record):
    card = fetch(tmp_path, record, url=url_of(archive))
    assert card["origin"] == url_of(archive)
    assert card["sha256"] == checksum_of(archive)
    assert json.loads(record.read_text()) == {url_of(archive): checksum_of(archive)}


def test_a_known_checksum_is_not_recorded(tmp_path, archive, record):
    fetch(tmp_path, record, url=url_of(archive), sha256=checksum_of(archive))
    assert not record.exists()


def test_a_bare_onnx_file_is_trusted_only_by_its_address(tmp_path, record):
    path = write_model(tmp_path / "source") / "model.onnx"
    fetch(tmp_path, record, onnx=str(path), outputs=LABELS)
    assert not record.exists()
    card = fetch(tmp_path, record, onnx=url_of(path), outputs=LABELS)
    assert json.loads(record.read_text()) == {url_of(path): card["sha256"]}


def test_a_local_folder_is_installed(tmp_path, record):
    path = write_model(tmp_path / "source")
    assert fetch(tmp_path, record, path=str(path))["origin"] == str(path)
    assert not record.exists()


def login_page(path, content):
    path.write_bytes(b"<!doctype html><title>Log in</title>")


def cut_download(path, content):
    path.write_bytes(content[: len(content) // 2])


def nothing_of_a_download(path, content):
    path.write_bytes(b"")


def archive_without_a_model(path, content):
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("readme.txt", "The model has moved.")


def damaged_onnx(path, content):
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("model.yaml", "$audonnx.core.model.Model: {path: model.onnx}")
        target.writestr("model.onnx", b"<!doctype html>")


def refused_yaml(path, content):
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("model.yaml", "$os.system: {command: 'true'}")


@pytest.mark.parametrize(
    "first",
    [
        login_page,
        cut_download,
        nothing_of_a_download,
        archive_without_a_model,
        damaged_onnx,
        refused_yaml,
    ],
)
def test_a_download_that_is_not_a_model_is_never_trusted(tmp_path, archive, record, first):
    content = Path(archive).read_bytes()
    first(tmp_path / "model.zip", content)
    with pytest.raises(InputError):
        fetch(tmp_path, record, url=url_of(archive))
    assert not record.exists()
    (tmp_path / "model.zip").write_bytes(content)
    fetch(tmp_path, record, url=url_of(archive))  # the real one is not called a changed one
    assert json.loads(record.read_text()) == {url_of(archive): checksum_of(archive)}


def test_a_login_page_instead_of_an_onnx_file_is_never_trusted(tmp_path, record):
    path = tmp_path / "model.onnx"
    path.write_text("<!doctype html>")
    with pytest.raises(InputError):
        fetch(tmp_path, record, onnx=url_of(path), outputs=LABELS)
    assert not record.exists()


def test_a_later_login_page_does_not_replace_the_trusted_checksum(tmp_path, archive, record):
    fetch(tmp_path, record, url=url_of(archive))
    before = record.read_bytes()
    login_page(tmp_path / "model.zip", b"")
    with pytest.raises(InputError, match="has changed"):
        fetch(tmp_path, record, url=url_of(archive))
    assert record.read_bytes() == before


FETCH = (
    "fetch_model({{'url': {url!r}, 'path': None, 'onnx': None, 'outputs': None, 'sha256': None}},"
    " {target}, download=True, record=other / 'record.json', max_megabytes=100, max_minutes=1,"
    " max_seconds=60)"
)
IMPORTS = "from voxslice.models.fetching import fetch_model"


@pytest.mark.slow
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_full_temporary_folder_does_not_blame_the_url(tmp_path, archive, compression):
    """The disk is too small for a stored archive, or for the unpacked files of a deflated one."""
    with zipfile.ZipFile(archive, "a", compression) as target:
        target.writestr("model/large", bytes(3_000_000))
    call = FETCH.format(url=url_of(archive), target="other / 'model'")
    result = run_on_full_disk(tmp_path, IMPORTS, call)
    require_sentence(result, tmp_path / "disk")
    assert "set TMPDIR to a folder on another disk" in result.stderr
    assert "URL" not in result.stderr
    assert not (tmp_path / "other/record.json").exists()


@pytest.mark.slow
def test_a_full_folder_of_the_study_is_named(tmp_path, monkeypatch):
    folder = write_model(tmp_path / "source" / "model")
    add_weights(folder / "model.onnx", 500_000)
    archive = pack(tmp_path)
    call = FETCH.format(url=url_of(archive), target="disk / 'model'")
    imports = f"import tempfile; tempfile.tempdir = {str(tmp_path)!r}; {IMPORTS}"
    result = run_on_full_disk(tmp_path, imports, call)
    require_sentence(result, tmp_path / "disk")


def add_weights(path, number):
    proto = onnx.load(str(path))
    weights = np.random.default_rng(0).uniform(size=number).astype(np.float32)
    proto.graph.initializer.append(onnx.numpy_helper.from_array(weights, "unused"))
    onnx.save(proto, str(path))
