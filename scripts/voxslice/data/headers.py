"""Correct the length in the header of an audio file if it is missing or too short.

A recorder that crashed leaves the length 0 in the header. A program that writes to a pipe cannot go
back to write the length. MP3 needs no header at all. In these cases libsndfile stops reading too
early, without an error.
"""

import io
import os
from collections.abc import Callable
from pathlib import Path

UNKNOWN = 2**36
"""Number of samples from which a stated length means that the length is unknown."""
MAX_HEAD = 2**20
"""Most bytes of a file that are read to find where its audio begins."""
BLOCK = 2**16
"""Bytes that are read at a time."""
MP3_RATES = {
    3: (44100, 48000, 32000),
    2: (22050, 24000, 16000),
    0: (11025, 12000, 8000),
}
"""Sampling rates (Hz) of layer III for each code of the MPEG version: 1, 2 and 2.5."""
MP3_BITRATES = {
    True: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Bit rates (kbit/s) of layer III, whether or not the MPEG version is 1."""
MP3_TAGS = 4096
"""Most bytes of tags after the last frame of MP3."""
MP3_FRAMES = 2**28
"""Number of frames that stands for an unknown length: more than `UNKNOWN` samples."""


class ChainedStreamsError(ValueError):
    """Ogg that consists of several streams, of which libsndfile reads only one."""


class _Bytes:
    """The bytes of an open file, at any position."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._start = os.pread(descriptor, 4096, 0)
        self.size = os.fstat(descriptor).st_size

    def at(self, position: int, count: int) -> bytes:
        """Return `count` bytes from a position; fewer at the end of the file."""
        if position + count <= len(self._start):
            return self._start[position : position + count]
        return os.pread(self._descriptor, count, position)


class CorrectedFile(io.RawIOBase):
    """A file whose first bytes are replaced."""

    def __init__(self, path: str | Path, head: bytes, skipped: int) -> None:
        """Open the file.

        Args:
            path: audio file
            head: bytes that replace the beginning of the file
            skipped: number of bytes of the file that `head` replaces
        """
        self._file = Path(path).open("rb")  # noqa: SIM115 (closed with this object)
        self._head = head
        self._shift = len(head) - skipped
        self._size = os.fstat(self._file.fileno()).st_size + self._shift
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position, see `io.IOBase.seek`."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(origin + offset, 0)
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read bytes into a buffer, see `io.RawIOBase.readinto`."""
        view = memoryview(buffer).cast("B")
        count = 0
        if self._position < len(self._head):
            part = self._head[self._position : self._position + len(view)]
            count = len(part)
            view[:count] = part
        if count < len(view):
            self._file.seek(self._position + count - self._shift)
            count += self._file.readinto(view[count:])
        self._position += count
        return count

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def corrected(path: str | Path) -> CorrectedFile | None:
    """Open a file with a corrected header, if its own header does not state the true length.

    Args:
        path: audio file

    Returns:
        the file with a header with which libsndfile reads all of the audio. A length of `UNKNOWN`
        samples or more means that the length is only known after reading to the end. None if the
        header needs no correction, or if this module does not know the format

    Raises:
        ChainedStreamsError: if libsndfile cannot read all of the audio
        OSError: if the file cannot be read
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        data = _Bytes(descriptor)
        magic = data.at(0, 4)
        correct = FORMATS.get(magic)
        if correct is None and (magic[:3] == b"ID3" or _is_mp3_frame(magic)):
            correct = _mp3
        replaced = correct(data) if correct else None
    finally:
        os.close(descriptor)
    return CorrectedFile(path, *replaced) if replaced else None


def _riff(data: _Bytes) -> tuple[bytes, int] | None:
    """Correct the sizes of WAV if more audio follows than its header states."""
    first, stated = _find_chunk(data, b"data", "little", 4)
    if not first or _is_whole(data, first, stated):
        return None
    head = bytearray(data.at(0, first))
    size = min(data.size - first, 2**32 - 1)
    head[4:8] = min(data.size - 8, 2**32 - 1).to_bytes(4, "little")
    head[-4:] = size.to_bytes(4, "little")
    return bytes(head), first


def _rf64(data: _Bytes) -> tuple[bytes, int] | None:
    """Correct the sizes of RF64, the form of WAV without a limit of 4 GB."""
    sizes, _ = _find_chunk(data, b"ds64", "little", 4)
    first, _ = _find_chunk(data, b"data", "little", 4)
    if not (sizes and first):
        return None
    stated = int.from_bytes(data.at(sizes + 8, 8), "little")
    if first + stated <= data.size and _is_whole(data, first, stated):
        return None
    head = bytearray(data.at(0, first))
    head[sizes : sizes + 8] = (data.size - 8).to_bytes(8, "little")
    head[sizes + 8 : sizes + 16] = (data.size - first).to_bytes(8, "little")
    head[-4:] = b"\xff" * 4
    return bytes(head), first


def _caf(data: _Bytes) -> tuple[bytes, int] | None:
    """Fill in the size of CAF, where -1 means that the audio lasts to the end of the file."""
    first, stated = _find_chunk(data, b"data", "big", 8)
    if not first or stated != 2**64 - 1:
        return None
    head = data.at(0, first)
    return head[:-8] + (data.size - first).to_bytes(8, "big"), first


def _au(data: _Bytes) -> tuple[bytes, int] | None:
    """Correct the size of AU if it is 0: -1 means that the audio lasts to the end of the file."""
    head = data.at(0, 12)
    if int.from_bytes(head[8:], "big") or data.size <= int.from_bytes(head[4:8], "big"):
        return None
    return head[:8] + b"\xff" * 4, 12


def _ogg(data: _Bytes) -> None:
    """Refuse Ogg whose last stream is another one than its first, as radio programs have it."""
    serials, position = set(), 0
    while (page := data.at(position, 27 + 255))[:4] == b"OggS" and page[5] & 2:  # first of a stream
        serials.add(page[14:18])
        position += 27 + page[26] + sum(page[27 : 27 + page[26]])
    end = data.at(max(data.size - BLOCK, 0), BLOCK)
    last = end.rfind(b"OggS\0")
    if last >= 0 and end[last + 14 : last + 18] not in serials:
        raise ChainedStreamsError("it consists of several streams")


def _find_chunk(data: _Bytes, wanted: bytes, order: str, width: int) -> tuple[int, int]:
    """Find a chunk of a file that consists of chunks.

    Args:
        data: the file
        wanted: name of the chunk
        order: of the bytes of a size, `big` or `little`
        width: number of bytes of a size

    Returns:
        position after the name and the size, and the size; zeros if there is no such chunk
    """
    position = 8 if width == 8 else 12
    while position < MAX_HEAD:
        header = data.at(position, 4 + width)
        if len(header) < 4 + width:
            break
        size = int.from_bytes(header[4:], order)  # type: ignore[arg-type]
        position += 4 + width
        if header[:4] == wanted:
            return position, size
        position += size + (size % 2 if width == 4 else 0)
    return 0, 0


def _is_whole(data: _Bytes, first: int, size: int) -> bool:
    """Whether no audio follows the stated end of the audio.

    Args:
        data: the file
        first: position of the first byte of the audio
        size: stated number of bytes

    Returns:
        True if the file ends there, or if what follows is another chunk, a tag, or zeros
    """
    end = first + size
    if end + 8 > data.size:
        return True
    for position in (end, end + size % 2):
        header = data.at(position, 8)
        if header[:3] in (b"TAG", b"ID3") or header == b"APETAGEX":
            return True
        fits = position + 8 + int.from_bytes(header[4:], "little") <= data.size + 1
        if fits and header[:4].isascii() and header[:4].decode().isprintable():
            return True
    return all(not any(data.at(position, BLOCK)) for position in range(end, data.size, BLOCK))


def _is_mp3_frame(header: bytes) -> bool:
    """Whether four bytes are the header of a frame of layer III."""
    return (
        len(header) == 4
        and header[0] == 0xFF
        and header[1] & 0xE6 == 0xE2
        and (header[1] >> 3) & 3 != 1
        and header[2] >> 4 not in (0, 15)
        and (header[2] >> 2) & 3 != 3
    )


def _frame_bytes(header: bytes) -> int:
    """Length in bytes of a frame of layer III with such a header."""
    version = (header[1] >> 3) & 3
    rate = MP3_RATES[version][(header[2] >> 2) & 3]
    kilobits = MP3_BITRATES[version == 3][(header[2] >> 4) - 1]
    return (144000 if version == 3 else 72000) * kilobits // rate + ((header[2] >> 1) & 1)


def _tag_position(header: bytes) -> int:
    """Position of the tag in a frame of layer III that holds one: after header and side data."""
    mono, version_1, checksum = header[3] >> 6 == 3, (header[1] >> 3) & 3 == 3, not header[1] & 1
    return 4 + 2 * checksum + (9, 17, 32)[version_1 + (not mono)]


def _mp3(data: _Bytes) -> tuple[bytes, int] | None:
    """Add a tag with an unknown length to the beginning of MP3 that has no tag with its length.

    Without a tag, libsndfile computes the length from the bit rate of the first frame.
    """
    first = _first_frame(data)
    if first is None:
        return None
    header = data.at(first, 4)
    position = _tag_position(header)
    tag = data.at(first + position, 16)
    if tag[:4] in (b"Xing", b"Info") and tag[7] & 1:
        stated = int.from_bytes(tag[12:16], "big") if tag[7] & 2 else 0
        if not stated or first + stated + MP3_TAGS >= data.size:
            return None
        head = bytearray(data.at(first, position + 16))
        head[-8:] = MP3_FRAMES.to_bytes(4, "big") + (data.size - first).to_bytes(4, "big")
        return bytes(head), first + len(head)
    # a frame of the highest bit rate, without a checksum, has room for the tag
    made = bytes([header[0], header[1] | 1, 0xE0 | header[2] & 0x0C, header[3]])
    tag = b"Xing" + (1).to_bytes(4, "big") + MP3_FRAMES.to_bytes(4, "big")
    frame = made.ljust(_tag_position(made), b"\0") + tag
    return frame.ljust(_frame_bytes(made), b"\0"), first


def _first_frame(data: _Bytes) -> int | None:
    """Position of the first frame of MP3; None if it is another format."""
    position = 0
    while (tag := data.at(position, 10))[:3] == b"ID3" and len(tag) == 10:
        size = 0
        for byte in tag[6:]:
            size = size << 7 | byte & 0x7F
        position += 10 + size + (10 if tag[5] & 0x10 else 0)
    content = data.at(position, BLOCK)
    start = len(content) - len(content.lstrip(b"\0"))
    header = content[start : start + 4]
    if not _is_mp3_frame(header):
        return None
    following = data.at(position + start + _frame_bytes(header), 4)
    return position + start if _is_mp3_frame(following) else None


FORMATS: dict[bytes, Callable[[_Bytes], tuple[bytes, int] | None]] = {
    b"RIFF": _riff,
    b"RF64": _rf64,
    b"caff": _caf,
    b".snd": _au,
    b"OggS": _ogg,
}
"""Functions that correct a header, by the first four bytes of the file."""
