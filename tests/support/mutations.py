"""Random mutations of a small study: of its table, its config, its audio and its models."""

import csv
import io
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import yaml

TEXTS = [
    *("", " ", "x", "0", "1", "-1", "1.5", "1,5", "1e999", "nan", "inf", "-inf", "9" * 40, "007"),
    *("1_000", "0x10", "1,250", "2020-01-01", "00:00:01", "true", "NULL", "None", "unknown", "-"),
    *("female", "female ", "Female", "FEMALE", "male", "weiblich", "child", "all", "a", "b"),
    *("é", "e\u0301", "½", "١٢", "😀" * 20, "\u202eabc", "\ufeff", "\u200b", "\xa0", "İ", "ß"),
    *(
        "\x00",
        "\x1b[31m",
        "\t",
        "a\nb",
        "a\rb",
        "a\r\nb",
        '"',
        "'",
        ",",
        ";",
        '","',
        "\x7f",
        "\x85",
    ),
    *(
        "=1+1",
        "+1",
        "@x",
        "-2+3|cmd",
        "<b>x</b>",
        "{model}",
        "{",
        "%s",
        "\\",
        "$HOME",
        "~",
        "#",
        "|",
    ),
    *(
        "a & b",
        "in 0..2",
        "x = y",
        ".",
        "..",
        "/",
        "../x",
        "./a0.wav",
        "a0.wav",
        "a0.wav/",
        "A0.WAV",
    ),
    *("voices.csv", "audio", "first", "gender", "age", "take", "file", "start", "end", "duration"),
    *("speaker", "model", "label", "loss", "prediction", "x" * 300, "x" * 5000),
]
"""Texts that people, programs and mistakes put into a cell or a value."""
VALUES = [
    *(None, True, False, 0, 1, -1, 2, 0.5, 1e-9, 1e9, -1e300, 10**30, float("nan"), float("inf")),
    *([], {}, [1], ["x"], {"x": 1}, [[]], [None], ["female", "female"], {1: 2}, {"a": {"b": "c"}}),
]
"""Values of other types than text that a config can have."""
NUMBERS = [
    0,
    1,
    2,
    3,
    16,
    24,
    255,
    256,
    4096,
    8000,
    22050,
    65535,
    2**24,
    2**31 - 1,
    2**31,
    2**32 - 1,
]
"""Numbers for the fields of a header, which have 16 or 32 bits."""
WAV_FIELDS = {
    "size of the file": (4, "<I"),
    "size of the format": (16, "<I"),
    "format": (20, "<H"),
    "channels": (22, "<H"),
    "sampling rate": (24, "<I"),
    "bytes per second": (28, "<I"),
    "bytes per frame": (32, "<H"),
    "bits per sample": (34, "<H"),
    "size of the data": (40, "<I"),
}


@dataclass
class Mutation:
    """What was changed in a study.

    Attributes:
        kind: `csv`, `config`, `audio` or `model`
        what: description of the change
        table: rows of the table that follow from the change, by column; None where the change
            leaves open what the table says
        files: audio files that were changed
        models: models that were changed
        names: keys and texts of the config before and after its change: a refusal names one
    """

    kind: str
    what: str
    table: list[dict[str, str]] | None = None
    files: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()


def shown(value):
    """A value in one short line."""
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def mutate(draw):
    """Mutate the study in the current folder.

    Args:
        draw: `random.Random`

    Returns:
        what was changed, as a `Mutation`
    """
    return draw.choice([mutate_table, mutate_config, mutate_audio, mutate_model])(draw)


def mutate_table(draw):
    if draw.random() < 0.35:
        return Mutation("csv", _mutate_text(draw, Path("voices.csv"), TABLE_TEXT))
    text = Path("voices.csv").read_text(encoding="utf-8")
    header, *rows = list(csv.reader(io.StringIO(text)))
    change = draw.choice([_cell] * 6 + [_cells, _drop, _double, _swap, _shuffle, _columns, _times])
    what = change(draw, header, rows)
    written = io.StringIO()
    csv.writer(written).writerows([header, *rows])
    Path("voices.csv").write_bytes(written.getvalue().encode("utf-8"))
    # if a name occurs twice, it is not clear which column is meant
    table = [dict(zip(header, row, strict=True)) for row in rows]
    return Mutation("csv", what, table if len(set(header)) == len(header) else None)


