"""The report in a browser: it is complete offline, tables can be sorted, and audio plays."""

import html
import re

import pytest
from report_study import make_study, page_of, write_noise

pytestmark = pytest.mark.browser
SECTIONS = [
    "answer", "checks", "modes", "speakers", "against", "overall", "tradeoff", "slices", "limits",
]  # fmt: skip
MAX_HEIGHT = 7000
"""Largest height of a report of the embedded study at a width of 1,200 pixels."""
MAX_HEIGHT_OF_THREE = 9000
"""Largest height of a report on three models at this width."""


@pytest.fixture
def reports(finished_study):
    pages = finished_study.glob("results/report/*/*.html")
    found = sorted(page for page in pages if not page.name.endswith(".summary.html"))
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
        # the checks of the embedded study are on the gender
        shown = [name for name in SECTIONS if name != "checks" or path.stem == "gender"]
        assert ids == shown
        links = page.locator("nav a").evaluate_all("all => all.map(one => one.hash)")
        assert links == [f"#{name}" for name in shown]
        drawn = page.locator(".chart").count()
        for name in ("modes", "speakers", "against", "overall", "tradeoff", "slices", "map"):
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
    chart = page.locator("#modes .chart").first
    # the drawing may have come to life before it is looked at: read it as it was sent
    sent = reports[0].read_text(encoding="utf-8").split('<section id="modes">')[1]
    words = re.findall(r"<text[^>]*>(.+?)</text>", sent.split("</svg>")[0], re.DOTALL)
    words = [html.unescape(re.sub("<[^>]*>", "", word)) for word in words]  # lines of a label
    chart.scroll_into_view_if_needed()
    wait_for(lambda: chart.locator(".live").count() == 1, 30, "the chart does not come to life")
    assert sorted(chart.locator("svg text").all_text_contents()) == sorted(words)
    assert chart.locator("svg").get_attribute("aria-label").endswith("of each failure mode")


def test_a_chart_shows_its_numbers_in_a_tooltip(page, reports, wait_for):
    open_report(page, reports[0])
    page.locator("#overall details").first.locator("summary").click()
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
    assert any(option.startswith("Mode ") for option in options)
    choice.select_option(index=next(i for i, o in enumerate(options) if o.startswith("Mode ")))
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


@pytest.fixture
def all_pages(finished_study, reports):
    """The reports, their summaries and the index."""
    folder = finished_study / "results/report"
    return [*reports, *sorted(folder.glob("*/*.summary.html")), folder / "index.html"]


@pytest.mark.parametrize("width", [390, 820, 1440])
def test_no_page_scrolls_sideways(page, all_pages, width):
    page.set_viewport_size({"width": width, "height": 900})
    for path in all_pages:
        open_report(page, path)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_captions_of_wide_tables_stay_in_view_on_a_phone(page, reports):
    page.set_viewport_size({"width": 390, "height": 900})
    for path in reports:
        open_report(page, path)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        wide, cut = page.evaluate(
            """(() => {
            const captions = [...document.querySelectorAll("caption:not(.spoken) span")];
            const boxes = captions.map((one) => [one, one.closest(".scroll")]);
            const wide = boxes.filter(([one, box]) => box.scrollWidth > box.clientWidth + 1);
            wide.forEach(([one, box]) => { box.scrollLeft = 50; });
            const cut = wide.filter(([one, box]) => {
                const [a, b] = [one.getBoundingClientRect(), box.getBoundingClientRect()];
                return a.left < b.left - 1 || a.right > b.right + 1;
            });
            return [wide.length, cut.map(([one]) => one.textContent)];
            })()"""
        )
        assert wide > 5 and cut == [], path


def test_no_open_table_or_chart_is_cut_off(page, all_pages):
    """What is unfolded needs no scrolling at the width of a small laptop."""
    page.set_viewport_size({"width": 1200, "height": 900})
    for path in all_pages:
        open_report(page, path)
        cut = page.evaluate(
            """[...document.querySelectorAll(".scroll, .chart")]
            .filter((one) => one.clientWidth && one.scrollWidth > one.clientWidth + 1)
            .map((one) => one.getAttribute("aria-label") || one.className)"""
        )
        assert cut == [], path


