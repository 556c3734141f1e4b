"""Models are downloaded, checked and unpacked safely."""

import contextlib
import functools
import hashlib
import http.server
import json
import os
import socket
import stat
import subprocess
import sys
import threading
import time
import urllib.request
import zipfile
from pathlib import Path

import pytest
import voxslice
from refusals import refusal, require_cheap
from voxslice.errors import InputError
from voxslice.models import downloads
from voxslice.models.downloads import fetch, trust, unpack

CONTENT = b"the bytes of a model" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.SimpleHTTPRequestHandler):
    """A server of a folder, which gives broken answers at some addresses."""

    def do_GET(self):
        if self.path == "/truncated":
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT) + 1))
            self.end_headers()
            self.wfile.write(CONTENT)
        elif self.path == "/chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"ff\r\nfew")
        elif self.path == "/endless":
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(CONTENT)
        elif self.path == "/garbage":
            self.wfile.write(b"no http at all\r\n\r\n")
        elif self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/model.zip")
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A folder that a local server serves, and the address of the server."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "model.zip").write_bytes(CONTENT)
    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source" / "model.zip"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def place(tmp_path):
    """Arguments of `fetch`: the file to write, the record of checksums and the limits."""
    folder = tmp_path / "downloads"
    return {
        "path": folder / "model.zip",
        "record": folder / "record.json",
        "max_megabytes": 1,
        "max_minutes": 1,
    }


def nothing_left(place):
    folder = place["path"].parent
    return not folder.exists() or not list(folder.iterdir())


def test_file_url_is_copied_and_recorded(source, place):
    assert fetch(source.as_uri(), **place, sha256=None) == SHA256
    assert place["path"].read_bytes() == CONTENT
    assert not place["record"].exists()  # it is not yet known to be a model
    trust(source.as_uri(), SHA256, record=place["record"])
    assert json.loads(place["record"].read_text()) == {source.as_uri(): SHA256}


def test_http_with_checksum(served, place):
    _, address = served
    assert fetch(f"{address}/model.zip", **place, sha256=SHA256.upper()) == SHA256
    assert place["path"].read_bytes() == CONTENT
    assert not place["record"].exists()


def test_http_redirect_with_checksum(served, place):
    _, address = served
    assert fetch(f"{address}/moved", **place, sha256=SHA256) == SHA256


def test_http_without_checksum_is_refused(served, place):
    _, address = served
    with pytest.raises(InputError, match="is not fetched: use https"):
        fetch(f"{address}/model.zip", **place, sha256=None)
    assert nothing_left(place)


def test_https_that_leads_to_http_is_refused_without_checksum(served, place, monkeypatch):
    _, address = served
    real = urllib.request.urlopen

    def redirected(url, **settings):
        return real(url.replace("https://example.org", address), **settings)

    monkeypatch.setattr("urllib.request.urlopen", redirected)
    with pytest.raises(InputError, match="is not fetched: use https"):
        fetch("https://example.org/model.zip", **place, sha256=None)
    assert nothing_left(place)
    assert fetch("https://example.org/model.zip", **place, sha256=SHA256) == SHA256


@pytest.mark.parametrize("checksum", [None, SHA256])
@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/model.zip", "data:,model", "model.zip", "/models/model.zip", ""]
)
def test_other_schemes_are_refused(url, checksum, place):
    with pytest.raises(InputError, match="is not fetched: use https"):
        fetch(url, **place, sha256=checksum)
    assert nothing_left(place)


def test_wrong_checksum_leaves_nothing(source, place):
    with pytest.raises(InputError, match=f"has the sha256 {SHA256}, but the config has 0000"):
        fetch(source.as_uri(), **place, sha256="0" * 64)
    assert nothing_left(place)


def test_wrong_checksum_keeps_the_earlier_file(source, place):
    place["path"].parent.mkdir()
    place["path"].write_bytes(b"before")
    with pytest.raises(InputError):
        fetch(source.as_uri(), **place, sha256="0" * 64)
    assert place["path"].read_bytes() == b"before"


def test_first_download_is_trusted_and_a_changed_one_refused(source, place):
    trust(source.as_uri(), fetch(source.as_uri(), **place, sha256=None), record=place["record"])
    fetch(source.as_uri(), **place, sha256=None)
    source.write_bytes(b"other bytes")
    with pytest.raises(InputError, match="has changed") as error:
        fetch(source.as_uri(), **place, sha256=None)
    assert str(place["record"]) in str(error.value)
    assert place["path"].read_bytes() == CONTENT
    place["record"].unlink()  # as the message says
    fetch(source.as_uri(), **place, sha256=None)
    assert place["path"].read_bytes() == b"other bytes"


