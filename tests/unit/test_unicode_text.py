"""Text is compared in one Unicode form."""

import pytest
from voxslice.unicode_text import look_alike, nfc


@pytest.mark.parametrize(
    ("text", "normal"),
    [("u\u0308", "\u00fc"), ("\u212b", "\u00c5"), ("abc", "abc"), ("\ufb01", "\ufb01")],
)
def test_text_has_one_form(text, normal):
    assert nfc(text) == nfc(normal) == normal


@pytest.mark.parametrize(
    ("text", "alike"),
    [("Ja ", "ja"), ("nein\ufeff", "Nein"), ("\ufb01n", "fin"), ("jaa", None), ("", None)],
)
def test_look_alikes_are_found(text, alike):
    assert look_alike(text, ["ja", "Nein", "fin"]) == alike
