"""Lists of utterances of speech toolkits: Kaldi folders, and manifests of NeMo and Lhotse.

Snakemake imports this module each time it parses the workflow. The module therefore imports no
heavy library.
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from voxslice.data.csv_rows import CsvRows

MAX_BYTES = 10**9
"""Largest size of a manifest in bytes after it is unpacked."""
SUPERVISION = ("speaker", "gender", "language", "text")
"""Fields of a supervision of Lhotse that are columns, besides its custom fields."""
KALDI_COLUMNS = {"utt2spk": "speaker", "text": "text"}
"""Column of a file of Kaldi with one value per utterance. Other files `utt2x` give the column x."""


def is_manifest(path: str | Path) -> bool:
    """Whether a path is a Kaldi folder or a manifest, and not a table in CSV or Parquet.

    Args:
        path: file or folder

    Returns:
        True for a folder with `wav.scp`, and for the suffixes `.jsonl`, `.json` and `.jsonl.gz`
    """
    return Path(path, "wav.scp").is_file() or str(path).endswith((".jsonl", ".json", ".jsonl.gz"))


def read_manifest(path: str | Path) -> CsvRows:
    """Read the utterances of a Kaldi folder or a manifest as a table.

    Absolute names of files lose the slash at their beginning, so that they are relative to `/`.

    Args:
        path: folder with `wav.scp`, or a file with one JSON object per line: the fields
            `audio_filepath`, `offset` and `duration` of NeMo, or a cut of Lhotse

    Returns:
        the columns `file`, `start`, `end` and those of the labels, all cells text

    Raises:
        OSError: the path cannot be read
        ValueError: it is no such folder or manifest
    """
    found = _kaldi(Path(path)) if Path(path).is_dir() else _json_lines(Path(path))
    rows = list(found)
    names = list(dict.fromkeys(name for row in rows for name in row))
    if not rows:
        raise ValueError("it has no utterances")
    cells = [[_text(row.get(name)) for name in names] for row in rows]
    return CsvRows(names, cells)


def _kaldi(folder: Path) -> Iterator[dict[str, Any]]:
    """Utterances of a Kaldi folder."""
    wavs = _pairs(folder / "wav.scp")
    if (folder / "segments").is_file():
        spans = {key: value.split() for key, value in _pairs(folder / "segments").items()}
    else:
        spans = {key: [key, "", ""] for key in wavs}
    labels = {
        column: _pairs(folder / name)
        for name, column in KALDI_COLUMNS.items()
        if (folder / name).is_file()
    }
    for file in sorted(folder.glob("utt2*")):
        if file.name not in KALDI_COLUMNS:
            labels.setdefault(file.name.removeprefix("utt2"), _pairs(file))
    of_speakers = {
        file.name.removeprefix("spk2"): _pairs(file)
        for file in sorted(folder.glob("spk2*"))
        if file.name != "spk2utt"
    }
    for utterance, span in spans.items():
        if len(span) != 3 or span[0] not in wavs:
            raise ValueError(f"segments has the utterance {utterance} without a recording or times")
        place = wavs[span[0]]
        if place.endswith("|"):
            raise ValueError(f"wav.scp has a command for {span[0]}, which is not run: name a file")
        row: dict[str, Any] = {"file": _relative(place), "start": span[1], "end": span[2]}
        row["utterance"] = utterance
        row |= {name: values.get(utterance) for name, values in labels.items()}
        speaker = row.get("speaker")
        row |= {name: values.get(str(speaker)) for name, values in of_speakers.items()}
        yield row


def _pairs(path: Path) -> dict[str, str]:
    """Keys and values of a file of Kaldi."""
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = (line.strip().split(maxsplit=1) for line in lines if line.strip())
    return {pair[0]: pair[1] if len(pair) > 1 else "" for pair in pairs}


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Utterances of a manifest with one JSON object per line."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES // 10**6} MB")
    for number, line in enumerate(content.decode("utf-8-sig").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            if "audio_filepath" in entry:
                yield _nemo(entry)
            elif "recording" in entry:
                yield from _lhotse(entry)
            else:
                raise KeyError("audio_filepath")
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise ValueError(
                f"line {number} is neither an entry of NeMo nor a cut of Lhotse"
            ) from error


def _nemo(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of a manifest of NeMo."""
    start = float(entry.get("offset") or 0)
    end = start + float(entry["duration"]) if entry.get("duration") is not None else None
    rest = {
        name: value
        for name, value in entry.items()
        if name not in ("audio_filepath", "offset", "duration")
        and isinstance(value, str | int | float)
    }
    times = {"start": start, "end": None if end is None else round(end, 6)}
    return {"file": _relative(entry["audio_filepath"]), **times, **rest}


def _lhotse(cut: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The supervisions of a cut of Lhotse; the cut itself if it has none."""
    (source, *_) = cut["recording"]["sources"]
    if source["type"] != "file":
        raise ValueError("the audio is no file")
    file, start = _relative(source["source"]), float(cut["start"])
    whole = {"start": 0.0, "duration": cut["duration"]}
    for part in cut.get("supervisions") or [whole]:
        first = start + float(part["start"])
        row = {"file": file, "start": round(first, 6)}
        row["end"] = round(first + float(part["duration"]), 6)
        row |= {name: part[name] for name in SUPERVISION if part.get(name) is not None}
        yield row | {
            name: value
            for name, value in (part.get("custom") or {}).items()
            if name not in row and isinstance(value, str | int | float)
        }


def _relative(name: str) -> str:
    """A name relative to `/` if it is absolute."""
    return name.lstrip("/")


def _text(value: Any) -> str:
    """A cell as text; empty if it is missing."""
    return "" if value is None else str(value)
