from collections.abc import Sequence

from voxslice.decisions.documents import verdict
from voxslice.errors import InputError
from voxslice.files import read_csv, write_text
from voxslice.logs import to_log


def main(*, tables: Sequence[str], undecided_fails: bool, passed: str) -> None:
    """Fail if a check of the study has failed."""
    if not tables:
        raise InputError("The config has no checks: list them under the key checks.")
    good, sentence = verdict([read_csv(path) for path in tables], undecided_fails=undecided_fails)
    if not good:
        raise InputError(f"{sentence[:-1]}: see results/checks/.")
    write_text(f"{sentence}\n", passed)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            tables=snakemake.input,
            undecided_fails=snakemake.params.undecided_fails,
            passed=snakemake.output[0],
        )
