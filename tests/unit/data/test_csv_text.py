"""The header and the encoding of CSV files."""

import pytest
from voxslice.data.csv_text import read_csv_text


@pytest.fixture
def read(tmp_path):
    """A function that writes bytes and reads them as a table."""

    def write_and_read(content):
        path = tmp_path / "mine.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return tuple(read_csv_text(path))

    return write_and_read


@pytest.mark.parametrize(
    ("content", "text", "separator"),
    [
        ("file,a\nx,1\n", "file,a\nx,1\n", ","),
        ("file\nx;y.wav\n", "file\nx;y.wav\n", ","),  # one column
        ("file;a,b\nx,1\n", "file;a,b\nx,1\n", ","),
        ("file;a\nx;1,5\n", "file;a\nx;1,5\n", ";"),
        ("\n \n# a, b\nfile\ta\r\n", "file\ta\r\n", "\t"),
        ("sep=;\r\nfile;a\r\nsep=,;1", "file;a\r\nsep=,;1", ";"),
        ("sep=\nfile,a\n", "file,a\n", ","),
        ('"sep=,",,\nfile,a\n', "file,a\n", ","),
        ("separate,file\n", "separate,file\n", ","),
        ("# nothing else", "", ","),
        ("", "", ","),
        ("file,a\n# b.wav,1\n", "file,a\n# b.wav,1\n", ","),  # below the names it is a row
    ],
)
def test_the_table_begins_with_its_names(read, content, text, separator):
    assert read(content) == (text, separator)
    assert read(content.encode("utf-8-sig")) == (text, separator)
    assert read(content.encode("utf-16")) == (text, separator)
    assert read("\ufeff".encode("utf-16-be") + content.encode("utf-16-be")) == (text, separator)


@pytest.mark.parametrize("content", ["ü".encode("latin-1"), b"\xff\xfea", b"PAR1\xff\x00"])
def test_other_encodings_are_errors(read, content):
    with pytest.raises(UnicodeDecodeError):
        read(content)
