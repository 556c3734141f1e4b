import json
from collections.abc import Sequence

from voxslice.files import write_text
from voxslice.inference.given_predictions import describe_tables
from voxslice.logs import to_log


def main(*, tables: Sequence[str], card: str) -> None:
    """Write the card of a model that is given as tables of predictions."""
    write_text(json.dumps(describe_tables(tables), indent=2) + "\n", card)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(tables=list(snakemake.input), card=snakemake.output[0])
