"""Fetch a model (URL, folder, ONNX file or hub folder), check it, and install it."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voxslice.errors import full_disk
from voxslice.models.downloads import fetch, trust, unpack
from voxslice.models.hub_downloads import download_hub_folder
from voxslice.models.hub_folders import read_hub_folder
from voxslice.models.install import (
    REFERENCE,
    Adaptation,
    find_root,
    install,
    install_graph,
    install_onnx,
)
from voxslice.models.sessions import SAMPLING_RATE
from voxslice.models.transforms import require_trusted
from voxslice.models.windows import Windows


def fetch_model(
    source: Mapping[str, Any],
    target: str | Path,
    *,
    download: bool,
    record: str | Path,
    max_megabytes: float,
    max_minutes: float,
    max_seconds: float,
) -> None:
    """Fetch a model and install it.

    The checksum of a first download is recorded only after the model was installed. Later downloads
    are therefore never compared with a login page or a damaged archive.

    Args:
        source: Settings of the model in the config: one of `url`, `path`, `onnx` and `hub`, and
            `outputs` (labels of outputs), `pool`, `scale`, `window` with `sampling_rate`, and
            `sha256` if they are set. With `trust` and `sampling_rate`, the transform of a local
            folder is run, and `sha256` is the checksum of the folder. With `derive`, it is a
            variant, which is compared with its source later and not with reference outputs.
        target: Folder that receives `model.onnx`, `model.yaml` and `model.json`.
        download: Whether the source is a URL.
        record: JSON file that holds the checksums of earlier downloads.
        max_megabytes: Largest download, and most that an archive may unpack to, in MB.
        max_minutes: Longest time that the download may take, in minutes.
        max_seconds: Longest time to load the model, in seconds.

    Raises:
        InputError: The model cannot be downloaded or is refused.
        MachineError: A disk is full or memory is short.
    """
    hub = source.get("hub") or {}
    origin = _origin(source)
    place = origin
    if "derive" in source:
        origin += f", {hub['file']}"
    window = source.get("window")
    windows = Windows.from_settings(window, source["sampling_rate"]) if window else None
    trusted = bool(source.get("trust"))
    adaptation = Adaptation(
        source.get("pool") or {},
        source.get("scale") or {},
        windows,
        trusted=trusted,
        sampling_rate=source["sampling_rate"] if trusted else SAMPLING_RATE,
    )
    settings: dict[str, Any] = {
        "origin": origin,
        "max_seconds": max_seconds,
        "adaptation": adaptation,
    }
    with full_disk(tempfile.gettempdir()), tempfile.TemporaryDirectory() as temporary:
        local, checksum = Path(place), None
        if download and not hub:
            local = Path(temporary, "download")
            checksum = fetch(
                place,
                local,
                sha256=source.get("sha256"),
                record=record,
                max_megabytes=max_megabytes,
                max_minutes=max_minutes,
            )
        if hub.get("repo"):
            local = Path(temporary, "hub")
            local.mkdir()
            download_hub_folder(
                hub["repo"],
                hub["revision"],
                local,
                file=hub["file"],
                max_megabytes=max_megabytes,
                max_minutes=max_minutes,
            )
        if hub:
            found = read_hub_folder(
                local, file=hub.get("file"), outputs=source.get("outputs"), origin=origin
            )
            install_graph(
                found.graph,
                found.labels,
                target,
                original=None,
                checksum=found.checksum,
                sampling_rate=found.sampling_rate,
                parameters=found.parameters,
                first_seconds=found.first_seconds,
                require_labelled=True,
                reference=None if source.get("derive") else local / REFERENCE,
                **settings,
            )
        elif source.get("onnx"):
            install_onnx(local, source["outputs"], target, **settings)
        else:
            if source.get("url"):
                archive, local = local, Path(temporary, "model")
                local.mkdir()
                unpack(archive, local, max_megabytes=max_megabytes, origin=origin)
                local = find_root(local)
            if trusted:
                checksum = require_trusted(local, source.get("sha256"))
            install(local, target, checksum=checksum, **settings)
    if checksum and not source.get("sha256"):
        trust(origin, checksum, record=record)


def _origin(source: Mapping[str, Any]) -> str:
    """URL, path, or repository and revision that a model comes from."""
    hub = source.get("hub") or {}
    if hub.get("repo"):
        return f"{hub['repo']}@{hub['revision']}"
    return str(source.get("url") or source.get("path") or source.get("onnx") or hub["path"])
