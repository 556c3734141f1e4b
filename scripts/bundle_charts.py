import vl_convert
from voxslice.files import write_text
from voxslice.logs import to_log


def main(library: str) -> None:
    """Write the JavaScript that draws charts into one file."""
    # the type of vl_convert wrongly requires an argument
    write_text(vl_convert.javascript_bundle(), library)  # type: ignore[call-arg]


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(snakemake.output[0])
