"""Download a file, compare its checksum with the expected one, and unpack it inside a folder."""

import hashlib
import http.client
import io
import json
import stat
import threading
import urllib.request
import zipfile
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from tqdm import tqdm

from voxslice.errors import InputError, MachineError, full_disk
from voxslice.files import whole, write_text

SILENCE_S = 60
"""Longest time in seconds that a server may send nothing."""
READ_BYTES = 1 << 20
"""Most bytes that are read at once."""


def fetch(
    url: str,
    path: str | Path,
    *,
    sha256: str | None,
    record: str | Path,
    max_megabytes: float,
    max_minutes: float,
) -> str:
    """Download a file and verify its checksum.

    Without a checksum in the config, the download must have the checksum that `trust` has recorded
    for the URL, if there is one.

    Args:
        url: `https://` or `file://`; plain `http://` is accepted only together with a checksum.
        path: File to write.
        sha256: Expected checksum in hexadecimal, or None if it is not known.
        record: JSON file in which `trust` records checksums. It may be missing.
        max_megabytes: Largest download in MB.
        max_minutes: Longest time that the download may take.

    Returns:
        The checksum of the downloaded file.

    Raises:
        InputError: The URL has another scheme or cannot be read, the checksum differs, the record
            is not readable, or the download is too large or too slow.
        MachineError: The disk is full.
    """
    _require_scheme(url, sha256)
    known = read_record(record) if sha256 is None else {}
    with whole(path) as temporary:
        found = within(
            60 * max_minutes,
            lambda stopped: _download(url, temporary, sha256, max_megabytes, stopped),
            f"The download of {url} takes longer than {max_minutes:g} minutes: check the address,"
            " or raise limits.download_minutes.",
        )
        if sha256 is not None and found != sha256.lower():
            raise InputError(
                f"The download of {url} has the sha256 {found}, but the config has {sha256}:"
                " correct the config if the new file is the right one, otherwise do not trust the"
                " source."
            )
        if known.get(url, found) != found:
            raise InputError(
                f"The download of {url} has changed (sha256 {found}, before {known[url]}):"
                f" give its sha256 in the config or delete {record} if the new file is the right"
                " one."
            )
    return found


def _download(
    url: str,
    path: Path,
    sha256: str | None,
    max_megabytes: float,
    stopped: threading.Event,
) -> str:
    """Write the file behind a URL and return its checksum; give up when `stopped` is set."""
    try:
        _require_regular_file(url)
        # the scheme was checked by the caller
        source = urllib.request.urlopen(url, timeout=SILENCE_S)  # noqa: S310
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _unreadable(url, error) from error
    digest, size = hashlib.sha256(), 0
    with source, path.open("r+b") as target:
        _require_scheme(source.url, sha256)  # the server may have redirected to another URL
        try:
            total = int(source.headers.get("Content-Length") or 0)
        except ValueError as error:
            raise _unreadable(url, error) from error
        _require_size(url, total, max_megabytes)
        with tqdm(
            total=total or None,
            desc=PurePosixPath(urlsplit(url).path).name,
            unit="B",
            unit_scale=True,
        ) as progress:
            while block := _read(source, url):
                if stopped.is_set():
                    break
                size += len(block)
                _require_size(url, size, max_megabytes)
                with full_disk(path.parent):
                    target.write(block)
                digest.update(block)
                progress.update(len(block))
        with full_disk(path.parent):
            target.flush()
    if total and size != total:
        raise InputError(
            f"The download of {url} ended after {size} of {total} bytes: run the command again."
        )
    return digest.hexdigest()


def _read(source: http.client.HTTPResponse, url: str) -> bytes:
    """The next bytes of a download: those that have arrived, at most one block."""
    try:
        return source.read1(READ_BYTES)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _unreadable(url, error) from error


def _unreadable(url: str, error: Exception) -> InputError:
    reason = str(getattr(error, "reason", None) or error) or type(error).__name__
    reason = " ".join(reason.split())[:300]
    return InputError(
        f"The URL {url} cannot be read ({reason}): check the address and the network."
    )


def within(seconds: float, work: Callable[[threading.Event], str], too_long: str) -> str:
    """Run a function that may block for longer than it is allowed to.

    A server that sends one byte per minute keeps a socket from timing out. The function therefore
    runs in a thread that is abandoned when the time is over.

    Args:
        seconds: Longest time to wait.
        work: Function that is given an event, which tells it to stop.
        too_long: Sentence of the error when the time is over.

    Returns:
        What the function returns.

    Raises:
        InputError: The time is over. Exceptions of the function are raised as they are.
    """
    stopped: threading.Event = threading.Event()
    future: Future[str] = Future()

    def run() -> None:
        try:
            future.set_result(work(stopped))
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return future.result(seconds)
    except TimeoutError:
        if future.done():
            raise
        raise InputError(too_long) from None
    finally:
        stopped.set()


