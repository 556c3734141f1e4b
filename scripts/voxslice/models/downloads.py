"""Fetch an archive, make sure that it is the one that was meant, unpack it inside its folder."""

import hashlib
import http.client
import json
import stat
import urllib.request
import zipfile
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from tqdm import tqdm

from voxslice.errors import InputError
from voxslice.files import whole, write_text

TIMEOUT = 60  # seconds without a single byte
BLOCK = 1 << 20


def fetch(url: str, path: str | Path, *, sha256: str | None, record: str | Path) -> str:
    """Download a file and verify it.

    Without a checksum from the config, the first download of a URL is trusted and its checksum is
    recorded; a later download of the same URL must give the same bytes.

    Args:
        url: `https://` or `file://`; plain `http://` only together with a checksum
        path: where to write the file
        sha256: expected checksum in hexadecimal, None where none is known
        record: JSON file that remembers the URL and its checksum

    Returns:
        the checksum of what was downloaded

    Raises:
        InputError: where the URL is of another kind or cannot be read, or the checksum differs
    """
    _require_safe(url, sha256)
    digest = hashlib.sha256()
    with whole(path) as temporary:
        try:
            # the scheme was checked above
            with (
                urllib.request.urlopen(url, timeout=TIMEOUT) as source,  # noqa: S310
                temporary.open("wb") as target,
                tqdm(
                    total=int(source.headers.get("Content-Length") or 0) or None,
                    desc=PurePosixPath(urlsplit(url).path).name,
                    unit="B",
                    unit_scale=True,
                ) as progress,
            ):
                reached, total = source.url, progress.total
                while block := source.read(BLOCK):
                    target.write(block)
                    digest.update(block)
                    progress.update(len(block))
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = str(getattr(error, "reason", None) or error) or type(error).__name__
            reason = " ".join(reason.split())
            raise InputError(
                f"The URL {url} cannot be read ({reason}): check the address and the network."
            ) from error
        _require_safe(reached, sha256)  # it may have been redirected
        size = temporary.stat().st_size
        if total and size != total:
            raise InputError(
                f"The download of {url} ended after {size} of {total} bytes: run the command again."
            )
        found = digest.hexdigest()
        _verify(found, url=url, sha256=sha256, record=Path(record))
    return found


def _require_safe(url: str, sha256: str | None) -> None:
    scheme = url.partition(":")[0].lower()
    if scheme not in ("https", "file") and not (scheme == "http" and sha256):
        raise InputError(
            f"The URL {url} is not fetched: use https:// or file:// (http:// needs a sha256)."
        )


def _verify(found: str, *, url: str, sha256: str | None, record: Path) -> None:
    if sha256 is not None:
        if found != sha256.lower():
            raise InputError(
                f"The download of {url} has the sha256 {found}, but the config says {sha256}:"
                " correct the config if the new file is meant, else distrust the source."
            )
        return
    known = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    if known.get(url, found) != found:
        raise InputError(
            f"The download of {url} has changed (sha256 {found}, before {known[url]}):"
            f" give its sha256 in the config or delete {record} if the new file is meant."
        )
    write_text(json.dumps(known | {url: found}, indent=2, sort_keys=True) + "\n", record)


RATIO, SMALL = 100, 10**8
"""An archive may unpack to 100 times its size, and to 100 MB in any case: weights hardly shrink."""


def unpack(archive: str | Path, folder: str | Path) -> None:
    """Unpack a zip archive, each member strictly inside the folder.

    Args:
        archive: the zip file
        folder: an existing folder

    Raises:
        InputError: where the file is not a zip or is damaged, would fill the disk, or has a member
            that is a link or would be written outside of the folder
    """
    try:
        with zipfile.ZipFile(archive) as source:
            # zipfile writes no more of a member than the size that is stated here
            size = sum(member.file_size for member in source.infolist())
            if size > max(SMALL, RATIO * Path(archive).stat().st_size):
                raise InputError(
                    f"The archive is refused: it would unpack to {size / 1e6:,.0f} MB, more than"
                    f" {RATIO} times its size."
                )
            for member in source.infolist():
                name = PurePosixPath(member.filename.replace("\\", "/"))
                if name.is_absolute() or ".." in name.parts or ":" in str(name):
                    raise InputError(
                        f"The archive is refused: its member {member.filename!r} would be written"
                        " outside of its folder."
                    )
                if stat.S_ISLNK(member.external_attr >> 16):
                    raise InputError(
                        f"The archive is refused: its member {member.filename!r} is a link."
                    )
            source.extractall(folder)  # checks each member's CRC
    except InputError:
        raise
    except Exception as error:  # zipfile and its decompressors raise a dozen kinds
        reason = str(error) or type(error).__name__
        raise InputError(f"Not a readable zip archive ({reason}): check the URL.") from error
