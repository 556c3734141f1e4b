"""Without a target everything is planned."""

import pytest
from snakemake_cli import ROOT, planned

pytestmark = pytest.mark.workflow


@pytest.mark.parametrize("config", ["config.yaml", "demo.yaml"])
def test_without_a_target_everything_is_planned(tmp_path, config):
    jobs = planned(tmp_path, configfiles=[ROOT / "config" / config])
    assert {job.split()[0] for job in jobs} >= {
        "fetch_dataset",
        "fetch_model",
        "find_slices",
        "make_report",
        "make_view",
        "measure_costs",
    }
