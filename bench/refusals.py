"""Benchmark of refusals: time and memory until hostile input is refused.

Each attack is written to its own folder. A separate process then uses it as a job of the
workflow does, and must end with one sentence. Its time and memory include all imports.

    python bench/refusals.py                # everything; writes bench/refusals.md
    python bench/refusals.py --only link    # attacks with this word in their names, printed only
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PATHS = [str(ROOT / "scripts"), str(ROOT / "tests/support")]
MAX_SECONDS, MAX_MB, TIMEOUT, RUNS = 2.0, 300, 60, 2
SENTENCES = (
    "Error: ",
    "voxslice.errors.InputError: ",
    "voxslice.models.time_limits.TimeLimitError: ",
)
"""Beginnings of the last line that a refused job prints."""
KINDS = {
    1: "code in a dataset",
    2: "what audb unpacks",
    3: "memory by a small archive",
    4: "a model inside the model",
    5: "YAML that never ends",
    6: "the interactive view",
    7: "scripts in Snakemake's report",
    9: "tables that can be read in two ways",
    10: "trust that is too early",
    11: "the machine's limits",
}
HEAD = """# Benchmark of refusals

Made by `python bench/refusals.py`. Each attack is refused with one sentence in a process of its
own. Seconds and memory include the start of Python and all imports; "imports" is what a process
takes that only imports the same modules. The limits are {seconds:g} processor seconds and {mb} MB.

The faster of {runs} runs is shown. Processor seconds depend less on other programs on the machine
than wall-clock seconds: the load average was {load:.0f} on {cores} cores. Memory below that of the
benchmark itself ({own:.0f} MB) cannot be measured.

Two kinds of attacks are not listed because nothing is refused: results that stay old (jobs run
again instead), and text that turns round (it is shown safely).

