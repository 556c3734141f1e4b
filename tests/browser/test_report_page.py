"""The report in a browser: it is complete offline, tables can be sorted, and audio plays."""

import re

import pytest

pytestmark = pytest.mark.browser
SECTIONS = [
    "answer", "compared", "overall", "tradeoff", "slices", "against", "listen", "map", "limits",
]  # fmt: skip


@pytest.fixture
def reports(finished_study):
    found = sorted(finished_study.glob("results/report/*/*.html"))
    assert found, "the finished study has no report"
    return found


def open_report(page, path):
    page.context.set_offline(True)
    page.goto(path.as_uri())
    return page


def enliven(page, wait_for):
    """Unfold all sections and scroll to every chart, so that all charts are drawn."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    for chart in page.locator(".chart").all():
        chart.scroll_into_view_if_needed()
    wait_for(
        lambda: page.locator(".chart .drawn").count() == 0, 60, "not every chart comes to life"
    )


def test_every_report_is_complete_and_loads_nothing(page, reports, wait_for):
    for path in reports:
        page.requests.clear()
        open_report(page, path)
        ids = page.locator("main > section").evaluate_all("all => all.map(one => one.id)")
        assert ids == SECTIONS
        links = page.locator("nav a").evaluate_all("all => all.map(one => one.hash)")
        assert links == [f"#{name}" for name in SECTIONS]
        drawn = page.locator(".chart").count()
        for name in ("overall", "tradeoff", "slices", "against", "map"):
            assert page.locator(f"#{name} .chart").count() > 0, name
        enliven(page, wait_for)
        boxes = page.locator(".chart .live svg").evaluate_all(
            "all => all.map(one => [one.clientWidth, one.querySelectorAll('path, line').length])"
        )
        assert len(boxes) == drawn
        assert all(width > 200 and marks > 3 for width, marks in boxes)
        outside = [url for url in page.requests if not url.startswith("data:")]
        assert outside == [path.as_uri()]
        assert page.problems == []


def test_a_live_chart_looks_like_its_drawing(page, reports, wait_for):
    open_report(page, reports[0])
    chart = page.locator("#overall .chart").first
    # the drawing may have come to life before it is looked at: read it as it was sent
    sent = reports[0].read_text(encoding="utf-8").split('<section id="overall">')[1]
    words = re.findall(r"<text[^>]*>([^<]+)</text>", sent.split("</svg>")[0])
    chart.scroll_into_view_if_needed()
    wait_for(lambda: chart.locator(".live").count() == 1, 30, "the chart does not come to life")
    assert sorted(chart.locator("svg text").all_text_contents()) == sorted(words)
    assert chart.locator("svg").get_attribute("aria-label").endswith("of the models")


def test_a_chart_shows_its_numbers_in_a_tooltip(page, reports, wait_for):
    open_report(page, reports[0])
    chart = page.locator("#overall .chart").first
    chart.scroll_into_view_if_needed()
    wait_for(lambda: chart.locator(".live").count() == 1, 30, "the chart does not come to life")
    chart.locator(".mark-symbol path").first.hover()
    tip = page.locator("#vg-tooltip-element.visible")
    wait_for(lambda: tip.count() == 1, 15, "there is no tooltip")
    assert "value" in tip.inner_text()


def test_a_point_of_the_map_has_a_text_a_colour_and_audio(page, reports, wait_for):
    path = next(one for one in reports if 'id="clip-0"' in one.read_text(encoding="utf-8"))
    open_report(page, path)
    enliven(page, wait_for)
    points = page.locator("#map .mark-symbol.role-mark path")
    colours = points.evaluate_all("all => all.map((one) => one.getAttribute('fill'))")
    choice = page.locator("#map select")
    options = choice.locator("option").all_text_contents()
    assert any(option.startswith("True ") for option in options)
    assert any(option.startswith("Slice: ") for option in options)
    choice.select_option(index=next(i for i, o in enumerate(options) if o.startswith("Slice: ")))
    wait_for(
        lambda: points.evaluate_all("all => all.map((one) => one.getAttribute('fill'))") != colours,
        15,
        "the colours do not change",
    )
    legend = page.locator("#map .role-legend text").all_text_contents()
    assert legend == ["outside", "inside"]
    # the selected point is drawn last, on top of the others
    points.last.click(force=True)
    picked = page.locator(".picked")
    wait_for(lambda: picked.locator("audio").count() == 1, 15, "the point has no player")
    assert ".wav" in picked.locator("b").inner_text()
    assert picked.locator("span").count() >= 2
    wait_for(
        lambda: page.evaluate(
            """() => {
              const audio = document.querySelector(".picked audio");
              audio.muted = true;
              if (audio.paused) audio.play().catch(() => {});
              return audio.currentTime > 0.05;
            }"""
        ),
        15,
        "the audio of the point does not play",
    )
    points.first.click(force=True)
    wait_for(lambda: picked.locator("small").count() == 1, 15, "silence is not explained")
    assert page.problems == []


@pytest.mark.parametrize("width", [390, 820, 1440])
def test_page_does_not_scroll_sideways(page, reports, width):
    page.set_viewport_size({"width": width, "height": 900})
    for path in reports:
        open_report(page, path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast_in_both_colour_schemes(page, reports, scheme):
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


def test_printing_unfolds_sections_and_hides_players(page, reports):
    open_report(page, reports[0])
    folded = page.locator("details:not([open]) .scroll").first
    assert not folded.is_visible()
    page.emulate_media(media="print")
    assert folded.is_visible()
    assert not page.locator("nav").is_visible()
    assert page.locator("audio:visible").count() == 0
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(255, 255, 255)"
    assert len(page.pdf(format="A4")) > 100_000


def test_readable_without_javascript(browser, reports):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(reports[0].as_uri())
    assert page.locator("#answer .answer p").count() >= 2
    assert page.locator("#slices").inner_text()
    assert page.locator("th button").count() == 0
    for name in ("overall", "tradeoff", "slices", "against", "map"):
        assert page.locator(f"#{name} .chart svg").first.is_visible(), name
    assert not page.locator(".live-only").first.is_visible()
    context.close()


def test_every_number_has_its_table(finished_study, reports):
    """The tables that the sections name exist."""
    for path in reports:
        named = re.findall(
            r"<code>(results/.*?)</code>",
            path.read_text(encoding="utf-8").replace("<wbr>", ""),
        )
        assert len(named) > 10
        for pattern in named:
            assert list(finished_study.glob(pattern.replace("{model}", "*"))), pattern
