"""Attacks on a running view by other pages in the same browser."""

import http.client
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from view_server import ROOT, serve, write_view

pytestmark = pytest.mark.browser
EVIL = "evil.example"
"""A name that the browser of this test resolves to this machine, as after DNS rebinding."""
ATTACK = """async (url) => {
  const got = [];
  await new Promise((done) => {
    const socket = new WebSocket(url.replace("http:", "ws:") + "/api/ws");
    socket.onopen = () => { got.push("websocket"); done(); };
    socket.onerror = done;
  });
  for (const credentials of ["include", "omit"])
    await fetch(url + "/api/table/", { credentials })
      .then(async (answer) => answer.ok && got.push("fetch"), () => {});
  const load = (name, attribute, path, event) => new Promise((done) => {
    const element = document.createElement(name);
    element[event] = () => { got.push(name); done(); };
    element.onerror = done;
    element[attribute] = url + path;
    document.body.append(element);
  });
  await load("audio", "src", "/api/table/audio/0?generation_id=0", "onloadedmetadata");
  await load("script", "src", "/static/main.js", "onload");
  await load("img", "src", "/static/spotlight.svg", "onload");
  return got;
}"""


@pytest.fixture(scope="module")
def served(tmp_path_factory, wait_for):
    view = write_view(tmp_path_factory.mktemp("study") / "demo" / "gender")
    with serve(view, tmp_path_factory.mktemp("log"), wait_for) as served:
        yield served


@pytest.fixture(scope="module")
def other_port():
    """Port of another server on this machine, whose page is empty."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><body></body>")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def victim(launch, served):
    """A browser in which the view is open."""
    browser = launch(f"--host-resolver-rules=MAP {EVIL} 127.0.0.1")
    context = browser.new_context()
    view = context.new_page()
    view.goto(served.address)
    view.locator('[data-test-tag="datagrid-all-count"]').first.wait_for(timeout=60_000)
    yield context
    browser.close()


def test_the_view_itself_works(victim, served):
    """The same requests succeed from the view's own page, so that each attack could succeed."""
    view = victim.pages[0]
    assert "token" not in view.url
    assert view.locator('[data-test-tag="datagrid-all-count"]').first.inner_text() == "6"
    allowed = ["websocket", "fetch", "audio", "script", "img"]
    assert view.evaluate(ATTACK, served.url) == allowed  # without its cookie it gets nothing either
    page = victim.new_page()
    page.goto(served.url)  # a bookmark, or a new tab
    page.locator('[data-test-tag="datagrid-all-count"]').first.wait_for(timeout=60_000)
    page.close()


@pytest.mark.parametrize("name", [EVIL, "127.0.0.1", "localhost"])
def test_another_page_gets_nothing(victim, served, other_port, name):
    """A page of a stranger, and pages of another server on this machine, by all names and ports."""
    page = victim.new_page()
    page.goto(f"http://{name}:{other_port}/")
    for target in (served.url, served.url.replace("127.0.0.1", "localhost")):
        assert page.evaluate(ATTACK, target) == []
    page.close()


@pytest.mark.parametrize("path", ["/", "/api/table/", "/api/issues/", "/static/main.js"])
def test_dns_rebinding_gets_nothing(victim, served, path):
    page = victim.new_page()
    answer = page.goto(f"http://{EVIL}:{served.port}{path}")
    assert answer.status == 403
    assert "Refused" in page.content()
    assert page.evaluate(ATTACK, f"http://{EVIL}:{served.port}") == []
    page.close()


def test_other_pages_cannot_embed_or_control_the_view(victim, served, other_port):
    page = victim.new_page()
    page.goto(f"http://{EVIL}:{other_port}/")
    page.evaluate(
        """(url) => {
          const frame = document.createElement("iframe");
          frame.src = url;
          document.body.append(frame);
        }""",
        served.address,
    )
    page.wait_for_timeout(2_000)
    assert page.locator("iframe").count() == 1
    for frame in page.frames[1:]:
        assert frame.locator('[data-test-tag="datagrid-all-count"]').count() == 0
    with page.expect_popup() as popup:
        page.evaluate("(url) => { window.held = window.open(url); }", served.address)
    popup.value.locator('[data-test-tag="datagrid-all-count"]').first.wait_for(timeout=60_000)
    assert page.evaluate("held.closed")  # the page has lost its window
    popup.value.close()
    page.close()


def test_another_browser_needs_the_token(browser, served):
    page = browser.new_page()
    for address in (served.url, f"{served.url}/?token=guess"):
        assert page.goto(address).status == 403
    page.close()


def ask(served, path="/api/table/", method="GET", **headers):
    """Status and time of one request without a browser."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    begin = time.perf_counter()
    connection.request(method, path, headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status, time.perf_counter() - begin


def test_refusing_is_quick_and_needs_no_browser(served):
    upgrade = {
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Cookie": served.cookie,
    }  # fmt: skip
    assert ask(served, Cookie=served.cookie)[0] == 200
    assert ask(served, "/api/ws", **upgrade)[0] == 101
    attacks = [
        ask(served),
        ask(served, Cookie=served.cookie, Host=f"{EVIL}:{served.port}"),
        ask(served, Cookie=served.cookie, Origin=f"http://{EVIL}"),
        ask(served, Cookie=served.cookie, **{"Sec-Fetch-Site": "cross-site"}),
        ask(served, "/api/config/layout.current", "PUT"),
        ask(served, "/api/ws", **{**upgrade, "Cookie": ""}),
        ask(served, "/api/ws", **upgrade, Origin=f"http://{EVIL}"),
        ask(served, "/api/ws", **upgrade, Host=f"{EVIL}:{served.port}"),
    ]
    assert [status for status, _ in attacks] == [403] * len(attacks)
    assert max(seconds for _, seconds in attacks) < 2


def test_a_view_without_its_guard_is_not_opened(served, tmp_path):
    """The command checks the server before it opens a view; here the guard is not installed."""
    view = write_view(tmp_path / "demo" / "gender")
    program = f"""
import sys
sys.path.insert(0, {str(ROOT / "scripts")!r})
from voxslice.report.spotlight import viewer
viewer.PYTHON_PATH = viewer.PYTHON_PATH[1:]
viewer.show(viewer.load({str(view)!r}), port=None, browser=False)
"""
    done = subprocess.run(
        [sys.executable, "-c", f"__file__ = 'x'\n{program}"], capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    assert "MachineError: The view is closed again" in done.stderr
    assert "token=" not in done.stdout


def test_a_port_that_does_not_exist_is_explained_in_one_sentence():
    command = [sys.executable, ROOT / "scripts/view.py", "results", "--port"]
    for port in ("99999", "65536", "0", "-1"):
        begin = time.perf_counter()
        done = subprocess.run([*command, port], capture_output=True, text=True, timeout=60)
        assert done.returncode == 1
        assert done.stderr == (
            f"Error: --port {port} is not a port: choose a number from 1 to 65535.\n"
        )
        assert done.stdout == ""
        assert time.perf_counter() - begin < 5
