"""Fingerprints of a script and of the modules that it imports."""

import re
from modulefinder import ModuleFinder

import pytest
from rule_files import rule_texts
from snakemake_cli import ROOT
from voxslice.config.fingerprints import fingerprint, sources

SCRIPTS = ROOT / "scripts"
MODULES = sorted((SCRIPTS / "voxslice").rglob("*.py"))
NAMES = sorted(path.stem for path in SCRIPTS.glob("*.py"))
PLANNING = "config"  # the room that Snakemake imports, and no script


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def project(tmp_path):
    write(
        tmp_path,
        {
            "voxslice/__init__.py": "",
            "voxslice/files.py": "import json\n",
            "voxslice/losses.py": "def f():\n    from voxslice.files import x\n",
            "voxslice/report/__init__.py": "",
            "voxslice/report/page.py": "from voxslice.report import charts\n",
            "voxslice/report/charts.py": "",
            "voxslice/report/page.css": "",
            "voxslice/other.py": "",
            "score.py": "from voxslice.losses import f\n",
            "make_report.py": "from voxslice.report.page import render\n",
        },
    )
    return tmp_path


@pytest.mark.parametrize(
    ("script", "modules"),
    [
        ("score", ["__init__", "files", "losses"]),
        ("make_report", ["__init__", "report/__init__", "report/charts", "report/page"]),
    ],
)
def test_imports_are_followed_also_within_functions(project, script, modules):
    expected = [project / f"{script}.py", *(project / f"voxslice/{m}.py" for m in modules)]
    found = sources(project / f"{script}.py")
    assert [file for file in found if file.suffix == ".py"] == sorted(expected)


def test_an_edit_of_a_template_changes_the_fingerprint_of_its_package_alone(project):
    def both():
        return [fingerprint(project / f"{name}.py") for name in ("score", "make_report")]

    before = both()
    (project / "voxslice/report/page.css").write_text("body {}")
    after = both()
    assert after[0] == before[0]
    assert after[1] != before[1]


def test_an_edit_of_an_imported_module_changes_only_fingerprints_that_import_it(project):
    def both():
        return [fingerprint(project / f"{name}.py") for name in ("score", "make_report")]

    before = both()
    (project / "voxslice/files.py").write_text("import json\n# a comment\n")
    after = both()
    assert after[0] != before[0]
    assert after[1] == before[1]
    (project / "voxslice/other.py").write_text("unused = True\n")
    (project / "score.py").touch()
    assert both() == after


def test_moving_text_between_files_changes_the_fingerprint(project):
    before = fingerprint(project / "score.py")
    script, module = project / "score.py", project / "voxslice/files.py"
    module.write_text(script.read_text() + module.read_text())
    script.write_text("from voxslice.losses import f\n")
    assert fingerprint(script) != before


def test_a_missing_script_is_an_error(project):
    with pytest.raises(FileNotFoundError):
        fingerprint(project / "scroe.py")


@pytest.mark.parametrize("name", NAMES)
def test_fingerprints_cover_all_modules_that_python_imports(name):
    finder = ModuleFinder([str(SCRIPTS)])
    finder.run_script(str(SCRIPTS / f"{name}.py"))
    imported = {module.__file__ for module in finder.modules.values() if module.__file__}
    found = sources(SCRIPTS / f"{name}.py")
    assert {str(path) for path in found if path.suffix == ".py"} == imported


def test_every_script_belongs_to_a_rule_that_reruns_with_it():
    scripts = set()
    for name, text in rule_texts().items():
        (script,) = re.findall(r"script:\s+\"\.\./scripts/(\w+)\.py\"", text)
        assert script == name and f'code=code("{name}")' in text
        scripts.add(script)
    assert scripts == set(NAMES) - {"view", "write_docs"}  # what people run


@pytest.mark.slow
def test_no_module_is_unused():
    used = {path for name in NAMES for path in sources(SCRIPTS / f"{name}.py")}
    used |= {path for path in MODULES if "spotlight_plugins" in path.parts}  # Spotlight loads it
    idle = [path for path in MODULES if path not in used and path.parent.name != PLANNING]
    assert idle == []
