"""Text of data as it is shown: control characters are visible, and text keeps its direction."""

import time
import unicodedata

import pytest
from voxslice.errors import InputError, MachineError, reason_of
from voxslice.logs import to_log
from voxslice.shown_text import CONTROL, shown, shown_texts, visible

ATTACKS = {
    "\x1b[2J\x1b[31mred": "\u241b[2J\u241b[31mred",  # clears a terminal
    "\x1b]0;title\x07": "\u241b]0;title\u2407",  # names a window
    "\x9b31mred": "[U+009B]31mred",  # the same in one character
    "good\rbad": "good\u240dbad",  # overwrites a line
    "good\nError: forged": "good\u240aError: forged",
    "a\x08\x08b": "a\u2408\u2408b",
    "a\x7fb": "a\u2421b",
    "a\0b": "a\u2400b",
    "male\u202e": "male[U+202E]",  # mirrors what follows
    "male\u2067": "male[U+2067]",
    "male\u2069": "male[U+2069]",  # ends an isolation from within
    "male\u200f": "male[U+200F]",
    "male\u061c": "male[U+061C]",
    "a\u2028b": "a[U+2028]b",
    "a\u2029b": "a[U+2029]b",
    "a\x85b": "a[U+0085]b",
    "\ufeffa": "[U+FEFF]a",
    "a\U000e0041": "a[U+E0041]",  # hides text
    "a\ud800": "a[U+D800]",  # cannot be written as UTF-8
}
HARMLESS = [
    "male", "ümlaut", "声", "🧑‍🚀", "می‌خواهم", "a b\u00a0c", "été", "=1+1", "[U+202E]", "␛",
]  # fmt: skip


@pytest.mark.parametrize("text", ATTACKS)
def test_control_characters_are_visible(text):
    assert visible(text) == ATTACKS[text]
    assert visible(visible(text)) == visible(text)
    assert shown(text) == ATTACKS[text]
    assert not CONTROL.search(visible(text))
    visible(text).encode()


@pytest.mark.slow
def test_no_control_character_is_forgotten():
    """All characters that Unicode classifies as controls, line separators or direction controls."""
    turning = {"RLE", "LRE", "RLO", "LRO", "PDF", "RLI", "LRI", "FSI", "PDI", "B"}
    for letter in map(chr, range(0x11_0000)):
        kind = unicodedata.category(letter)
        if kind in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(letter) in turning:
            assert visible(letter) != letter, hex(ord(letter))
        elif kind[0] in "LMNPS":
            assert visible(letter) == letter, hex(ord(letter))


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_stays(text):
    assert visible(text) == text


def test_all_that_is_read_from_right_to_left_is_isolated():
    for letter in map(chr, range(0x11_0000)):
        if unicodedata.bidirectional(letter) in ("R", "AL", "AN") and letter not in "\u061c\u200f":
            assert shown(letter) == f"\u2068{letter}\u2069", hex(ord(letter))
    assert shown("רע 5") == "\u2068רע\u2069 5"
    assert shown("gender = رجل غاضب and age in 3..5") == (
        "gender = \u2068رجل غاضب\u2069 and age in 3..5"
    )
    assert shown("רע, טוב") == "\u2068רע\u2069, \u2068טוב\u2069"
    assert shown("\u2069רע") == "[U+2069]\u2068רע\u2069"
    assert shown("male 5") == "male 5"


def test_structures_are_shown_whole():
    value = {"\x1b": ["a\x07", {"רע": 1.5}], "b": ("c\n", None, True)}
    assert shown_texts(value, keep="\n") == {
        "\u241b": ["a\u2407", {"\u2068רע\u2069": 1.5}],
        "b": ["c\n", None, True],
    }


@pytest.mark.parametrize("kind", [InputError, MachineError])
@pytest.mark.parametrize("text", ATTACKS)
def test_messages_are_one_visible_line(kind, text, tmp_path, capsys):
    with pytest.raises(SystemExit), to_log(tmp_path / "log"):
        raise kind(f"The label {text} is unknown: write another.")
    sentence = f"Error: The label {ATTACKS[text]} is unknown: write another.\n"
    assert capsys.readouterr().err == sentence
    assert (tmp_path / "log").read_text(encoding="utf-8") == sentence


@pytest.mark.parametrize("text", ATTACKS)
def test_logs_hold_no_escape_sequences(text, tmp_path, capsys):
    """Printed text, and the message of an unexpected exception."""
    with pytest.raises(SystemExit), to_log(tmp_path / "log"):
        print("label", text)
        raise RuntimeError(f"Unknown {text}")
    log = (tmp_path / "log").read_bytes().decode()
    for written in (log, capsys.readouterr().err):
        assert CONTROL.sub("", written) == written.replace("\n", "")
    assert "label " in log and "Traceback" in log


@pytest.mark.parametrize("text", ATTACKS)
def test_reasons_of_failures_are_visible(text):
    """They are stored, and shown by the report."""
    reason = reason_of(RuntimeError(f"Unknown chunk {text}"), "a.wav")
    assert not CONTROL.search(reason) and reason.startswith("Unknown chunk")


def test_progress_bars_stay_in_logs(tmp_path):
    with to_log(tmp_path / "log"):
        print("\r 50 %", end="")
        print("\r100 %\tdone")
    assert (tmp_path / "log").read_bytes() == b"\r 50 %\r100 %\tdone\n"


@pytest.mark.slow
def test_it_is_quick():
    text = "\x1b\u202eא " * 100_000 + "א" + " " * 100_000 + "x" * 5_000_000
    begin = time.process_time()
    assert not CONTROL.search(shown(text).replace("\u2068", "").replace("\u2069", ""))
    assert time.process_time() - begin < 2
