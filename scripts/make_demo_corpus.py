from pathlib import Path

from voxslice.demo.corpus import publish
from voxslice.logs import to_log


def main(header: str, *, seed: int) -> None:
    """Make the corpus of the embedded study, and publish it in a repository of audb."""
    # <host>/<repository>/<dataset>/<version>/db.yaml
    publish(Path(header).parents[3], seed)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(snakemake.output[0], seed=snakemake.params.seed)