| kind | attack | processor s | imports (processor s) | wall-clock s | peak MB |
|---|---|--:|--:|--:|--:|
"""


@dataclass(frozen=True)
class Attack:
    """An attack on a part of the workflow.

    Attributes:
        kind: Key of `KINDS`.
        name: Description of the attack.
        write: Function that writes the attack to the current folder.
        arguments: Arguments of the function.
        imports: Statements that import what the program uses.
        program: Statement that must raise an error of one sentence.
    """

    kind: int
    name: str
    write: Callable[..., None]
    arguments: tuple
    imports: str
    program: str


@dataclass(frozen=True)
class Cost:
    """What a process takes: processor seconds, wall-clock seconds, peak memory in MB, last line."""

    seconds: float
    wall: float
    mb: float
    line: str


# audio, databases and repositories


@cache
def _base(_process: int) -> Path:
    """Folder with a database `db`, its repository `host`, and a `model`, made once per process."""
    import audformat
    from small_inputs import noise, publish, write_audio, write_model

    folder = Path(tempfile.mkdtemp())
    files = ["audio/a.wav", "audio/b.wav"]
    for seed, file in enumerate(files):
        write_audio(folder / "db" / file, noise(1, seed=seed))
    db = audformat.Database("voices")
    db.schemes["emotion"] = audformat.Scheme(labels=["joy", "fear"])
    db["files"] = audformat.Table(audformat.filewise_index(files))
    db["files"]["emotion"] = audformat.Column(scheme_id="emotion")
    db["files"]["emotion"].set(["joy", "fear"])
    publish(db, folder / "db", folder / "host")
    write_model(folder / "model")
    return folder


def _copy(name: str) -> Path:
    return shutil.copytree(_base(os.getpid()) / name, name)


def _write_header(text: str, place: str = "db") -> None:
    _copy(place)
    path = next(Path(place).rglob("db.yaml"))
    path.write_text(path.read_text() + text)


def _write_pickle() -> None:
    _copy("db")
    Path("db/db.files.parquet").unlink()
    Path("db/db.files.pkl").write_bytes(b"cos\nsystem\n(S'touch run'\ntR.")


def _write_pipe() -> None:
    _copy("db")
    Path("db/db.files.parquet").unlink()
    os.mkfifo("db/db.files.parquet")


def _write_table_id() -> None:
    _copy("db")
    path = Path("db/db.yaml")
    path.write_text(path.read_text().replace("\n  files:", "\n  x/../../elsewhere:"))


def _dependencies():
    import audb

    table = audb.Dependencies()
    table.load("host/local/voices/1.0.0/db.parquet")
    return table


def _archive() -> Path:
    _copy("host")
    name = _dependencies().archive("audio/a.wav")
    return Path("host/local/voices/media/1.0.0", f"{name}.zip")


def _write_member(name: str) -> None:
    import zipfile

    with zipfile.ZipFile(_archive(), "a") as target:
        target.writestr(name, b"content")


def _write_other_audio() -> None:
    import zipfile

    with zipfile.ZipFile(_archive(), "w") as target:
        target.write(_base(os.getpid()) / "db/audio/b.wav", "audio/a.wav")


def _write_linked_member() -> None:
    import stat
    import zipfile

    member = zipfile.ZipInfo("audio/a.wav")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(_archive(), "w") as target:
        target.writestr(member, "/etc/passwd")


def _write_large_member() -> None:
    _write_zeros(_archive(), "deflate", 3000, "audio/a.wav")


def _write_many_members() -> None:
    import struct

    head = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 0, 0, 0, 0, 0, 0, 1, 0)
    _archive().write_bytes((head + b"x") * 500_000)


def _write_cut_archive() -> None:
    path = _archive()
    path.write_bytes(path.read_bytes()[:1000])


def _write_forged_table(kind: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    _copy("host")
    path = Path("host/local/voices/meta/1.0.0/files.parquet")
    table = pq.read_table(path)
    metadata = table.schema.metadata
    if kind == "labels":
        table = table.set_column(1, table.schema.field(1), table["emotion"].take([1, 0]))
    elif kind == "rows":
        table = pa.table({name: pa.repeat("x", 20_000_000) for name in table.column_names})
    else:
        table = pa.table({"file": pa.repeat("x" * 100_000, 20_000)})
    pq.write_table(table.replace_schema_metadata(metadata), path)


def _write_large_dependencies() -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    _copy("host")
    path = Path("host/local/voices/1.0.0/db.parquet")
    row = pq.read_table(path).slice(0, 1)
    pq.write_table(pa.table({n: pa.repeat(row[n][0], 5_000_000) for n in row.column_names}), path)


# archives and models


def _write_zeros(path: Path, method: str, megabytes: int, member: str = "model.onnx") -> None:
    import zipfile

    methods = {"bzip2": zipfile.ZIP_BZIP2, "LZMA": zipfile.ZIP_LZMA}
    compression = methods.get(method, zipfile.ZIP_DEFLATED)
    with (
        zipfile.ZipFile(path, "w", compression) as target,
        target.open(member, "w", force_zip64=True) as file,
    ):
        for _ in range(megabytes):
            file.write(bytes(1_000_000))


def _write_archive(method: str, megabytes: int) -> None:
    Path("out").mkdir()
    _write_zeros(Path("a.zip"), method, megabytes)


def _write_archive_of_many() -> None:
    import zipfile

    Path("out").mkdir()
    with zipfile.ZipFile("a.zip", "w") as target:
        for number in range(60_000):
            target.writestr(f"{number:x}", b"")


def _write_definition(text: str) -> None:
    _copy("model")
    Path("model/model.yaml").write_text(
        f"$audonnx.core.model.Model:\n  path: model.onnx\n{text}", encoding="utf-8"
    )


def _write_linked_model() -> None:
    _copy("model")
    Path("model/model.onnx").rename("elsewhere")
    Path("model/model.onnx").symlink_to("../elsewhere")


def _write_piped_model() -> None:
    _copy("model")
    Path("model/model.onnx").unlink()
    os.mkfifo("model/model.onnx")


def _write_functions() -> None:
    import onnx
    from onnx import helper

    _copy("model")
    proto = onnx.load("model/model.onnx")
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("local", 1)]
    for number in range(30):
        inner = [("Abs", "")] if number == 0 else [(f"f{number - 1}", "local")] * 4
        names = ["x", *(f"x{index}" for index in range(len(inner) - 1)), "y"]
        nodes = [
            helper.make_node(operation, [names[index]], [names[index + 1]], domain=domain)
            for index, (operation, domain) in enumerate(inner)
        ]
        proto.functions.append(
            helper.make_function("local", f"f{number}", ["x"], ["y"], nodes, opsets)
        )
    proto.opset_import.append(helper.make_opsetid("local", 1))
    proto.graph.node.append(helper.make_node("f29", ["signal"], ["z"], domain="local"))
    onnx.save(proto, "model/model.onnx")


def _write_endless_model() -> None:
    from endless_models import write_endless

    write_endless(Path("model"))


ALIASES = "\n".join(
    ["  a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    + [f"  a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
)
MERGE_KEYS = "\n".join(
    ["  m0: &m0 {k: 1}"]
    + [f"  m{i}: &m{i} {{<<: [{', '.join([f'*m{i - 1}'] * 10)}], k{i}: 1}}" for i in range(1, 12)]
)
YAML = {
    "aliases": ALIASES,
    "merge keys": MERGE_KEYS,
    "depth": "  labels: " + "[" * 100_000,
    "nodes": "  labels: [" + "1," * 3_000_000 + "1]",
    "a number of many digits": "  labels: [" + "1" * 3_000_000 + "]",
    "keys of one hash": "  labels: {"
    + ", ".join(f"{i * (2**61 - 1)}: 1" for i in range(50_000))
    + "}",
}


# tables, links, downloads and configs


def _write_table(text: str) -> None:
    Path("t.csv").write_text(text)
    shutil.copytree(_base(os.getpid()) / "db/audio", "audio")


def _write_parquet_of_one_name() -> None:
    import pandas as pd

    _write_table("")
    table = pd.DataFrame([["a.wav", 1, 2]], columns=["file", "u\u0308", "\u00fc"])
    table.to_parquet("t.parquet")


def _write_links(count: int, target: str = "../private.wav") -> None:
    _write_table("file\n" + "".join(f"{number}.wav\n" for number in range(count)))
    Path("private.wav").write_bytes(Path("audio/a.wav").read_bytes())
    for number in range(count - 1):
        Path(f"audio/{number}.wav").symlink_to("a.wav")
    Path(f"audio/{count - 1}.wav").symlink_to(target)


def _write_linked_folder() -> None:
    _write_table("file\nfolder/passwd\n")
    Path("audio/folder").symlink_to("/etc")


def _write_bytes(name: str, content: bytes) -> None:
    Path(name).write_bytes(content)


def _write_device() -> None:
    Path("model.zip").symlink_to("/dev/zero")


def _write_large_file() -> None:
    with Path("model.zip").open("wb") as file:
        file.truncate(10**9)


def _write_nothing() -> None:
    """The program needs no files."""


LOCAL = "from voxslice.data.databases import list_utterances"
LIST = "list_utterances('db', 'files', {})"
AUDB = "from voxslice.data.audb_download import fetch_audb"
FETCH = (
    "fetch_audb('out/audio', name='voices', version='1.0.0', repositories=[{'name': 'local',"
    " 'host': 'host', 'backend': 'file-system'}], sampling_rate=16000, format='wav',"
    " table='files', filters={}, cache='out/partial')"
)
ARCHIVE = "from voxslice.models.downloads import unpack"
UNPACK = "unpack('a.zip', 'out', max_megabytes=20000)"
MODEL = "from voxslice.models.install import install"
INSTALL = "install('model', 'out', origin='here', checksum=None)"
CSV = "from voxslice.data.csv_tables import list_utterances"
LIST_CSV = "list_utterances('t.csv', 'audio', {})"
GUARD = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from voxslice.report.spotlight.guard import Guard
"""
REQUESTS = """
async def table(request):
    return PlainTextResponse("the table")
client = TestClient(Guard(Starlette(routes=[Route("/", table)]), "secret"))
headers = {headers}
assert all(client.get("/", headers=headers).status_code == 403 for _ in range(100))
sys.exit("Error: All requests are refused.")
"""
CONFIG = """
import yaml
from voxslice.config.complete import complete
"""
COMPLETE = """
config = yaml.safe_load(Path({example!r}).read_text(encoding="utf-8"))
config{change}
complete(config, yaml.safe_load(Path({schema!r}).read_text(encoding="utf-8")))
"""
DOWNLOAD = "from voxslice.models.downloads import fetch"
SAVE = (
    "fetch(Path('model.zip').absolute().as_uri(), 'saved', sha256=None, record='record.json',"
    " max_megabytes=100, max_minutes=1)"
)
TRUST = "from voxslice.models.fetching import fetch_model"
TRUST_MODEL = (
    "fetch_model({'url': Path('model.zip').absolute().as_uri(), 'path': None, 'onnx': None,"
    " 'outputs': None, 'sha256': None}, 'out', download=True, record='record.json',"
    " max_megabytes=100, max_minutes=1, max_seconds=60)"
)