def _require_scheme(url: str, sha256: str | None) -> None:
    scheme = url.partition(":")[0].lower()
    if scheme not in ("https", "file") and not (scheme == "http" and sha256):
        raise InputError(
            f"The URL {url} is not fetched: use https:// or file:// (http:// needs a sha256)."
        )


def _require_regular_file(url: str) -> None:
    """Refuse pipes and devices behind a file URL: reading them may never end."""
    parts = urlsplit(url)
    if parts.scheme.lower() == "file":
        path = Path(urllib.request.url2pathname(parts.path))
        if path.exists() and not path.is_file():
            raise ValueError("it is not a regular file")


def _require_size(url: str, size: int, max_megabytes: float) -> None:
    if size > 1e6 * max_megabytes:
        raise InputError(
            f"The download of {url} is larger than {max_megabytes:g} MB: check the address, or"
            " raise limits.download_megabytes."
        )


def read_record(path: str | Path) -> dict[str, str]:
    """Read the record of trusted checksums.

    Args:
        path: JSON file that `trust` has written. It may be missing.

    Returns:
        SHA-256 in hexadecimal by URL.

    Raises:
        InputError: The file has another form.
    """
    path = Path(path)
    try:
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, ValueError, RecursionError):
        known = None
    if not isinstance(known, dict) or not all(isinstance(value, str) for value in known.values()):
        raise InputError(
            f"{path} is not a readable record of checksums: delete it to trust the next download,"
            " or give the sha256 in the config."
        )
    return known


def trust(url: str, checksum: str, *, record: str | Path) -> None:
    """Record the checksum of a download, so that a later one must have the same.

    Args:
        url: Where the file was downloaded from.
        checksum: Its SHA-256 in hexadecimal.
        record: JSON file to write; records of other URLs are kept.
    """
    known = read_record(record) | {url: checksum}
    write_text(json.dumps(known, indent=2, sort_keys=True) + "\n", record)


MAX_RATIO = 100
"""Most bytes that one byte of an archive may unpack to: weights hardly shrink."""
SMALL_BYTES = 10**8
"""Bytes that an archive of any size may unpack to."""
MAX_DIRECTORY_BYTES = 1 << 20
"""Largest list of members in an archive, enough for 10,000 members."""
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Compressions that are unpacked piece by piece; bzip2 and LZMA may fill the memory at once."""


class _Archive(io.FileIO):
    """A zip file whose list of members is not read if it is too large."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read at most `size` bytes; `zipfile` reads the list of members in one piece."""
        if size is None or size < 0:
            size = MAX_DIRECTORY_BYTES
        if size > MAX_DIRECTORY_BYTES:
            raise InputError(
                "The archive is refused: it has more members than a model needs; check the URL."
            )
        return super().read(size) or b""


def unpack(
    archive: str | Path, folder: str | Path, *, max_megabytes: float, origin: str = ""
) -> None:
    """Unpack a zip archive, each member strictly inside the folder.

    Args:
        archive: Zip file.
        folder: Existing folder to unpack into.
        max_megabytes: Most that the archive may unpack to, in MB.
        origin: URL that the archive came from, for messages; empty to name the file.

    Raises:
        InputError: The file is not a zip archive or is damaged, would unpack to too much, uses
            another compression than deflate, or has a member that is a link or would be written
            outside of the folder.
        MachineError: The disk is full.
    """
    name = origin or str(archive)
    try:
        with full_disk(folder), _Archive(archive) as file, zipfile.ZipFile(file) as source:
            _check_members(source.infolist(), Path(archive).stat().st_size, max_megabytes, name)
            source.extractall(folder)  # checks each member's CRC, writes no more than its size
    except (InputError, MachineError):
        raise
    except Exception as error:  # zipfile and its decompressors raise a dozen kinds
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise InputError(
            f"{name} is not a readable zip archive ({reason}): check the URL."
        ) from error


def _check_members(
    members: list[zipfile.ZipInfo], archive_bytes: int, max_megabytes: float, origin: str
) -> None:
    """Refuse an archive by its list of members, before any of them is unpacked."""
    refused = f"The archive {origin} is refused"
    size = sum(member.file_size for member in members)
    if size > max(SMALL_BYTES, MAX_RATIO * archive_bytes):
        raise InputError(
            f"{refused}: it would unpack to {size / 1e6:,.0f} MB, more than"
            f" {MAX_RATIO} times its size."
        )
    if size > 1e6 * max_megabytes:
        raise InputError(
            f"{refused}: it would unpack to {size / 1e6:,.0f} MB, more than"
            f" {max_megabytes:g} MB: raise limits.download_megabytes if it is the right one."
        )
    for member in members:
        name = PurePosixPath(member.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts or ":" in str(name):
            raise InputError(
                f"{refused}: its member {member.filename!r} would be written outside of its folder."
            )
        if stat.S_ISLNK(member.external_attr >> 16):
            raise InputError(f"{refused}: its member {member.filename!r} is a link.")
        if member.compress_type not in METHODS:
            raise InputError(
                f"{refused}: its member {member.filename!r} is compressed in another"
                " way than deflate; pack the model again with a common zip program."
            )