def _cell(draw, header, rows):
    row, column = draw.randrange(len(rows)), draw.randrange(len(header))
    rows[row][column] = draw.choice(TEXTS)
    return f"row {row + 1}, {header[column]}: {shown(rows[row][column])}"


def _cells(draw, header, rows):
    column, share = draw.randrange(len(header)), draw.choice([0.2, 0.5, 1])
    texts = draw.choices(TEXTS, k=draw.choice([1, 3, 20]))
    for row in rows:
        if draw.random() < share:
            row[column] = draw.choice(texts)
    return f"{share:.0%} of {header[column]}: {shown(texts)}"


def _drop(draw, header, rows):
    count = draw.choice([1, 1, 5, len(rows) - 1, len(rows)])
    for _ in range(count):
        del rows[draw.randrange(len(rows))]
    return f"{count} rows dropped"


def _double(draw, header, rows):
    row = list(draw.choice(rows))
    column = draw.choice([None, *range(len(header))])
    if column is not None:
        row[column] = draw.choice(TEXTS)
    rows.insert(draw.randrange(len(rows) + 1), row)
    return "a row doubled" + (f", {header[column]}: {shown(row[column])}" if column else "")


def _swap(draw, header, rows):
    row, (one, two) = draw.choice(rows), draw.sample(range(len(header)), 2)
    row[one], row[two] = row[two], row[one]
    return f"{header[one]} and {header[two]} of {shown(row)} swapped"


def _shuffle(draw, header, rows):
    draw.shuffle(rows)
    return "rows shuffled"


def _columns(draw, header, rows):
    column, change = draw.randrange(len(header)), draw.choice(["dropped", "renamed", "doubled"])
    name = header[column]
    if change == "renamed":
        header[column] = draw.choice([*TEXTS, name.upper(), f" {name}", f"\ufeff{name}"])
        return f"column {name} renamed to {shown(header[column])}"
    for row in [header, *rows]:
        if change == "dropped":
            del row[column]
        else:
            row.append(row[column])
    if change == "doubled" and draw.random() < 0.5:
        header[-1] = draw.choice(TEXTS)
    return f"column {name} {change}"


def _times(draw, header, rows):
    times = ["", "0", "0.0", "0.1", "0.2", "0.25", "0.3", "0.31", "5", "-1", "x", "0,1", "1e300"]
    name, wanted = draw.choice(["start", "end"]), draw.choices(times, k=draw.choice([1, 2, 4]))
    header.append(name)
    for row in rows:
        row.append(draw.choice(wanted))
    return f"column {name}: {shown(wanted)}"


def mutate_config(draw):
    path = Path("config.yaml")
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    names = _names(config)
    what = "; ".join(_change_node(draw, config) for _ in range(draw.choice([1, 1, 1, 1, 1, 2])))
    path.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return Mutation("config", what, names=frozenset(names | _names(config)))


def _names(node):
    """All keys and texts of a config."""
    if isinstance(node, dict):
        return {str(key) for key in node if key != ""}.union(*map(_names, node.values()))
    if isinstance(node, list):
        return set().union(*map(_names, node))
    return {node} if isinstance(node, str) and node else set()