def _requests(origin: str, host: str = "127.0.0.1:5000") -> str:
    headers = {"host": host, "origin": origin, "cookie": "voxslice_view_5000=secret"}
    return REQUESTS.format(headers=headers)


def _completing(change: str) -> str:
    example, schema = str(ROOT / "config/demo.yaml"), str(ROOT / "config/schema.yaml")
    return COMPLETE.format(example=example, change=change, schema=schema)


def attacks() -> list[Attack]:
    """All attacks of the benchmark."""
    tag = "note: !!python/object/apply:os.system ['touch run']\n"
    view = "import runpy\nsys.argv = ['view.py', 'none', '--port', '99999']"
    show = f"runpy.run_path({str(ROOT / 'scripts/view.py')!r}, run_name='__main__')"
    nested = "  labels: {$audonnx.core.model.Model: {path: /elsewhere/other.onnx}}\n"
    rows = "".join(f"{number}.wav,joy\n" for number in range(100_000))
    return [
        Attack(1, "code in `db.yaml`", _write_header, (tag,), LOCAL, LIST),
        Attack(1, "a table that is a pickle", _write_pickle, (), LOCAL, LIST),
        Attack(
            1, "the id of a table that names a file elsewhere", _write_table_id, (), LOCAL, LIST
        ),
        Attack(1, "a pipe as table", _write_pipe, (), LOCAL, LIST),
        Attack(1, "code in a fetched `db.yaml`", _write_header, (tag, "host"), AUDB, FETCH),
        Attack(2, "an archive name outside (relative)", _write_member, ("../../x",), AUDB, FETCH),
        Attack(2, "an archive name outside (absolute)", _write_member, ("/tmp/x",), AUDB, FETCH),
        Attack(2, "an archive name `db.files.pkl`", _write_member, ("db.files.pkl",), AUDB, FETCH),
        Attack(2, "other audio (checksum)", _write_other_audio, (), AUDB, FETCH),
        Attack(2, "a link in an archive (checksum)", _write_linked_member, (), AUDB, FETCH),
        Attack(2, "a file of 3 GB in an archive", _write_large_member, (), AUDB, FETCH),
        Attack(2, "an archive of 500,000 members", _write_many_members, (), AUDB, FETCH),
        Attack(2, "an archive that is cut", _write_cut_archive, (), AUDB, FETCH),
        Attack(2, "a forged table (checksum)", _write_forged_table, ("labels",), AUDB, FETCH),
        Attack(2, "a table of 20,000,000 rows", _write_forged_table, ("rows",), AUDB, FETCH),
        Attack(2, "a table of long texts", _write_forged_table, ("text",), AUDB, FETCH),
        Attack(2, "a large dependency table", _write_large_dependencies, (), AUDB, FETCH),
        Attack(3, "90 MB in bzip2", _write_archive, ("bzip2", 90), ARCHIVE, UNPACK),
        Attack(3, "90 MB in LZMA", _write_archive, ("LZMA", 90), ARCHIVE, UNPACK),
        Attack(3, "150 MB of zeros", _write_archive, ("deflate", 150), ARCHIVE, UNPACK),
        Attack(3, "60,000 members", _write_archive_of_many, (), ARCHIVE, UNPACK),
        Attack(4, "a model in the labels", _write_definition, (nested,), MODEL, INSTALL),
        Attack(4, "a transform", _write_definition, ("  transform: text\n",), MODEL, INSTALL),
        Attack(4, "a link out of the folder", _write_linked_model, (), MODEL, INSTALL),
        Attack(4, "a pipe as ONNX file", _write_piped_model, (), MODEL, INSTALL),
        Attack(4, "functions that expand without end", _write_functions, (), MODEL, INSTALL),
        *(
            Attack(5, f"{name} in `model.yaml`", _write_definition, (text,), MODEL, INSTALL)
            for name, text in YAML.items()
        ),
        Attack(5, "aliases in `db.yaml`", _write_header, ("x:\n" + ALIASES,), LOCAL, LIST),
        Attack(
            5,
            "aliases in a fetched `db.yaml`",
            _write_header,
            ("x:\n" + ALIASES, "host"),
            AUDB,
            FETCH,
        ),
        Attack(6, "`--port 99999`", _write_nothing, (), view, show),
        Attack(
            6,
            "100 requests of another page",
            _write_nothing,
            (),
            GUARD,
            _requests("https://evil.example"),
        ),
        Attack(
            6,
            "100 requests after DNS rebinding",
            _write_nothing,
            (),
            GUARD,
            _requests("http://evil.example:5000", "evil.example:5000"),
        ),
        Attack(
            7,
            "`</script>` in a licence",
            _write_nothing,
            (),
            CONFIG,
            _completing("['datasets']['demo']['license'] = '</script>'"),
        ),
        Attack(
            7,
            "a folder that becomes `</script>`",
            _write_nothing,
            (),
            "from voxslice.config.script_texts import check_folders",
            "check_folders('/data/</script>')",
        ),
        Attack(9, "a row that lacks a cell", _write_table, ("file,a,b\na.wav,1\n",), CSV, LIST_CSV),
        Attack(
            9,
            "a row that lacks a cell, after 100,000 rows",
            _write_table,
            (f"file,emotion\n{rows}a.wav\n",),
            CSV,
            LIST_CSV,
        ),
        Attack(9, "two columns of one name", _write_table, ("file,file\na,b\n",), CSV, LIST_CSV),
        Attack(
            9, "an open quotation mark", _write_table, (f'file,a\na.wav,"{rows}',), CSV, LIST_CSV
        ),
        Attack(
            9,
            "two columns of one name in Parquet",
            _write_parquet_of_one_name,
            (),
            CSV,
            LIST_CSV.replace("t.csv", "t.parquet"),
        ),
        Attack(
            10,
            "a login page as first download",
            _write_bytes,
            ("model.zip", b"<html>Log in</html>"),
            TRUST,
            TRUST_MODEL,
        ),
        Attack(
            10, "a record of another form", _write_bytes, ("record.json", b"[]"), DOWNLOAD, SAVE
        ),
        Attack(11, "a link to a private file", _write_links, (1,), CSV, LIST_CSV),
        Attack(11, "a link out after 10,000 links", _write_links, (10_001,), CSV, LIST_CSV),
        Attack(11, "a link to `/dev/zero`", _write_links, (1, "/dev/zero"), CSV, LIST_CSV),
        Attack(11, "a link to a folder", _write_linked_folder, (), CSV, LIST_CSV),
        Attack(11, "a download of a device", _write_device, (), DOWNLOAD, SAVE),
        Attack(11, "a download of 1 GB", _write_large_file, (), DOWNLOAD, SAVE),
        Attack(
            11,
            "an endless model (limit of 0.3 s)",
            _write_endless_model,
            (),
            MODEL,
            INSTALL.replace("checksum=None", "checksum=None, max_seconds=0.3"),
        ),
        Attack(
            11,
            "a number that is NaN",
            _write_nothing,
            (),
            CONFIG,
            _completing("['alpha'] = float('nan')"),
        ),
        Attack(
            11,
            "an id that ends in a newline",
            _write_nothing,
            (),
            CONFIG,
            _completing("['tasks']['x\\n'] = {}"),
        ),
    ]


