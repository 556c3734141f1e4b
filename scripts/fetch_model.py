import tempfile
from pathlib import Path

from voxslice.downloads import fetch, unpack
from voxslice.logs import to_log
from voxslice.models import find_root, install

with to_log(snakemake.log), tempfile.TemporaryDirectory() as temporary:
    source = snakemake.params.source
    folder, checksum = source["path"], None
    if source["url"]:
        archive, folder = Path(temporary) / "archive.zip", Path(temporary) / "model"
        folder.mkdir()
        record = snakemake.params.record
        checksum = fetch(source["url"], archive, sha256=source["sha256"], record=record)
        unpack(archive, folder)
        folder = find_root(folder)
    install(
        folder,
        Path(snakemake.output.card).parent,
        origin=source["url"] or source["path"],
        checksum=checksum,
    )
