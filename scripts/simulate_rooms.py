from pathlib import Path

import soundfile
from voxslice.conditions.rooms import RATE, simulated_rooms
from voxslice.logs import to_log


def main(*, seconds: float, seed: int, folder: str) -> None:
    """Simulate rooms with a reverberation time, and write their impulse responses as FLAC."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for number, response in enumerate(simulated_rooms(seconds, seed)):
        path = Path(folder, f"{number}.flac")
        # just below full scale, which 24 bits cannot hold
        soundfile.write(path, 0.999 * response, RATE, subtype="PCM_24")


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            seconds=snakemake.params.seconds,
            seed=snakemake.params.seed,
            folder=snakemake.output[0],
        )
