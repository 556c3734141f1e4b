"""The report as a reader sees it: offline, complete, sortable, audible."""

import pytest

pytestmark = pytest.mark.browser
SECTIONS = ["answer", "compared", "overall", "slices", "against", "listen", "limits"]


@pytest.fixture
def reports(finished_study):
    found = sorted(finished_study.glob("results/report/*/*.html"))
    assert found, "the finished study has no report"
    return found


def open_report(page, path):
    page.context.set_offline(True)
    page.goto(path.as_uri())
    return page


def test_every_report_is_complete_and_asks_for_nothing(page, reports):
    for path in reports:
        page.requests.clear()
        open_report(page, path)
        ids = page.locator("main > section").evaluate_all("all => all.map(one => one.id)")
        assert ids == SECTIONS
        links = page.locator("nav a").evaluate_all("all => all.map(one => one.hash)")
        assert links == [f"#{name}" for name in SECTIONS]
        for name in ("overall", "slices"):
            assert page.locator(f"#{name} table").count() > 0
        assert page.locator("#overall svg").count() >= 3
        boxes = page.locator("svg").evaluate_all(
            "all => all.map(one => [one.clientWidth, one.querySelectorAll('path, line').length])"
        )
        assert all(width > 200 and marks > 3 for width, marks in boxes)
        outside = [url for url in page.requests if not url.startswith("data:")]
        assert outside == [path.as_uri()]
        assert page.problems == []


@pytest.mark.parametrize("width", [390, 820, 1440])
def test_page_does_not_scroll_sideways(page, reports, width):
    page.set_viewport_size({"width": width, "height": 900})
    for path in reports:
        open_report(page, path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_both_schemes(page, reports, scheme):
    page.emulate_media(color_scheme=scheme)
    open_report(page, reports[0])
    ink, paper = page.evaluate(
        """() => {
          const style = getComputedStyle(document.body);
          const light = (text) => text.match(/\\d+/g).slice(0, 3).map(Number)
            .map((c) => c / 255)
            .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
            .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
          return [light(style.color), light(style.backgroundColor)];
        }"""
    )
    assert (ink < paper) is (scheme == "light")
    # contrast of WCAG 2, level AAA
    assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) >= 7


def test_a_table_sorts_by_clicking(page, reports):
    open_report(page, reports[0])
    table = page.locator("#overall table.sortable").first
    head = table.locator("thead th.number").first
    column = head.evaluate("one => one.cellIndex")
    keys = f"all => all.map(one => Number(one.cells[{column}].dataset.key))"
    head.locator("button").click()
    down = table.locator("tbody tr").evaluate_all(keys)
    assert head.get_attribute("aria-sort") == "descending"
    assert down == sorted(down, reverse=True)
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert table.locator("tbody tr").evaluate_all(keys) == down[::-1]
    assert len(set(down)) > 1


def test_an_utterance_plays(page, reports, wait_for):
    for path in reports:
        open_report(page, path)
        if page.locator("audio").count():
            break
    else:
        pytest.fail("no report of the study has anything to listen to")
    page.locator("audio").first.evaluate("one => { one.muted = true; return one.play(); }")
    wait_for(
        lambda: page.evaluate("document.querySelector('audio').currentTime") > 0.05,
        15,
        "the audio does not play",
    )
    assert page.problems == []


def test_readable_without_javascript(browser, reports):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(reports[0].as_uri())
    assert page.locator("#answer .answer p").count() >= 2
    assert page.locator("#slices").inner_text()
    assert page.locator("th button").count() == 0
    context.close()
