"""All audio is read if the header of a file has no length or a wrong length."""

import numpy as np
import pytest
import soundfile
from small_inputs import RATE, noise, write_audio
from voxslice.data.audio import read_audio, seconds
from voxslice.data.headers import corrected
from voxslice.errors import InputError

LENGTH = 3.0


@pytest.fixture(params=[0, 1], ids=["noise", "tone"])
def signal(request):
    """Two inputs: noise, and a tone that begins in digital silence."""
    if request.param == 0:
        return 0.5 * noise(LENGTH)
    times = np.arange(round(LENGTH * RATE)) / RATE
    return (0.3 * np.sin(2 * np.pi * 440 * times) * (times > 0.5)).astype(np.float32)


def replaced(path, position, content):
    data = bytearray(path.read_bytes())
    data[position : position + len(content)] = content
    path.write_bytes(data)
    return path


def check(path, expected, atol):
    """Assert that the whole, the end and the middle of a file are read."""
    assert seconds(path) == pytest.approx(len(expected) / RATE, abs=1 / RATE)
    for start, end in ((0, LENGTH), (LENGTH - 0.5, LENGTH), (1.2, 1.7)):
        found, rate, _ = read_audio(path, start, end)
        part = expected[round(start * RATE) : round(end * RATE)]
        assert rate == RATE
        np.testing.assert_allclose(found, part, atol=atol)
    with pytest.raises(InputError, match="the file ends 1"):
        read_audio(path, LENGTH + 1, LENGTH + 2)


@pytest.mark.parametrize("stated", [0, 36, 2000, 2**31 - 1, 2**32 - 1])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_wav_of_a_crashed_recorder(tmp_path, signal, subtype, stated):
    path = write_audio(tmp_path / "a.wav", signal, subtype=subtype)
    position = path.read_bytes().index(b"data") + 4
    replaced(path, position, stated.to_bytes(4, "little"))
    replaced(path, 4, min(stated + 36, 2**32 - 1).to_bytes(4, "little"))
    check(path, signal, 1e-4)


@pytest.mark.parametrize(
    "more",
    [
        b"LIST\x10\0\0\0INFOIART\4\0\0\0Anna",
        b"id3 \x40\0\0\0" + b"\xff" * 64,
        b"TAG" + b"\xff" * 125,
        b"ID3\4" + b"\xff" * 500,
        bytes(3000),
    ],
    ids=["chunk", "id3 chunk", "tag", "id3 tag", "zeros"],
)
def test_bytes_after_the_audio_of_wav_are_not_read(tmp_path, signal, more):
    for seconds_kept in (LENGTH, 1.0):
        path = write_audio(tmp_path / "a.wav", signal[: round(seconds_kept * RATE)])
        path.write_bytes(path.read_bytes() + more)
        assert seconds(path) == seconds_kept and corrected(path) is None


def test_wav_with_chunks_before_the_audio(tmp_path, signal):
    path = write_audio(tmp_path / "a.wav", signal)
    data = path.read_bytes()
    position = data.index(b"data")
    before = b"bext" + (9999).to_bytes(4, "little") + bytes(10000)
    path.write_bytes(data[:position] + before + b"data" + bytes(4) + data[position + 8 :])
    check(path, signal, 1e-4)


@pytest.mark.parametrize(("name", "position"), [("a.rf64", 28), ("a.caf", -1), ("a.au", 8)])
def test_streams_without_a_length(tmp_path, signal, name, position):
    path = write_audio(tmp_path / name, signal)
    if position < 0:
        position = path.read_bytes().index(b"data") + 4
    unknown = {"a.rf64": [bytes(8), b"\xff" * 8], "a.caf": [b"\xff" * 8], "a.au": [bytes(4)]}
    for size in unknown[name]:
        check(replaced(path, position, size), signal, 1e-4)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_flac_without_a_length(tmp_path, signal, subtype):
    path = write_audio(tmp_path / "a.flac", signal, subtype=subtype)
    position = 21  # the number of samples is in 36 bits
    replaced(path, position, bytes([path.read_bytes()[position] & 0xF0, 0, 0, 0, 0]))
    assert soundfile.info(str(path)).frames > 2**60
    check(path, signal, 1e-4)


def frames_of(data):
    """Positions of the frames of MP3 at 16 kHz."""
    kilobits = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
    positions, position = [], 0
    while position < len(data):
        assert data[position] == 0xFF
        positions.append(position)
        position += 72 * kilobits[data[position + 2] >> 4] // 16 + (data[position + 2] >> 1 & 1)
    return positions


