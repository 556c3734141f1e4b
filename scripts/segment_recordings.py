from collections.abc import Mapping, Sequence

import pandas as pd
from voxslice.data.utterances import ordered
from voxslice.files import read_predictions, write_csv, write_parquet
from voxslice.logs import to_log
from voxslice.recordings.segments import Lengths
from voxslice.recordings.table import describe, segment_recordings
from voxslice.recordings.turns import match_recordings, read_turns


def main(
    *,
    speech: Sequence[str],
    recordings: str,
    contents: str,
    turns: Sequence[str],
    segment: Mapping[str, float | str],
    channels: Mapping[str, str] | None,
    source: str,
    outputs: Mapping[str, str],
) -> None:
    """Divide the recordings of a dataset into segments, which are its utterances."""
    listed = pd.read_parquet(recordings)
    table = read_predictions(list(speech))
    by = str(segment["by"])
    named = ", ".join(turns)
    found = segment_recordings(
        table,
        by=by,
        lengths=Lengths(*(float(segment[name]) for name in ("min", "max", "join"))),
        turns=match_recordings(read_turns(turns), list(table["file"]), named) if turns else None,
        channels=listed if channels else None,
        source=source,
    )
    print(describe(found, float(segment["min"])))
    write_parquet(found.segments, outputs["segments"])
    write_csv(found.overview, outputs["overview"])
    write_parquet(pd.read_parquet(contents), outputs["contents"])
    write_parquet(ordered(found.segments, source), outputs["utterances"])


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            speech=snakemake.input.speech,
            recordings=snakemake.input.recordings,
            contents=snakemake.input.contents,
            turns=snakemake.input.turns,
            segment=snakemake.params.segment,
            channels=snakemake.params.channels,
            source=snakemake.params.source,
            outputs=dict(snakemake.output.items()),
        )