SETTINGS = {
    "seed": [1, 2**32, 10**20],
    "alpha": [0.001, 0.5],
    "longest_seconds": [0.1, 0.3, 1e9],
    "failures_tolerated": [0, 1],
    "datasets.voices.links": ["anywhere"],
    "datasets.voices.shard_hours": [1e-9, 1e-4, 1e9],
    "datasets.voices.filter": [{"emotion": ["anger"]}, {"age": [30, 40]}, {"take": ["7"]}, {}],
    "datasets.voices.columns.take.type": ["category", "number"],
    "datasets.voices.columns.gender.type": ["category", "number"],
    "datasets.voices.columns.level.bins": [2, 10],
    "datasets.voices.columns.guess": [
        {"model": "first", "label": name} for name in ("age", "male")
    ],
    "datasets.voices.columns.length": [{"measure": "duration"}],
    "datasets.voices.columns.again": [{"column": "gender"}, {"column": "none"}],
    "models.first.scale": [{"logits_gender": "probabilities"}, {"logits_gender": "logits"}],
    "models.first.sampling_rate": [8000, 48000, 16001],
    "models.first.tasks": [["gender"], ["age"], [], ["age", "age"]],
    "models.first.embedding_output": ["hidden_states", "logits_age", "none"],
    "models.third": [
        {"path": "models/first", "tasks": ["age"], "license": "MIT"},
        {"derive": {"from": "first", "quantize": "fp16"}},
        {"onnx": "models/first/model.onnx", "tasks": ["age"], "license": "MIT"},
    ],
    "tasks.gender.labels": [
        ["male", "female"],
        ["female"],
        ["male", "x"],
        ["female", "male", "child"],
    ],
    "tasks.gender.classes": [{"child": "female"}, {"child": "child"}, {"male": "female"}],
    "tasks.gender.exclude": [["child"], ["male"], ["x"]],
    "tasks.gender.target": ["emotion", "speaker", "take", "age", "level"],
    "tasks.gender.margin": [0.05],
    "tasks.age.target": ["take", "level", "gender"],
    "tasks.age.scale": [100, 1e-30, 1e30],
    "tasks.age.label": ["age", "male"],
    "tasks.age.output": ["logits_gender", "hidden_states"],
    "searches.metadata.depth": [1, 4],
    "searches.metadata.min_support": [2, 24, 1000],
    "searches.metadata.features": [["level"], ["speaker"], ["age", "guess"], []],
    "searches.other": [{"finder": "subgroups", "features": ["level", "take"]}],
}
"""Values that a config may well have, by their place."""


def _add_setting(draw, config):
    """Set a key to a value that a user could give."""
    place = draw.choice(list(SETTINGS))
    *parents, key = place.split(".")
    node = config
    for name in parents:
        node = node.get(name) if isinstance(node, dict) else None
    if not isinstance(node, dict):  # an earlier change has removed it
        return f"{place} has no place"
    node[key] = draw.choice(SETTINGS[place])
    return f"{place}: {shown(node[key])}"


def _nodes(node, place=()):
    """Each part of a config below its root: what holds it, its key, and its place."""
    for key, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
        yield node, key, (*place, key)
        if isinstance(value, dict | list):
            yield from _nodes(value, (*place, key))


def _change_node(draw, config):
    if draw.random() < 0.6:
        return _add_setting(draw, config)
    nodes = list(_nodes(config))
    holder, key, place = draw.choice(nodes)
    name, value = ".".join(map(str, place)), holder[key]
    change = draw.choice(["value", "value", "number", "other", "drop", "list", "rename", "copy"])
    if change == "drop":
        del holder[key]
        return f"{name} dropped"
    if change in ("rename", "copy") and isinstance(holder, dict):
        text = str(key)
        misspelt = text[:-1] + draw.choice("sx-_ ") if draw.random() < 0.5 else text.upper()
        new = draw.choice([misspelt, misspelt, draw.choice(TEXTS), draw.choice([None, 1, True])])
        items = [(new if other == key else other, kept) for other, kept in holder.items()]
        items += [(key, yaml.safe_load(yaml.safe_dump(value)))] if change == "copy" else []
        holder.clear()
        holder.update(items)
        return f"{name} {'renamed' if change == 'rename' else 'copied'} to {shown(new)}"
    if change == "list":
        holder[key] = [value]
    elif change == "other":
        other, at, _ = draw.choice(nodes)
        holder[key] = yaml.safe_load(
            yaml.safe_dump(other.get(at) if isinstance(other, dict) else at)
        )
    elif change == "number" and isinstance(value, int | float) and not isinstance(value, bool):
        holder[key] = draw.choice([value + 1, value * 2, value / 2, -value, value * 10, str(value)])
    else:
        holder[key] = draw.choice([draw.choice(VALUES), draw.choice(TEXTS)])
    return f"{name}: {shown(holder[key])}"