def write(attack: Attack, folder: str) -> None:
    """Write an attack to a folder. The modules for it are imported in this process only."""
    sys.path[:0] = [path for path in PATHS if path not in sys.path]
    Path(folder).mkdir()
    os.chdir(folder)
    attack.write(*attack.arguments)


def measure(program: str, folder: str) -> Cost:
    """Run a program in a new process."""
    words = [sys.executable, "-c", f"import sys\nsys.path[:0] = {PATHS[:1]!r}\n{program}"]
    begin = time.perf_counter()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=errors)
        timer = threading.Timer(TIMEOUT, process.kill)
        timer.start()
        _, process.returncode, usage = os.wait4(process.pid, 0)
        timer.cancel()
        wall = time.perf_counter() - begin
        errors.seek(0)
        line = (errors.read().splitlines() or [""])[-1]
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1e3, line)


def _least(costs: Iterable[Cost]) -> Cost:
    """The run with the fewest processor seconds."""
    return min(costs, key=lambda cost: cost.seconds)


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="a word in the names of the attacks to run")
    only = parser.parse_args().only
    chosen = [attack for attack in attacks() if only is None or only in attack.name]
    lines, failed = [], []
    with tempfile.TemporaryDirectory() as root, ProcessPoolExecutor(1) as writer:
        imports: dict[str, Cost] = {}
        for number, attack in enumerate(chosen):
            folder = str(Path(root, str(number)))
            head = f"from pathlib import Path\n{attack.imports}\n"
            if attack.imports not in imports:
                imports[attack.imports] = _least(measure(head, root) for _ in range(RUNS))
            costs = []
            for _ in range(RUNS):
                writer.submit(write, attack, folder).result()
                costs.append(measure(head + attack.program, folder))
                shutil.rmtree(folder)
            cost = _least(costs)
            lines.append(
                f"| {KINDS[attack.kind]} | {attack.name} | {cost.seconds:.2f} |"
                f" {imports[attack.imports].seconds:.2f} | {cost.wall:.2f} | {cost.mb:.0f} |"
            )
            print(f"{lines[-1]} {cost.line[:150]}", flush=True)
            refused = cost.line.startswith(SENTENCES)
            if not refused or cost.seconds > MAX_SECONDS or cost.mb > MAX_MB:
                failed.append(attack.name)
    if only is None:
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        head = HEAD.format(
            seconds=MAX_SECONDS,
            mb=MAX_MB,
            runs=RUNS,
            load=os.getloadavg()[1],
            own=own,
            cores=os.cpu_count(),
        )
        page = head + "\n".join(lines) + "\n"
        (HERE / "refusals.md").write_text(page, encoding="utf-8")
    if failed:
        sys.exit(f"Not refused, or too slow, or too large: {', '.join(failed)}")


if __name__ == "__main__":
    _main()
