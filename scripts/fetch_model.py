import tempfile
from pathlib import Path

from voxslice.data.local_data import of_files, write_seen
from voxslice.logs import to_log
from voxslice.models.downloads import fetch, unpack
from voxslice.models.install import find_root, install, install_onnx

with to_log(snakemake.log), tempfile.TemporaryDirectory() as temporary:
    source, target = snakemake.params.source, Path(snakemake.output.card).parent
    state = snakemake.params.state
    seen = of_files(list(snakemake.input)).look(state, threads=1) if state else None
    place = source["url"] or source["path"] or source["onnx"]
    local, checksum = Path(place), None
    if snakemake.params.download:
        local = Path(temporary) / "download"
        record = snakemake.params.record
        checksum = fetch(place, local, sha256=source["sha256"], record=record)
    if source["onnx"]:
        install_onnx(local, source["outputs"], target, origin=place)
    elif source["url"]:
        folder = Path(temporary) / "model"
        folder.mkdir()
        unpack(local, folder)
        install(find_root(folder), target, origin=place, checksum=checksum)
    else:
        install(local, target, origin=place, checksum=None)
    if seen:
        write_seen(seen, snakemake.params.seen)