def mutate_audio(draw):
    files = sorted(Path("audio").iterdir())
    chosen = draw.sample(files, draw.choice([1, 1, 1, 2, 4, len(files)]))
    change = draw.choice([_bytes, _bytes, _header, _header, _sound, _sound])
    seed = draw.random()
    done = []
    for file in chosen:
        # large changes do the same to each file
        done.append(change(type(draw)(seed), file))
    names = ", ".join(file.name for file in chosen[:3]) + (", ..." if len(chosen) > 3 else "")
    return Mutation("audio", f"{names}: {done[0]}", files=tuple(file.name for file in chosen))


def _bytes(draw, file):
    """Change the bytes of a file, as a broken disk, a broken copy or a mistake does."""
    content = bytearray(file.read_bytes())
    change = draw.choice(["flip", "flip", "flip", "truncate", "truncate", "insert", "replace"])
    if change == "flip":
        end = draw.choice([44, 200, len(content)])
        count = draw.choice([1, 1, 3, 30, 1000])
        for _ in range(count):
            content[draw.randrange(min(end, len(content)))] ^= 1 << draw.randrange(8)
        done = f"{count} bits of the first {end} bytes flipped"
    elif change == "truncate":
        size = draw.choice([0, 1, 12, 44, 46, draw.randrange(len(content)), len(content) - 1])
        del content[size:]
        done = f"cut to {size} bytes"
    elif change == "insert":
        at, count = draw.randrange(len(content)), draw.choice([1, 2, 1000])
        content[at:at] = draw.randbytes(count)
        done = f"{count} bytes inserted at {at}"
    else:
        content = draw.choice([draw.randbytes(5000), b"\0" * 5000, b"<html>404</html>", b"RIFF"])
        done = f"replaced by {shown(bytes(content))}"
    file.write_bytes(content)
    return done


def _header(draw, file):
    content = bytearray(file.read_bytes())
    name = draw.choice(list(WAV_FIELDS))
    at, kind = WAV_FIELDS[name]
    number = draw.choice(NUMBERS) % 2 ** (8 * struct.calcsize(kind))
    struct.pack_into(kind, content, at, number)
    file.write_bytes(content)
    return f"{name} of the header: {number}"


def _sound(draw, file):
    signal, rate = soundfile.read(str(file), dtype="float32")
    stereo = np.stack([signal, -signal], axis=1)
    odd = signal.copy()
    odd[draw.randrange(len(odd))] = draw.choice([np.nan, np.inf, 1e30])
    sounds = {
        "silence": (0 * signal, rate, "WAV", "PCM_16"),
        "channels out of phase": (stereo, rate, "WAV", "PCM_16"),
        "no samples": (signal[:0], rate, "WAV", "PCM_16"),
        "one sample": (signal[:1], rate, "WAV", "PCM_16"),
        "20 samples": (signal[:20], rate, "WAV", "PCM_16"),
        "not finite": (odd, rate, "WAV", "FLOAT"),
        "8 kHz": (signal, 8000, "WAV", "PCM_16"),
        "1 Hz": (signal, 1, "WAV", "PCM_16"),
        "10 MHz": (signal, 10_000_000, "WAV", "PCM_16"),
        "twice as long": (np.tile(signal, 2), rate, "WAV", "PCM_16"),
        "FLAC": (signal, rate, "FLAC", "PCM_16"),
        "Ogg": (signal, rate, "OGG", "VORBIS"),
        "MP3": (signal, rate, "MP3", "MPEG_LAYER_III"),
        "AIFF": (signal, rate, "AIFF", "PCM_24"),
        "A-law": (signal, rate, "WAV", "ALAW"),
        "8 bits": (signal, rate, "WAV", "PCM_U8"),
        "deleted": None,
    }
    name = draw.choice(list(sounds))
    file.unlink()
    if sounds[name] is not None:
        samples, rate, kind, subtype = sounds[name]
        soundfile.write(str(file), samples, rate, format=kind, subtype=subtype)
    return name


