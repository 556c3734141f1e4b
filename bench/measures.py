"""How exact and how fast are the measures? Known changes are made to clean speech.

    python bench/measures.py AUDIO [--every 5]      # prints a table

AUDIO is a folder of WAV files, for example resources/emodb/audio/wav after the default study. Every
fifth file is used. Telephone audio is G.711 or GSM 06.10 at 8 kHz, stored at the original rate.
Clipped speech has a known share of samples at the limits. Noise is white or pink, with a known
ratio to the speech; half a second of pauses is added at both ends for it. The time is that of one
thread.
"""

import argparse
import io
import sys
import time
from pathlib import Path

import audresample
import numpy as np
import soundfile
from sklearn.metrics import roc_auc_score

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from voxslice.data.audio import Audio, resampled
from voxslice.data.bandwidth import bandwidth_hz
from voxslice.data.levels import clipping, snr
from voxslice.data.measures import MEASURES
from voxslice.data.signals import RATE, frames_of
from voxslice.data.voice_activity import speech_share
from voxslice.errors import InputError

ACTIVE = 10 ** (-35 / 10)
"""Power of a frame of clean speech that counts as speech, relative to the loudest frame."""


def over(signal: np.ndarray, subtype: str) -> np.ndarray:
    """Send a signal at `RATE` over a telephone codec at 8 kHz."""
    coded = io.BytesIO()
    sent = audresample.resample(signal[np.newaxis], RATE, 8000)[0]
    soundfile.write(coded, sent.clip(-1, 1), 8000, format="WAV", subtype=subtype)
    coded.seek(0)
    received, _ = soundfile.read(coded, dtype="float32")
    return audresample.resample(received[np.newaxis], 8000, RATE)[0]


def noise(samples: int, color: str, rng: np.random.Generator) -> np.ndarray:
    """White or pink noise with a standard deviation of 1."""
    spectrum = np.fft.rfft(rng.normal(size=samples))
    if color == "pink":
        spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 8))
    signal = np.fft.irfft(spectrum, samples)
    return (signal / signal.std()).astype(np.float32)


def report_bandwidth(signals: list[np.ndarray]) -> None:
    """Print how well the limit separates telephone audio from clean audio."""
    clean = [bandwidth_hz(signal, RATE) for signal in signals]
    for subtype in ("ULAW", "ALAW", "GSM610"):
        sent = [bandwidth_hz(over(signal, subtype), RATE) for signal in signals]
        truth = [0] * len(sent) + [1] * len(clean)
        print(
            f"bandwidth {subtype}: AUC {roc_auc_score(truth, sent + clean):.4f};"
            f" at most {max(sent):.0f} Hz, clean at least {min(clean):.0f} Hz"
        )


def report_clipping(signals: list[np.ndarray]) -> None:
    """Print the measured share of clipped samples divided by the true one."""
    for share in (0.001, 0.005, 0.01, 0.05):
        ratios = []
        for signal in signals:
            limit = np.quantile(np.abs(signal), 1 - share)
            clipped = np.round(signal.clip(-limit, limit) * 2**15) / 2**15
            ratios.append(clipping(clipped) / (np.abs(signal) >= limit).mean())
        low, middle, high = np.percentile(ratios, [5, 50, 95])
        print(f"clipping of {share:.1%}: measured {low:.2f}, {middle:.2f}, {high:.2f} of it")
    flagged = np.mean([clipping(np.round(signal * 2**15) / 2**15) > 0 for signal in signals])
    print(f"clipping: {flagged:.1%} of the clean utterances have any (percentiles 5, 50, 95 above)")


def report_noise(signals: list[np.ndarray], rng: np.random.Generator) -> None:
    """Print the mean errors of the signal-to-noise ratio and of the share of speech."""
    pause = np.zeros(RATE // 2, np.float32)
    padded = [np.concatenate([pause, signal, pause]) for signal in signals]
    powers = [frames_of(signal).var(axis=1) for signal in padded]
    shares = np.array([(power > ACTIVE * power.max()).mean() for power in powers])
    for color in ("white", "pink"):
        for ratio in (20, 10, 5, 0):
            gain = 10 ** (-ratio / 20)
            noisy = [x + gain * x.std() * noise(len(x), color, rng) for x in padded]
            ratios = np.array([snr(signal) for signal in noisy]) - ratio
            found = np.array([speech_share(signal) for signal in noisy]) - shares
            print(
                f"{color} noise at {ratio} dB: snr {ratios.mean():+.1f} dB (absolute error"
                f" {np.abs(ratios).mean():.1f}), speech_share {found.mean():+.2f} (absolute error"
                f" {np.abs(found).mean():.2f})"
            )


def report_time(signals: list[np.ndarray]) -> None:
    """Print the processor time of each measure for an utterance."""
    total = 0.0
    for name, quantity in MEASURES.items():
        began = time.process_time()
        for signal in signals:
            audio = Audio(signal, RATE)
            try:
                quantity.of(audio, resampled(audio, RATE)[0])
            except InputError:
                continue
        each = (time.process_time() - began) / len(signals) * 1000
        total += each if name != "pitch" else 0
        print(f"{name}: {each:.2f} ms")
    print(f"all but pitch: {total:.2f} ms")


def main() -> None:
    """Print errors and times of all measures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("audio", type=Path)
    parser.add_argument("--every", type=int, default=5)
    arguments = parser.parse_args()
    files = sorted(arguments.audio.glob("*.wav"))[:: arguments.every]
    read = [soundfile.read(str(path), dtype="float32") for path in files]
    signals = [audresample.resample(signal[np.newaxis], rate, RATE)[0] for signal, rate in read]
    seconds = np.mean([len(signal) for signal in signals]) / RATE
    print(f"{len(signals)} utterances of {seconds:.1f} s on average")
    report_bandwidth(signals)
    report_clipping(signals)
    report_noise(signals, np.random.default_rng(0))
    report_time(signals)


if __name__ == "__main__":
    main()