def test_another_url_is_recorded_beside_the_first(source, place):
    other = source.with_name("other.zip")
    other.write_bytes(b"other bytes")
    for url in (source.as_uri(), other.as_uri()):
        trust(url, fetch(url, **place, sha256=None), record=place["record"])
    assert json.loads(place["record"].read_text()) == {
        source.as_uri(): SHA256,
        other.as_uri(): hashlib.sha256(b"other bytes").hexdigest(),
    }


def test_truncated_transfer_is_refused(served, place):
    _, address = served
    ended = rf"ended after {len(CONTENT)} of {len(CONTENT) + 1} bytes: run the command again"
    with pytest.raises(InputError, match=ended):
        fetch(f"{address}/truncated", **place, sha256=SHA256)
    assert nothing_left(place)


@pytest.mark.slow
def test_progress_bars_can_be_turned_off(source, place):
    program = (
        "import sys; from voxslice.models.downloads import fetch;"
        "fetch(sys.argv[1], sys.argv[2], sha256=None, record=sys.argv[3], max_megabytes=1,"
        " max_minutes=1)"
    )
    subprocess.run(
        [sys.executable, "-c", program, source.as_uri(), place["path"], place["record"]],
        env={"TQDM_DISABLE": "1", "PYTHONPATH": str(Path(voxslice.__file__).parents[1])},
        check=True,
    )
    assert place["path"].read_bytes() == CONTENT


@pytest.mark.parametrize("name", ["missing.zip", "chunked", "garbage"])
def test_failed_transfers_give_one_sentence(served, place, name):
    _, address = served
    with pytest.raises(InputError, match=f"The URL {address}/{name} cannot be read") as error:
        fetch(f"{address}/{name}", **place, sha256=SHA256)
    assert "\n" not in str(error.value)
    assert nothing_left(place)


def test_refused_connection_gives_one_sentence(place):
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(InputError, match="cannot be read"):
        fetch(f"http://127.0.0.1:{port}/model.zip", **place, sha256=SHA256)
    assert nothing_left(place)


@pytest.mark.parametrize(
    "url",
    [
        "file:///missing/model.zip",
        "file:///",
        "https://",
        "https://[::1/model.zip",
        "https://127.0.0.1:port/model.zip",
        "https://127.0.0.1/a model.zip",
        "https://127.0.0.1/modèle.zip",
    ],
)
def test_malformed_urls_give_one_sentence(url, place):
    with pytest.raises(InputError, match="cannot be read"):
        fetch(url, **place, sha256=SHA256)
    assert nothing_left(place)


def archive(path, members, **settings):
    with zipfile.ZipFile(path, "w", **settings) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return path


@pytest.fixture
def folder(tmp_path):
    """The folder to unpack into, two levels below an empty folder."""
    path = tmp_path / "outside" / "between" / "inside"
    path.mkdir(parents=True)
    return path


def outside_is_clean(folder):
    root = folder.parents[1]
    return {p for p in root.rglob("*") if folder not in p.parents} == {folder.parent, folder}


def test_unpack_folders(tmp_path, folder):
    members = {"model.yaml": b"a", "deep/er/model.onnx": b"b" * 10_000, "empty/": b""}
    unpack(
        archive(tmp_path / "a.zip", members, compression=zipfile.ZIP_DEFLATED),
        folder,
        max_megabytes=1000,
    )
    assert (folder / "model.yaml").read_bytes() == b"a"
    assert (folder / "deep" / "er" / "model.onnx").read_bytes() == b"b" * 10_000
    assert (folder / "empty").is_dir()


@pytest.mark.parametrize(
    "name",
    [
        "../escaped",
        "a/../../escaped",
        "/escaped",
        "//escaped",
        "..\\escaped",
        "a\\..\\..\\escaped",
        "\\escaped",
        "C:\\escaped",
        "C:escaped",
        "C:/escaped",
        "..",
    ],
)
def test_members_outside_of_the_folder_are_refused(tmp_path, folder, name):
    path = archive(tmp_path / "a.zip", {"good": b"good", name: b"bad"})
    with pytest.raises(InputError, match="would be written outside of its folder"):
        unpack(path, folder, max_megabytes=1000)
    assert not list(folder.iterdir())
    assert outside_is_clean(folder)


def test_links_are_refused(tmp_path, folder):
    link = zipfile.ZipInfo("link")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = archive(tmp_path / "a.zip", {})
    with zipfile.ZipFile(path, "w") as target:
        target.writestr(link, "/etc/passwd")
        target.writestr("link/escaped", "bad")
    with pytest.raises(InputError, match="'link' is a link"):
        unpack(path, folder, max_megabytes=1000)
    assert not list(folder.iterdir())


def bomb(path, size):
    return archive(path, {"zeros": bytes(size)}, compression=zipfile.ZIP_DEFLATED)