def test_a_report_is_short(page, reports):
    page.set_viewport_size({"width": 1200, "height": 900})
    for path in reports:
        open_report(page, path)
        assert page.evaluate("document.documentElement.scrollHeight") <= MAX_HEIGHT, path
        # what is undecided is folded, and unfolding it shows far more
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert page.evaluate("document.documentElement.scrollHeight") > 2 * MAX_HEIGHT


def test_a_report_on_three_models_is_short(page, tmp_path):
    study = make_study(models=3, confirmed=True, costs=True, mapped=True, margin=0.02)
    path = tmp_path / "report.html"
    path.write_text(page_of(study, write_noise(tmp_path)), encoding="utf-8")
    page.set_viewport_size({"width": 1200, "height": 900})
    page.goto(path.as_uri())
    assert page.locator("#modes article.mode").count() == 2
    assert page.locator("#modes details.mode").count() == 1
    assert page.evaluate("document.documentElement.scrollHeight") <= MAX_HEIGHT_OF_THREE


def test_no_page_shows_a_missing_value_of_a_program(page, all_pages):
    for path in all_pages:
        open_report(page, path)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        text = page.inner_text("body")
        assert not re.search(r"\b(undefined|NaN|nan|null)\b", text), path


def test_each_mode_has_figures_and_clips_with_metadata(page, reports):
    for path in reports:
        open_report(page, path)
        cards = page.locator("#modes article.mode")
        assert cards.count() >= 1
        for card in cards.all():
            assert card.locator(".tested").count() == page.locator("#modes .legend .chip").count()
            assert "of the" in card.locator(".of-models").inner_text()
            clips = card.locator(".clip")
            assert 1 <= clips.count() <= 3
            assert "emotion" in clips.first.locator(".hint").first.inner_text()


def test_the_index_links_every_page(page, all_pages, finished_study):
    index = finished_study / "results/report/index.html"
    open_report(page, index)
    links = page.locator("a").evaluate_all("all => all.map((one) => one.href)")
    pages = [link for link in links if "#" not in link]
    assert sorted(pages) == sorted(path.as_uri() for path in all_pages if path != index)
    places = [(index.parent / f"demo/{task}.html").as_uri() for task in ("gender", "age")]
    assert sorted(set(links) - set(pages)) == sorted(
        [f"{places[0]}#checks", *(f"{place}#conditions" for place in places)]
    )
    assert page.locator("#models tbody tr").count() == 4  # two models and two tasks
    assert page.problems == []


def test_a_summary_needs_no_script_and_is_small(browser, all_pages):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for path in all_pages:
        if not path.name.endswith(".summary.html"):
            continue
        assert path.stat().st_size <= 150_000
        page.goto(path.as_uri())
        assert page.locator("#modes svg").is_visible()
        assert page.locator("#modes tbody tr").count() >= 2
        assert page.locator("audio, script").count() == 0
    context.close()


def test_the_first_printed_page_is_a_summary(page, reports):
    """The answer, its warnings and the failure modes fit on one page, which ends there."""
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 688, "height": 900})  # A4 without margins
    for path in reports:
        open_report(page, path)
        section = page.locator("#answer")
        assert section.locator("table").is_visible()
        assert section.evaluate("one => getComputedStyle(one).breakAfter") == "page"
        bottom = section.evaluate("one => one.getBoundingClientRect().bottom + scrollY")
        assert bottom <= 1017, path  # the height of A4 without margins


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
    folded = page.locator("#slices details:not([open]) .scroll").first
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
    assert page.locator("#modes article.mode").count() >= 1
    assert page.locator("th button").count() == 0
    page.locator("#speakers summary").first.click()  # 20 speakers: the chart is folded
    for name in ("modes", "speakers", "against"):
        assert page.locator(f"#{name} .chart svg").first.is_visible(), name
    # folded parts open without a script
    page.locator("#slices summary").first.click()
    assert page.locator("#slices details").first.get_attribute("open") is not None
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
