"""Files are found under names in any Unicode form."""

import unicodedata

import pytest
from voxslice.data.file_names import locate, match_names, names_on_disk, require_distinct
from voxslice.errors import InputError

COMPOSED, DECOMPOSED = "gr\u00fc\u00dfe.wav", "gru\u0308\u00dfe.wav"
FOLDER = "d\u00e9j\u00e0"
HANGUL = "\ud55c\uae00.wav"


def decomposed(name):
    return unicodedata.normalize("NFD", name)


@pytest.fixture
def folder(tmp_path):
    """A function that writes empty files and returns their folder."""

    def write(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("name", "on_disk"),
    [
        (COMPOSED, DECOMPOSED),  # as a Mac writes it
        (DECOMPOSED, COMPOSED),
        (HANGUL, decomposed(HANGUL)),
        (f"{FOLDER}/a/{COMPOSED}", f"{decomposed(FOLDER)}/a/{COMPOSED}"),
        (f"{FOLDER}/{COMPOSED}", f"{decomposed(FOLDER)}/{DECOMPOSED}"),
        ("plain.wav", "plain.wav"),
    ],
)
def test_a_file_is_found_in_any_unicode_form(folder, name, on_disk):
    root = folder(on_disk, "other.wav", "\u00e4.wav")
    assert locate(root, name) == root / on_disk
    assert names_on_disk(root, [name, "a//b.wav"]) == [on_disk, "a//b.wav"]
    assert match_names([name, "x"], [on_disk, "other.wav"]) == [on_disk, "x"]


def test_two_files_of_one_text_are_not_confused(folder):
    root = folder(COMPOSED, DECOMPOSED)
    assert locate(root, COMPOSED) == root / COMPOSED
    assert locate(root, DECOMPOSED) == root / DECOMPOSED
    both = [DECOMPOSED, COMPOSED]
    assert match_names(both, both) == both
    require_distinct(both, root)
    third, forms = "\u1ec7.wav", ["\u00ea\u0323.wav", "\u1eb9\u0302.wav"]  # each written otherwise
    folder(*forms)
    assert locate(root, third) == root / third  # it is not clear which of the two is meant
    assert match_names([third], forms) == [third]


def test_two_names_of_one_file_are_refused(folder):
    with pytest.raises(InputError, match="is listed under 2 names that look the same"):
        require_distinct([COMPOSED, DECOMPOSED], folder(DECOMPOSED))
    require_distinct([COMPOSED, "a.wav", "a.wav"], folder())


def test_a_missing_file_keeps_its_name(folder):
    root = folder()
    for name in (COMPOSED, f"{COMPOSED}/x.wav", "a\0.wav", "\u00e4" * 300):
        assert locate(root, name) == root / name
    assert locate(root / "none", COMPOSED) == root / "none" / COMPOSED


def test_a_file_that_comes_later_is_found(folder):
    root = folder("\u00e4.wav")
    assert not locate(root, COMPOSED).exists()
    folder(DECOMPOSED)
    assert locate(root, COMPOSED) == root / DECOMPOSED