@pytest.mark.parametrize("order", [1, -1], ids=["quiet first", "loud first"])
@pytest.mark.parametrize("tags", [b"", b"ID3\4\0\0\0\0\1\x10" + bytes(144)], ids=["", "id3"])
@pytest.mark.parametrize("channels", [1, 2])
def test_mp3_without_a_xing_header(tmp_path, order, tags, channels):
    """The bit rate varies, so that libsndfile expects twice or a quarter of the audio."""
    signal = np.concatenate([np.zeros(4 * RATE, np.float32), 0.5 * noise(4)])[::order]
    stereo = np.stack([signal] * channels, axis=1)
    settings = {"bitrate_mode": "VARIABLE", "compression_level": 0.5}
    path = write_audio(tmp_path / "a.mp3", stereo, **settings)
    assert corrected(path) is None and seconds(path) == 8
    data = path.read_bytes()
    path.write_bytes(tags + data[frames_of(data)[1] :])
    assert abs(soundfile.info(str(path)).duration - 8) > 2
    assert seconds(path) == pytest.approx(8, abs=0.15)
    found = read_audio(path, 0, seconds(path)).signal
    loud = np.array([np.abs(part).mean() > 0.1 for part in np.array_split(found, 16)])
    assert loud[1:7].tolist() == [order < 0] * 6 and loud[9:15].tolist() == [order > 0] * 6
    for start in (1.0, 5.0, 7.5):
        part = read_audio(path, start, start + 0.5).signal
        first = round(start * RATE)
        np.testing.assert_allclose(part, found[first : first + RATE // 2], atol=1e-4)


def test_mp3_that_is_longer_than_its_xing_header_states(tmp_path):
    for length in (2.0, 3.0):
        path = write_audio(tmp_path / "a.mp3", 0.5 * noise(length))
        path.write_bytes(path.read_bytes() * 2)
        assert seconds(path) == pytest.approx(2 * length, abs=0.2)
        found = read_audio(path, length + 0.5, 2 * length).signal
        assert np.abs(found).mean() > 0.1


def test_mp3_of_one_bit_rate_keeps_its_length_without_a_xing_header(tmp_path):
    for length in (1.0, 2.5):
        signal = 0.5 * noise(length)
        settings = {"bitrate_mode": "CONSTANT", "compression_level": 0.5}
        path = write_audio(tmp_path / "a.mp3", signal, **settings)
        data = path.read_bytes()
        path.write_bytes(data[frames_of(data)[1] :])
        assert seconds(path) == pytest.approx(length, abs=0.1)


@pytest.mark.parametrize("name", ["a.ogg", "a.opus"])
def test_ogg_that_was_cut_off_or_joined_late(tmp_path, name):
    settings = {"format": "OGG", "subtype": "OPUS"} if name == "a.opus" else {}
    path = write_audio(tmp_path / name, noise(LENGTH), **settings)
    data = path.read_bytes()
    pages = [at for at in range(len(data)) if data[at : at + 5] == b"OggS\0"]
    for content in (data[: pages[-1]], data[: pages[2]] + data[pages[3] :]):
        path.write_bytes(content)
        length = seconds(path)
        assert 0.3 < length < LENGTH
        assert len(read_audio(path, 0, length).signal) == round(length * RATE)


def test_headers_that_are_right_are_left_alone(tmp_path, signal):
    for name in ("a.wav", "a.flac", "a.mp3", "a.ogg", "a.au", "a.caf", "a.rf64", "a.w64", "a.aiff"):
        assert corrected(write_audio(tmp_path / name, signal)) is None
        for length in (0, 1, 100):
            assert corrected(write_audio(tmp_path / name, signal[:length])) is None


@pytest.mark.parametrize("seed", range(40))
def test_any_bytes_after_a_known_beginning(tmp_path, seed):
    generator = np.random.default_rng(seed)
    for magic in (b"RIFF", b"RF64", b"caff", b".snd", b"OggS", b"ID3\4", b"\xff\xf3\x84\xc4", b""):
        content = bytearray(magic + generator.bytes(int(generator.integers(300))))
        for name in (b"fmt ", b"ds64", b"data", b"Xing"):
            position = int(generator.integers(4, 200))
            content[position : position + 4] = name
        (tmp_path / "a").write_bytes(content)
        length = seconds(tmp_path / "a")
        assert 0 <= length < 1000
