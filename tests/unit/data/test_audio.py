"""Audio of many formats is read, mixed to mono and resampled."""

import errno
import os
import resource
import subprocess
import tempfile
from math import inf
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile
from small_inputs import RATE, noise, write_audio
from voxslice.data.audio import (
    NO_SIGNAL,
    OUT_OF_PHASE,
    read_audio,
    read_utterance,
    require_folder,
    seconds,
    stream_audio,
)
from voxslice.errors import InputError, MachineError


def tone(seconds, rate=RATE, frequency=440):
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


@pytest.mark.parametrize(
    ("name", "rate", "channels", "settings", "close"),
    [
        ("plain.wav", RATE, 1, {"subtype": "FLOAT"}, 1e-7),
        ("16bit.wav", RATE, 1, {"subtype": "PCM_16"}, 1e-4),
        ("24bit.wav", RATE, 1, {"subtype": "PCM_24"}, 1e-6),
        ("a-law.wav", RATE, 1, {"subtype": "ALAW"}, 0.02),
        ("stereo.wav", RATE, 2, {"subtype": "FLOAT"}, 1e-7),
        ("8khz.wav", 8000, 1, {"subtype": "FLOAT"}, 0.01),
        ("96khz.wav", 96000, 1, {"subtype": "FLOAT"}, 0.01),
        ("44khz stereo.flac", 44100, 2, {}, 0.01),
        ("a.mp3", RATE, 1, {}, 0.05),
        ("a.ogg", RATE, 1, {}, 0.05),
        ("a.opus", RATE, 1, {"format": "OGG", "subtype": "OPUS"}, 0.05),
        ("a.aiff", RATE, 1, {}, 1e-4),
        ("no suffix", RATE, 1, {"format": "WAV"}, 1e-4),
        ("mp3 inside.wav", RATE, 1, {"format": "MP3"}, 0.05),
    ],
)
def test_any_format_rate_and_number_of_channels(tmp_path, name, rate, channels, settings, close):
    path = write_audio(
        tmp_path / name, np.stack([tone(1, rate)] * channels, 1), rate=rate, **settings
    )
    assert seconds(path) == pytest.approx(1)
    signal = read_utterance(path, 0.25, 0.75, RATE)
    assert signal.dtype == np.float32 and signal.shape == (1, RATE // 2)
    inner = slice(400, -400)  # resampling rings at the edges
    np.testing.assert_allclose(signal[0, inner], tone(0.75)[RATE // 4 :][inner], atol=close)


@pytest.mark.parametrize(
    ("subtype", "rate", "close"),
    [("GSM610", 8000, 0.1), ("G721_32", 8000, 0.02), ("NMS_ADPCM_16", 8000, 0.2)],
)
@pytest.mark.parametrize("frequency", [220, 440])
def test_formats_in_which_libsndfile_cannot_seek(tmp_path, subtype, rate, close, frequency):
    signal = tone(3, rate, frequency)
    path = write_audio(tmp_path / "a.wav", signal, rate=rate, subtype=subtype)
    assert seconds(path) == pytest.approx(3, abs=0.041)  # whole blocks
    for start, end in ((0, 3), (0, 0.5), (1.3, 1.9)):
        found, found_rate, _ = read_audio(path, start, end)
        assert found_rate == rate
        expected = signal[round(start * rate) : round(end * rate)]
        assert np.abs(found - expected)[200:].mean() < close
    with pytest.raises(InputError, match="the file ends "):
        read_audio(path, 3, 4)


@pytest.fixture
def with_ffmpeg(tmp_path, monkeypatch):
    """Path of ffmpeg in a folder without other programs."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "ffmpeg").symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
    monkeypatch.setenv("PATH", str(programs))
    return programs / "ffmpeg"


def converted(ffmpeg, signal, path, *options):
    """Let ffmpeg write a signal at 16 kHz into a file."""
    source = write_audio(path.parent / "source.wav", signal)
    command = [ffmpeg, "-v", "error", "-y", "-i", source, *options, path]
    subprocess.run(command, check=True)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.m4a", "a.webm", "a.wma", "call.mp4", "M4A inside.wav"])
def test_ffmpeg_reads_formats_that_libsndfile_does_not_read(tmp_path, with_ffmpeg, name):
    options = ["-f", "mp4"] if name.endswith(".wav") else []
    for frequency, length in ((300, 2.0), (700, 3.5)):
        path = converted(with_ffmpeg, tone(length, RATE, frequency), tmp_path / name, *options)
        assert seconds(path) == pytest.approx(length, abs=0.1)
        for start, end in ((0, seconds(path)), (0.7, 1.4)):
            found = read_utterance(path, start, end, RATE)[0]
            assert len(found) / RATE == pytest.approx(end - start, abs=0.1)
            spectrum = np.abs(np.fft.rfft(found))
            assert spectrum.argmax() * RATE / len(found) == pytest.approx(frequency, abs=2)


def test_ffmpeg_reads_a_segment_of_m4a_where_it_is(tmp_path, with_ffmpeg):
    signal = np.concatenate([tone(1, RATE, 300), np.zeros(RATE), tone(1, RATE, 900)])
    path = converted(with_ffmpeg, signal, tmp_path / "a.m4a")
    for start, end in ((0.5, 1.5), (1.25, 2.75), (2.5, 3)):
        found = read_utterance(path, start, end, RATE)[0]
        expected = signal[round(start * RATE) : round(end * RATE)]
        assert np.abs(found - expected).mean() < 0.02


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.m4a"])
def test_a_long_file_is_read_in_blocks(tmp_path, with_ffmpeg, name):
    signal = np.concatenate([tone(1.2, RATE, 300), np.zeros(RATE), tone(1, RATE, 900)])
    path = converted(with_ffmpeg, signal, tmp_path / name)
    for start, end in ((0, 3.2), (0.5, 2.5), (2.2, inf)):
        blocks = list(stream_audio(path, start, end, seconds=0.4))
        assert max(block.shape[1] for block, _ in blocks) <= 0.4 * RATE
        assert {rate for _, rate in blocks} == {RATE}
        found = np.concatenate([block[0] for block, _ in blocks])
        expected = signal[round(start * RATE) : round(min(end, 3.2) * RATE)]
        assert len(found) == pytest.approx(len(expected), abs=0.1 * RATE)
        shared = slice(0, min(len(found), len(expected)))
        tones = [np.abs(np.fft.rfft(part[shared])).argmax() for part in (found, expected)]
        assert tones[0] == pytest.approx(tones[1], abs=3)


def test_a_file_that_no_program_reads_is_not_streamed(tmp_path, with_ffmpeg, monkeypatch):
    path = tmp_path / "a.amr"
    path.write_bytes(b"#!AMR" + bytes(100))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="AMR is not read here: convert it to WAV or FLAC"):
        list(stream_audio(path, 0, 1))


@pytest.mark.slow
def test_ogg_of_several_streams(tmp_path, with_ffmpeg, monkeypatch):
    """Several Ogg streams in one file, of which libsndfile reads only one, without an error."""
    parts = []
    for number, settings in enumerate([{}, {"format": "OGG", "subtype": "OPUS"}] * 2):
        path = write_audio(tmp_path / f"{number}.ogg", noise(1 + number), **settings)
        parts.append(path.read_bytes())
    for first, second in ((0, 2), (3, 1)):
        path = tmp_path / "radio.ogg"
        path.write_bytes(parts[first] + parts[second])
        assert seconds(path) == pytest.approx(2 + first + second, abs=0.1)
        assert read_utterance(path, 1 + first, 2 + first, RATE).shape == (1, RATE)
    monkeypatch.setenv("PATH", "")
    assert reason(path) == (
        "the audio cannot be read (Ogg with several streams in succession is not read here: convert"
        " it to WAV or FLAC, or install ffmpeg)"
    )


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.m4a", b"\0\0\0 ftypM4A " + bytes(3000), "M4A"),
        ("phone.wav", b"\0\0\0 ftypM4A " + bytes(3000), "M4A"),
        ("a.MP4", b"\0\0\0 ftypisom" + bytes(3000), "MP4"),
        ("a.amr", b"#!AMR\n" + b"\xff" * 3000, "AMR"),
    ],
)
def test_formats_that_only_ffmpeg_reads(tmp_path, name, content, kind, with_ffmpeg, monkeypatch):
    path = tmp_path / name
    path.write_bytes(content)
    assert seconds(path) == 0
    assert reason(path).startswith("the audio cannot be read (ffmpeg: ")
    monkeypatch.setenv("PATH", "")
    assert seconds(path) == 0
    assert reason(path) == (
        f"the audio cannot be read ({kind} is not read here: convert it to WAV or FLAC, or install"
        " ffmpeg)"
    )


def test_signals_that_are_silent(tmp_path):
    left = 0.3 * noise(1)
    for signal, cause in (
        (np.stack([left, -left], 1), OUT_OF_PHASE),
        (np.stack([left, left, -2 * left], 1), OUT_OF_PHASE),
        (np.zeros(RATE), NO_SIGNAL),
        (np.full((RATE, 2), 0.2), NO_SIGNAL),
    ):
        path = write_audio(tmp_path / "a.wav", signal)
        assert read_audio(path, 0, 1).silence == cause
        assert read_audio(path, 0.5, 0.505).silence == cause
    for signal in (0.01 * left, np.eye(1, RATE, 100)[0], np.stack([left, 0 * left], 1)):
        assert read_audio(write_audio(tmp_path / "a.wav", signal), 0, 1).silence == ""


def test_channels_are_averaged(tmp_path):
    channels = noise(0.1, channels=3)
    path = write_audio(tmp_path / "a.wav", channels, subtype="FLOAT")
    np.testing.assert_allclose(
        read_utterance(path, 0, 0.1, RATE)[0], channels.mean(axis=1), atol=1e-7
    )


def test_only_the_utterance_is_read(tmp_path, monkeypatch):
    signal = noise(3)
    path = write_audio(tmp_path / "a.wav", signal, subtype="FLOAT")
    frames, read = [], soundfile.SoundFile.read

    def counted(self, *arguments, **settings):
        found = read(self, *arguments, **settings)
        frames.append(len(found))
        return found

    monkeypatch.setattr(soundfile.SoundFile, "read", counted)
    found = read_utterance(path, 1.5, 1.7, RATE)
    assert frames == [3200]
    np.testing.assert_array_equal(found[0], signal[24000:27200])


def test_the_end_may_be_rounded(tmp_path):
    path = write_audio(tmp_path / "a.wav", noise(1))
    assert read_utterance(path, 0.5, 1.09, RATE).shape == (1, 8000)
    with pytest.raises(InputError, match=r"^the file ends 0\.20 s before the utterance does$"):
        read_utterance(path, 0.5, 1.2, RATE)
    with pytest.raises(InputError, match="ends 0"):
        read_utterance(path, 1.5, 2, RATE)


def test_a_truncated_file_is_not_taken_for_the_whole(tmp_path):
    for suffix in ("wav", "flac", "ogg"):
        path = write_audio(tmp_path / f"a.{suffix}", noise(1))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(InputError, match=r"the file ends|cannot be read"):
            read_utterance(path, 0, 1, RATE)


def reason(path, end=0.1):
    with pytest.raises(InputError) as error:
        read_utterance(path, 0, end, RATE)
    text = str(error.value)
    assert "\n" not in text and str(path.parent) not in text
    return text


@pytest.mark.parametrize("content", [b"", b"RIFF", b"this is no audio\n" * 20])
@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.ogg", "a.m4a", "a", "a\n'\"ü.wav"])
def test_files_that_are_not_audio(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert reason(tmp_path / name).startswith("the audio cannot be read (")
    assert seconds(tmp_path / name) == 0


def test_paths_that_are_not_files(tmp_path):
    assert reason(tmp_path / "missing.wav") == "the file does not exist"
    (tmp_path / "link.wav").symlink_to("nowhere")
    assert reason(tmp_path / "link.wav") == "the file does not exist"
    (tmp_path / "folder.wav").mkdir()
    assert reason(tmp_path / "folder.wav") == "it is not a file"
    os.mkfifo(tmp_path / "pipe.wav")
    assert reason(tmp_path / "pipe.wav") == "it is not a file"
    assert {seconds(path) for path in (tmp_path / "missing.wav", *tmp_path.iterdir())} == {0}


def test_a_header_alone(tmp_path):
    path = write_audio(tmp_path / "a.wav", noise(0))
    assert reason(path, end=0) == "the audio is empty"
    assert reason(path, end=1) == "the file ends 1.00 s before the utterance does"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite(tmp_path, value):
    signal = noise(0.1, rate=48000, channels=2)
    signal[100, 1] = value
    path = write_audio(tmp_path / "a.wav", signal, rate=48000, subtype="FLOAT")
    assert reason(path) == "the audio has samples that are not finite"


def test_a_header_with_an_absurd_rate(tmp_path):
    path = write_audio(tmp_path / "a.wav", noise(1), rate=1)
    assert reason(path, end=16000) == "the audio has a sampling rate of 1 Hz"


def test_silence_and_five_milliseconds_are_audio(tmp_path):
    path = write_audio(tmp_path / "a.wav", np.zeros(RATE))
    assert not read_utterance(path, 0, 1, RATE).any()
    assert read_utterance(path, 0.5, 0.505, RATE).shape == (1, 80)
    assert read_utterance(path, 0.5, 0.505, 8000).shape == (1, 40)


def test_a_file_without_permission_gives_its_reason():
    with tempfile.TemporaryDirectory() as name:  # others may enter it, unlike a folder of pytest
        folder = Path(name)
        folder.chmod(0o755)
        path = write_audio(folder / "a.wav", noise(0.1))
        path.chmod(0)
        user = os.geteuid()
        if user == 0:  # may read everything
            os.seteuid(65534)
        try:
            with pytest.raises(InputError, match="the audio cannot be read"):
                read_utterance(path, 0, 0.1, RATE)
        finally:
            os.seteuid(user)


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.ogg"])
def test_failures_of_the_machine_are_raised(tmp_path, name):
    path = write_audio(tmp_path / name, noise(0.1))
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.open(path, os.O_RDONLY)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))  # as many as are open
    try:
        with pytest.raises(OSError, match="Too many open files"):
            read_utterance(path, 0, 0.1, RATE)
        with pytest.raises(MachineError, match=rf"{name} could not .*Too many open files"):
            seconds(path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert read_utterance(path, 0, 0.1, RATE).size and seconds(path)


def test_a_missing_file_system_fails_the_job(tmp_path, monkeypatch):
    def stale(self):
        raise OSError(errno.ESTALE, "Stale file handle")

    path = write_audio(tmp_path / "a.wav", noise(0.1))
    monkeypatch.setattr(Path, "stat", stale)
    with pytest.raises(OSError, match="Stale file handle"):
        read_utterance(path, 0, 0.1, RATE)
    with pytest.raises(MachineError, match="Stale file handle"):
        seconds(path)


def test_names_that_no_file_can_have(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    assert reason(tmp_path / "loop").startswith("the file cannot be reached (")
    assert reason(tmp_path / ("a" * 300)) == "the file cannot be reached (File name too long)"
    assert reason(tmp_path / "a\0b") == "the file does not exist"
    assert reason(write_audio(tmp_path / "a.wav", noise(1)) / "b") == "the file does not exist"


def test_a_folder_that_is_gone_or_empty(tmp_path):
    with pytest.raises(MachineError, match="is gone or empty: bring it back"):
        require_folder(tmp_path)
    with pytest.raises(MachineError, match="is gone or empty"):
        require_folder(tmp_path / "none")
    (tmp_path / "a").touch()
    require_folder(tmp_path)
