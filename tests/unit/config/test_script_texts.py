"""Texts of a config that would run as a script in the report of Snakemake."""

import time

import pytest
from voxslice.config.script_texts import check_folders, check_texts
from voxslice.errors import InputError

DANGEROUS = [
    "</script><script>alert(1)</script>", "</SCRIPT >", "x</script\t", "<script>", "<ScRiPt src=x>",
    "<!--", "a <!-- b", "<!--<script>",
]  # fmt: skip
HARMLESS = [
    "<b>bold</b>", "age < 30", "<30", "a</b>", "< /script>", "<\u200b/script>", "<img onerror=x>",
    "-->", "]]>", "\\u003c/script>", "CC BY <https://example.org>", "&lt;/script&gt;",
]  # fmt: skip


def configs(text):
    """A config with the text in each key and value that may have any text."""
    yield {"datasets": {"a": {"license": text}}}
    yield {"datasets": {"a": {"note": text}}}
    yield {"datasets": {"a": {"columns": {text: {"column": "x"}}}}}
    yield {"datasets": {"a": {"columns": {"x": {"column": text}}}}}
    yield {"datasets": {"a": {"filter": {"x": [1, text]}}}}
    yield {"datasets": {"a": {"csv": {"path": f"/data/{text}.csv"}}}}
    yield {"models": {"a": {"license": "x", "note": text}}}
    yield {"models": {"a": {"path": text}}}
    yield {"tasks": {"a": {"unit": text}}}
    yield {"tasks": {"a": {"labels": ["x", text]}}}
    yield {"tasks": {"a": {"classes": {"x": [text]}}}}
    yield {"tasks": {"a": {"classes": {text: ["x"]}}}}
    yield {"searches": {"a": {"features": [text]}}}
    yield {text: 1}


@pytest.mark.parametrize("text", DANGEROUS)
def test_script_texts_are_refused_in_every_key_and_value(text):
    for config in configs(text):
        begin = time.process_time()
        with pytest.raises(InputError, match="would be run by a browser") as error:
            check_texts(config)
        assert time.process_time() - begin < 0.1
        assert str(error.value).count(". ") == 0 and str(error.value).endswith("remove it.")


@pytest.mark.parametrize("text", HARMLESS)
def test_other_texts_stay_allowed(text):
    for config in configs(text):
        check_texts(config)


def test_the_place_is_named():
    with pytest.raises(InputError, match=r"^datasets\.a\.columns\.x\.column: '</script' would"):
        check_texts({"datasets": {"a": {"columns": {"x": {"column": "</script>"}}}}})
    with pytest.raises(InputError, match=r"^tasks\.a\.labels\[1\]: '<!--' would"):
        check_texts({"tasks": {"a": {"labels": ["x", "<!-- y"]}}})


@pytest.mark.parametrize("folder", ["/home/me/</script>", "/home/me/a<", "/a<b/Snakefile"])
def test_folders_that_may_become_a_script_text_are_refused(folder):
    with pytest.raises(InputError, match="rename this folder or file"):
        check_folders("/home/me", folder)
    check_folders("/home/me", "/home/me/a>b")