def test_an_archive_that_would_fill_the_disk_is_refused(tmp_path, folder, monkeypatch):
    path = bomb(tmp_path / "a.zip", 10**6)
    assert path.stat().st_size * 100 < 10**6
    unpack(path, folder, max_megabytes=1000)  # it is small
    (folder / "zeros").unlink()
    monkeypatch.setattr(downloads, "SMALL_BYTES", 10**6 - 1)
    with pytest.raises(InputError, match="it would unpack to 1 MB, more than 100 times its size"):
        unpack(path, folder, max_megabytes=1000)
    assert not list(folder.iterdir())


def test_an_archive_that_states_a_smaller_size_writes_no_more(tmp_path, folder):
    path = bomb(tmp_path / "a.zip", 10**6)
    content = path.read_bytes()
    stated = (10**6).to_bytes(4, "little")
    assert content.count(stated) == 2  # in the member's header and in the directory
    path.write_bytes(content.replace(stated, (1000).to_bytes(4, "little")))
    with pytest.raises(InputError, match="is not a readable zip archive"):
        unpack(path, folder, max_megabytes=1000)
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 1000


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04", CONTENT])
def test_a_file_that_is_not_a_zip_archive_is_refused(tmp_path, folder, content):
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is not a readable zip archive"):
        unpack(path, folder, max_megabytes=1000)


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_damage_is_refused_or_harmless(tmp_path, folder, method):
    members = {"model.yaml": b"some text" * 3, "b": b"more"}
    path = archive(tmp_path / "a.zip", members, compression=method)
    good, refused = path.read_bytes(), 0
    for position in range(len(good)):
        damaged = bytearray(good)
        damaged[position] ^= 0xFF
        path.write_bytes(damaged)
        try:
            unpack(path, folder, max_megabytes=1000)
        except InputError:
            refused += 1
    assert refused > len(good) / 3
    assert outside_is_clean(folder)
    for end in range(0, len(good), 9):
        path.write_bytes(good[:end])
        with pytest.raises(InputError):
            unpack(path, folder, max_megabytes=1000)


def test_a_file_that_is_also_a_folder_is_refused(tmp_path, folder):
    path = archive(tmp_path / "a.zip", {"a": b"file", "a/b": b"in it"})
    with pytest.raises(InputError, match="is not a readable zip archive"):
        unpack(path, folder, max_megabytes=1000)


def test_encrypted_archive_is_refused(tmp_path, folder):
    path = archive(tmp_path / "a.zip", {"model.yaml": b"secret"})
    content = bytearray(path.read_bytes())
    content[6] |= 1  # the flag in the member's header
    content[content.index(b"PK\x01\x02") + 8] |= 1  # and in the directory
    path.write_bytes(content)
    with pytest.raises(InputError, match="encrypted"):
        unpack(path, folder, max_megabytes=1000)


def unpack_cheaply(path, folder, match):
    """Unpack in a separate process, which must refuse the archive at once and write nothing."""
    found = refusal(
        "from voxslice.models.downloads import unpack",
        f"unpack({str(path)!r}, {str(folder)!r}, max_megabytes=20000)",
    )
    require_cheap(found)
    assert match in found.message
    assert not list(folder.iterdir())


def zeros(path, method, megabytes):
    """An archive of many zeros, written piece by piece."""
    with (
        zipfile.ZipFile(path, "w", compression=method) as target,
        target.open("model.onnx", "w", force_zip64=True) as member,
    ):
        for _ in range(megabytes):
            member.write(bytes(1_000_000))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("stated", [None, 1000])
def test_a_member_that_fills_the_memory_is_refused_at_once(tmp_path, folder, method, stated):
    path = zeros(tmp_path / "a.zip", method, 90)
    if stated:
        content = path.read_bytes()
        size = (90_000_000).to_bytes(4, "little")
        assert size in content
        path.write_bytes(content.replace(size, stated.to_bytes(4, "little")))
    unpack_cheaply(path, folder, "'model.onnx' is compressed in another way than deflate")


@pytest.mark.slow
@pytest.mark.parametrize("method", [9, 93, 98])  # deflate64, zstd, PPMd
def test_other_compressions_are_refused(tmp_path, folder, method):
    path = archive(tmp_path / "a.zip", {"model.onnx": b"content"})
    content = bytearray(path.read_bytes())
    content[8] = method  # in the member's header
    content[content.index(b"PK\x01\x02") + 10] = method  # and in the directory
    path.write_bytes(content)
    unpack_cheaply(path, folder, "is compressed in another way than deflate")


@pytest.mark.slow
def test_zeros_that_unpack_to_a_thousand_times_their_size_are_refused_at_once(tmp_path, folder):
    path = zeros(tmp_path / "a.zip", zipfile.ZIP_DEFLATED, 150)
    assert path.stat().st_size < 150_000
    unpack_cheaply(path, folder, "it would unpack to 150 MB, more than 100 times its size")


