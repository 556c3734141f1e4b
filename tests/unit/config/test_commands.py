"""The command that makes a report again."""

import pytest
from voxslice.config.commands import command_of

TARGET = "results/report/mine/gender.html"


@pytest.mark.parametrize(
    ("snakefile", "folder", "configfiles", "overrides", "flags"),
    [
        ("/a/voxslice/Snakefile", "/a/voxslice", [], {}, ""),
        (
            "/a/voxslice/Snakefile",
            "/a/voxslice",
            ["/a/voxslice/config/demo.yaml"],
            {},
            " --configfile config/demo.yaml",
        ),
        (
            "/a/voxslice/Snakefile",
            "/a/study",
            ["/a/voxslice/x.yaml", "/a/study/mine.yaml", "/a/study/mine.yaml"],
            {},
            " --snakefile ../voxslice/Snakefile --configfile ../voxslice/x.yaml mine.yaml",
        ),
        (
            "/a/voxslice/Snakefile",
            "/a/voxslice",
            ["/a/my studies/it's.yaml"],
            {"seed": 1, "device": "cpu", "report": {"max_megabytes": 5}},
            """ --configfile '../my studies/it'"'"'s.yaml' --config seed=1 device=cpu"""
            """ 'report={"max_megabytes": 5}'""",
        ),
    ],
)
def test_the_command_is_for_the_folder_of_the_results(
    snakefile, folder, configfiles, overrides, flags
):
    command = command_of(
        TARGET, snakefile=snakefile, folder=folder, configfiles=configfiles, overrides=overrides
    )
    assert command == f"snakemake {TARGET}{flags} --cores all"