def mutate_model(draw):
    path = draw.choice(["models/first/model.onnx", "models/first/model.yaml", "models/second.zip"])
    model = Path(path).stem if path.endswith("zip") else Path(path).parent.name
    if path.endswith("yaml"):
        done = _mutate_text(draw, Path(path), MODEL_TEXT)
    elif path.endswith("onnx") and draw.random() < 0.5:
        done = _weights(draw, Path(path))
    else:
        done = _bytes(draw, Path(path))
    return Mutation("model", f"{path}: {done}", models=(model,))


def _weights(draw, file):
    """Change bytes of the weights, so that the model mostly still runs."""
    content = bytearray(file.read_bytes())
    at = content.index(b"w_hidden") + draw.randrange(-40, 12)
    content[at] = draw.choice([0, 127, 128, 255])
    file.write_bytes(content)
    return f"byte {at} set to {content[at]}"


TABLE_TEXT = [
    (",", ";"),
    (",", "\t"),
    (",", "|"),
    (",", " "),
    (",", ", "),
    (",", '","'),
    ("\n", "\r"),
]
"""Texts of a table and what they are replaced by, in one place or in all."""
MODEL_TEXT = [
    *((":", ""), (":", ": "), ("- ", ""), ("  ", "\t"), ("female", "male"), ("age", "gender")),
    *(("model.onnx", "../model.onnx"), ("model.onnx", "x"), ("logits", "x"), ("path", "transform")),
    *(
        ("$", ""),
        ("audonnx", "os"),
        ("child", "[]"),
        ("child", "{}"),
        ("child", "1"),
        ("male", "no"),
    ),
    *(("==", "!"), ("labels", "label"), ("device", "&a [*a]"), ("Model", "system"), ("null", "x")),
]
"""Texts of a model.yaml and what they are replaced by, in one place or in all."""
ENCODINGS = ["utf-16", "utf-16-le", "utf-8-sig", "cp1252", "latin-1", "utf-32", "cp037"]


def _mutate_text(draw, file, pairs):
    """Change the text of a file: separators, quotes, encodings, line ends, bytes."""
    text = file.read_text(encoding="utf-8")
    change = draw.choice(["replace"] * 3 + ["encoding", "insert", "line", "begin", "end", "bytes"])
    if change == "replace":
        old, new = draw.choice(pairs)
        everywhere = draw.random() < 0.6 or old not in text
        at = (
            0
            if everywhere
            else draw.choice([i for i in range(len(text)) if text.startswith(old, i)])
        )
        text = text[:at] + text[at:].replace(old, new, -1 if everywhere else 1)
        done = f"{shown(old)} is {shown(new)}" + ("" if everywhere else f" at {at}")
    elif change == "encoding":
        encoding = draw.choice(ENCODINGS)
        text = text.replace("female", "weiblichä") if draw.random() < 0.5 else text
        file.write_bytes(text.encode(encoding))
        return f"encoded in {encoding}"
    elif change == "insert":
        at, new = draw.randrange(len(text)), draw.choice(TEXTS)
        text = text[:at] + new + text[at:]
        done = f"{shown(new)} inserted at {at}"
    elif change == "line":
        lines = text.splitlines(keepends=True)
        at = draw.randrange(len(lines))
        lines.insert(at, draw.choice(["\n", " \n", "#\n", "x\n", ",,,\n", lines[at], '"\n']))
        text, done = "".join(lines), f"line {at + 1}: {shown(lines[at])}"
    elif change == "begin":
        new = draw.choice(
            ["\ufeff", "sep=,\n", "sep=;\n", "\n", "\n\n", "# x\n", '"', "---\n", "\0"]
        )
        text, done = new + text, f"{shown(new)} in front"
    elif change == "end":
        new = draw.choice(["", "\n", "\n\n\n", "x", '"', ",", "\x1a", "\0", "\n,,,\n", "\n=1+1\n"])
        text, done = text.rstrip("\n") + new, f"{shown(new)} at the end"
    else:
        return _bytes(draw, file)
    file.write_bytes(text.encode("utf-8"))
    return done