@pytest.mark.slow
def test_an_archive_of_very_many_members_is_refused_at_once(tmp_path, folder):
    path = archive(tmp_path / "a.zip", {f"{number:x}": b"" for number in range(60_000)})
    unpack_cheaply(path, folder, "it has more members than a model needs")


@pytest.mark.slow
def test_a_list_of_members_that_is_stated_too_large_is_refused_at_once(tmp_path, folder):
    path = archive(tmp_path / "a.zip", {"model.yaml": b"a"})
    content = bytearray(path.read_bytes())
    end = content.index(b"PK\x05\x06")
    content[end + 12 : end + 16] = (2**31).to_bytes(4, "little")
    path.write_bytes(content)
    unpack_cheaply(path, folder, "is not a readable zip archive")


def test_an_archive_larger_than_the_limit_is_refused(tmp_path, folder):
    path = archive(tmp_path / "a.zip", {"model.onnx": bytes(1_000_001)})
    with pytest.raises(InputError, match=r"unpack to 1 MB, more than 1 MB: raise limits\.download"):
        unpack(path, folder, max_megabytes=1)
    assert not list(folder.iterdir())


SLOW = {
    "/silent": b"",
    "/drip-header": b"HTTP/1.1 200 OK\r\nX: ",
    "/drip-body": b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
    "/drip-chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
}


@pytest.fixture
def slow_server():
    """A server that sends the beginning of `SLOW` and then single bytes with long pauses."""
    stop = threading.Event()

    def answer(connection):
        with contextlib.suppress(OSError), connection:
            path = connection.recv(4096).split()[1].decode()
            connection.sendall(SLOW[path])
            while not stop.wait(0.05):
                if path != "/silent":
                    connection.sendall(b"0")

    def serve(listening):
        with contextlib.suppress(OSError):
            while True:
                connection = listening.accept()[0]
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, args=(listening,), daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        stop.set()


@pytest.mark.slow
@pytest.mark.parametrize("path", SLOW)
def test_a_download_that_never_ends_is_stopped(slow_server, place, path):
    begin = time.monotonic()
    with pytest.raises(InputError, match=r"takes longer than 0\.01 minutes: .* raise limits\.down"):
        fetch(f"{slow_server}{path}", **place | {"max_minutes": 0.01}, sha256=SHA256)
    assert time.monotonic() - begin < 2
    assert nothing_left(place)


@pytest.mark.slow
@pytest.mark.parametrize("stated", [True, False])
def test_a_download_larger_than_the_limit_is_stopped(served, place, stated):
    folder, address = served
    with (folder / "large").open("wb") as file:
        file.truncate(10**9)
    url = f"{address}/large" if stated else f"{address}/endless"
    found = refusal(
        "from voxslice.models.downloads import fetch",
        f"fetch({url!r}, {str(place['path'])!r}, sha256={SHA256!r}, record='', max_megabytes=5,"
        " max_minutes=1)",
    )
    require_cheap(found)
    assert "is larger than 5 MB: check the address, or raise limits.download_meg" in found.message
    assert nothing_left(place)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pipe", "/dev/zero"])
def test_a_file_url_of_a_pipe_or_device_is_refused_at_once(tmp_path, place, kind):
    path = tmp_path / "pipe"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(kind)
    found = refusal(
        "from voxslice.models.downloads import fetch",
        f"fetch({path.as_uri()!r}, {str(place['path'])!r}, sha256=None, record='none.json',"
        " max_megabytes=20000, max_minutes=1)",
    )
    require_cheap(found)
    assert "cannot be read (it is not a regular file)" in found.message


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b'"text"',
        b"1",
        b"null",
        b'{"a": 1}',
        b'{"a": {"b": "c"}}',
        b"{",
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_record_of_another_form_is_named_in_one_sentence(source, place, content):
    place["record"].parent.mkdir()
    place["record"].write_bytes(content)
    for call in (
        lambda: fetch(source.as_uri(), **place, sha256=None),
        lambda: trust(source.as_uri(), SHA256, record=place["record"]),
    ):
        with pytest.raises(InputError, match="is not a readable record of checksums") as error:
            call()
        assert str(place["record"]) in str(error.value)
        assert "\n" not in str(error.value)
    assert place["record"].read_bytes() == content
    fetch(source.as_uri(), **place, sha256=SHA256)  # which the record has no part in


def test_a_record_that_is_a_folder_is_named_in_one_sentence(source, place):
    place["record"].mkdir(parents=True)
    with pytest.raises(InputError, match="is not a readable record of checksums"):
        fetch(source.as_uri(), **place, sha256=None)
