"""Text of data that tries to change the direction of other text in the report, in a browser."""

import dataclasses
import re

import pytest
import vl_convert
from hostile_study import ARABIC, HEBREW, hostile
from report_study import make_embedding, make_study, write_noise
from voxslice.report.page.render import derive, render
from voxslice.shown_text import CONTROL
from voxslice.utterance_keys import KEY

pytestmark = pytest.mark.browser
ORDER = """() => {
  // letters that are read from left to right must stand from left to right, line by line
  const turned = /[\\u0590-\\u08ff]/;
  const bad = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (texts.nextNode()) {
    const node = texts.currentNode;
    if (["SCRIPT", "STYLE", "OPTION"].includes(node.parentElement.tagName)) continue;
    if (node.data.includes("\\u00ad")) continue; // fixed text that is broken at hyphens
    const range = document.createRange();
    let last = null;
    for (let at = 0; at < node.length; at += 1) {
      if (turned.test(node.data[at]) || /[\\s\\u2068\\u2069]/.test(node.data[at])) continue;
      range.setStart(node, at);
      range.setEnd(node, at + 1);
      const box = range.getBoundingClientRect();
      if (box.width === 0) continue;
      seen += 1;
      if (last && Math.abs(last.top - box.top) < 2 && box.left < last.left - 0.5)
        bad.push(node.data);
      last = box;
    }
  }
  return [seen, [...new Set(bad)]];
}"""


@pytest.fixture(scope="module")
def library():
    return vl_convert.javascript_bundle()


@pytest.fixture(params=[True, False], ids=["classification", "regression"])
def report(request, tmp_path, library):
    study = hostile(make_study(classification=request.param, confirmed=True))
    study = dataclasses.replace(study, embedding=make_embedding(study.metadata[KEY]))
    html = render(
        study, derive(study), audio=write_noise(tmp_path), library=library, max_megabytes=10
    )
    path = tmp_path / "report.html"
    path.write_text(html, encoding="utf-8")
    return path


def test_no_control_character_is_in_a_report(report):
    html = report.read_text(encoding="utf-8")
    html = re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL)  # the library
    isolated = re.sub("\u2068[^\u2069<>]*\u2069", "", html)
    assert HEBREW in html and ARABIC in html and "[U+202E]" in html
    assert set(CONTROL.findall(isolated)) <= {"\n"}
    assert not re.search("[\u0590-\u08ff]", isolated)


def test_text_of_data_does_not_change_the_direction_of_other_text(page, report, wait_for):
    page.goto(report.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    for live in (False, True):
        seen, bad = page.evaluate(ORDER)
        assert seen > 2_000
        assert bad == [], live
        for chart in page.locator(".chart").all():
            chart.scroll_into_view_if_needed()
        wait_for(lambda: page.locator(".chart .drawn").count() == 0, 60, "charts stay drawings")
    assert page.problems == []


def test_the_legend_of_the_map_shows_all_colours(page, report, wait_for):
    """The legend has the same values as the points."""
    page.goto(report.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    chart = page.locator("#map .chart")
    chart.scroll_into_view_if_needed()
    wait_for(lambda: chart.locator(".live").count() == 1, 60, "the map does not come to life")
    choice = page.locator("#map select")
    options = choice.locator("option").all_text_contents()
    assert not any(CONTROL.search(re.sub("[\u2068\u2069]", "", option)) for option in options)
    index = next(i for i, option in enumerate(options) if option == "emotion")
    choice.select_option(index=index)
    wait_for(
        lambda: (
            set(page.locator("#map .role-legend text").all_text_contents())
            == {"[U+2069]anger[U+2067]␛[31m", f"\u2068{ARABIC}\u2069", "sad[U+009B][U+2028]ness"}
        ),
        15,
        "the legend does not follow",
    )
    symbols = page.locator("#map .role-legend .mark-symbol path")
    assert len({one.get_attribute("fill") for one in symbols.all()}) == 3
