"""Attacks on the report of Snakemake by texts of a config, in a real browser."""

import time

import pandas as pd
import pytest
from small_study import study_config
from snakemake_cli import snakemake, write_config

pytestmark = [pytest.mark.browser, pytest.mark.workflow]
ATTACK = "</script><script>window.attacked = true;</script>"
ALLOWED = (
    """<b>b</b><img src=x onerror="window.attacked = true"> < /script> '\\u003c/script> ${1}"""
)
"""A text that is allowed, but would attack a page that treats text as markup."""


def with_texts(folder, text):
    """A study with the same text in each key and value of a config that may have any text."""
    config = study_config(folder)
    table = pd.read_csv(folder / "voices.csv")
    table = table.assign(**{text: table["emotion"].replace("anger", text)})
    table.to_csv(folder / "voices.csv", index=False)
    dataset = config["datasets"]["voices"]
    dataset |= {"license": text, "note": text}
    dataset["columns"]["mood"] = {"column": text}
    config["searches"]["metadata"]["features"] += ["mood"]
    for model in config["models"].values():
        model |= {"license": text, "note": text}
    config["tasks"]["age"]["unit"] = text
    config["tasks"]["gender"]["exclude"] = ["child", text]
    return write_config(folder / "study.yaml", config)


def test_a_text_that_would_run_is_refused(tmp_path):
    path = with_texts(tmp_path, ATTACK)
    begin = time.perf_counter()
    done = snakemake(tmp_path, "--report", "made.html", configfiles=[path], check=False)
    assert done.returncode != 0
    assert "Mistake in the config: " in done.stdout
    assert "'</script' would be run by a browser in the report of Snakemake" in done.stdout
    assert "Traceback" not in done.stdout
    assert time.perf_counter() - begin < 20  # with the start of Snakemake
    assert not (tmp_path / "made.html").exists()


def test_a_folder_whose_name_would_run_is_refused(tmp_path):
    folder = tmp_path / "<" / "script><script>window.attacked = true;<"
    folder.mkdir(parents=True)
    path = with_texts(tmp_path, "text")
    done = snakemake(folder, "--dry-run", configfiles=[path], check=False)
    assert done.returncode != 0
    assert "rename this folder or file" in done.stdout and "Traceback" not in done.stdout


def test_all_other_texts_are_only_text(tmp_path, page):
    path = with_texts(tmp_path, ALLOWED)
    done = snakemake(tmp_path, "reports", configfiles=[path])
    pages = [line for line in done.stdout.splitlines() if line.startswith(("Report: ", "All res"))]
    assert len(pages) == 3  # the index is the last thing that a run prints
    assert pages[-1] == f"All results: {tmp_path / 'results/report/index.html'}"
    snakemake(tmp_path, "reports", "--report", "made.html", configfiles=[path], cores=None)
    html = (tmp_path / "made.html").read_text(encoding="utf-8")
    assert "onerror" in html  # the parameters of the jobs are in it
    page.goto((tmp_path / "made.html").as_uri())
    page.wait_for_function("typeof results === 'object' && document.querySelector('#app').children")
    params = page.evaluate("Object.values(results).map((one) => one.job_properties.params)")
    assert any("onerror" in text for text in params)
    page.get_by_text("Reports", exact=True).first.click()
    page.wait_for_timeout(500)
    for button in page.locator("button[title='show details'], a[title]").all()[:8]:
        if button.is_visible():
            button.click()
    assert page.evaluate("window.attacked") is None
    reports = sorted(tmp_path.glob("results/report/*/*.html"))
    assert len(reports) == 4  # each with its summary
    for report in [*reports, tmp_path / "results/report/index.html"]:
        page.goto(report.as_uri())
        if report.name != "index.html" and ".summary" not in report.name:
            assert "onerror" in page.locator("body").text_content()
        assert page.evaluate("window.attacked") is None
