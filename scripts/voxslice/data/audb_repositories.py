"""Repositories of audb whose files are checked as they arrive, before audb reads them."""

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import audb
import audbackend
import pyarrow as pa
import pyarrow.parquet as pq

from voxslice.data.audb_archives import ADVICE, unpack
from voxslice.data.audb_contents import Contents, PublishedFile
from voxslice.data.database_headers import read_header
from voxslice.data.parquet_sizes import require_bounded
from voxslice.errors import InputError


class CheckedRepository(audb.Repository):
    """A repository whose files are checked before audb reads them.

    Args:
        place: `name`, `host` and `backend` of the repository.
        contents: The files that each archive must contain. Any other archive is refused.
    """

    def __init__(self, place: Mapping[str, str], contents: Contents) -> None:
        super().__init__(place["name"], place["host"], place["backend"])
        self.contents = contents

    def create_backend_interface(self) -> "_CheckedInterface":
        """Connect audb with the repository."""
        return _CheckedInterface(super().create_backend_interface().backend, self.contents)


class _CheckedInterface(audbackend.interface.Versioned):
    """Downloads files for audb: headers, tables and archives."""

    def __init__(self, backend: audbackend.backend.Base, contents: Contents) -> None:
        super().__init__(backend)
        self.contents = contents

    def get_file(self, src_path: str, dst_path: str, version: str, **settings: Any) -> str:
        """Download a file; remove it again if it is refused."""
        path = super().get_file(src_path, dst_path, version, **settings)
        try:
            name = PurePosixPath(src_path).name
            if name == "db.yaml":
                read_header(path)
            files = self.contents.get((src_path, version), {})
            if name.endswith(".parquet"):
                _require_readable(Path(path), next(iter(files), name))
            for file, published in files.items():
                _require_stated(Path(path), published, file)
        except InputError:
            Path(path).unlink()
            raise
        return path

    def get_archive(
        self,
        src_path: str,
        dst_root: str,
        version: str,
        *,
        tmp_root: str | None = None,
        **settings: Any,
    ) -> list[str]:
        """Download an archive and unpack what was published in it."""
        name = f"{src_path} {version}"
        if (src_path, version) not in self.contents:
            raise InputError(
                f"The archive {name} is refused because it was not published: {ADVICE}."
            )
        with tempfile.TemporaryDirectory(dir=tmp_root) as folder:
            archive = super().get_file(src_path, str(Path(folder, "archive.zip")), version)
            return unpack(archive, dst_root, self.contents[src_path, version], name)


def _require_readable(path: Path, file: str) -> None:
    """Refuse a table that is not Parquet, or that takes gigabytes of memory."""
    try:
        require_bounded(path, name=file)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"The table {file} is not readable Parquet: {ADVICE}.") from error


def _require_stated(path: Path, published: PublishedFile, file: str) -> None:
    """Refuse a table in Parquet that states another checksum than the published one."""
    # bytes of Parquet differ each time they are written, so audformat writes a checksum into it
    metadata = pq.read_schema(path).metadata or {}
    with path.open("rb") as opened:
        digest = hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False))
    if metadata.get(b"hash", digest.hexdigest().encode()).decode() != published.checksum:
        raise InputError(f"The table {file} is not the published one (MD5 differs): {ADVICE}.")
