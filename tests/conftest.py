import pytest
from snakemake_cli import ROOT, snakemake

DEMO = ROOT / "config/demo.yaml"


@pytest.fixture(scope="session")
def finished_study(tmp_path_factory):
    """Folder in which the embedded study has run once, all of it; not to be written to."""
    folder = tmp_path_factory.mktemp("demo")
    snakemake(folder, configfiles=[DEMO])
    return folder
