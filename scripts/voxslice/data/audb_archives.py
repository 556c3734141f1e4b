"""Archives of audb repositories, unpacked so that only published files get on the disk."""

import hashlib
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from stream_unzip import NO_ENCRYPTION, UnzipError, stream_unzip

from voxslice.data.audb_contents import PublishedFile
from voxslice.errors import InputError

BLOCK = 1 << 16
ADVICE = "use another repository or ask who published it"
MAX_RATIO = 100
"""Most bytes that a byte of an archive may unpack to if the length of a file was not published."""
SMALL_BYTES = 10**8
"""Bytes that a file in an archive of any size may have."""


def unpack(
    archive: str | Path, folder: str | Path, files: Mapping[str, PublishedFile], name: str
) -> list[str]:
    """Unpack an archive that holds the published files, all of them and no others.

    Each name is checked before anything of the file is written, and each file while it is written,
    in blocks. The directory at the end of the archive is never read: its size has no limit.

    Args:
        archive: ZIP file.
        folder: Existing folder for the files.
        files: The published files of the archive by name; names are relative and plain.
        name: Name of the archive, for messages.

    Returns:
        The names of the files.

    Raises:
        InputError: The archive is not a readable ZIP file, holds a file that was not published or
            lacks one, or a file differs from the published one. The folder is then as before.
    """
    written: list[str] = []
    plausible = max(SMALL_BYTES, MAX_RATIO * Path(archive).stat().st_size)
    try:
        with Path(archive).open("rb") as source:
            blocks = iter(partial(source.read, BLOCK), b"")
            members = stream_unzip(blocks, allowed_encryption_mechanisms=[NO_ENCRYPTION])
            for raw_name, _, chunks in members:
                file = raw_name.decode("utf-8", errors="replace")
                if file not in files or file in written:
                    if not file.endswith("/") or any(chunks):  # an entry for a folder is empty
                        raise _refused(name, f"it holds {file[:200]!r}, which was not published")
                    continue
                written.append(file)
                _write(chunks, Path(folder, file), files[file], plausible, name)
        for file, published in files.items():
            if file not in written and not published.removed:
                raise _refused(name, f"it lacks {file!r}")
    except UnzipError as error:
        _remove(written, folder)
        raise _refused(name, f"it is not a readable ZIP file ({type(error).__name__})") from error
    except BaseException:
        _remove(written, folder)
        raise
    return written


def _write(
    chunks: Iterable[bytes], path: Path, published: PublishedFile, plausible: int, name: str
) -> None:
    max_bytes = plausible if published.max_bytes is None else published.max_bytes
    digest = hashlib.md5(usedforsecurity=False)  # what audb publishes
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with path.open("wb") as target:
        for chunk in chunks:
            size += len(chunk)
            if size > max_bytes:
                raise _refused(name, f"its file {path.name!r} is larger than expected")
            digest.update(chunk)
            target.write(chunk)
    if published.checksum not in (None, digest.hexdigest()):
        raise _refused(name, f"its file {path.name!r} is not the published one (MD5 differs)")


def _remove(files: Iterable[str], folder: str | Path) -> None:
    for file in files:
        Path(folder, file).unlink(missing_ok=True)


def _refused(name: str, reason: str) -> InputError:
    return InputError(f"The archive {name} is refused because {reason}: {ADVICE}.")
