"""A page in a browser that notes what it is asked for and what goes wrong."""

import time

import pytest
from playwright.sync_api import sync_playwright


@pytest.fixture(scope="session")
def launch(chromium):
    """Start browsers, each with arguments of its own."""
    with sync_playwright() as playwright:
        # without a sandbox, because continuous integration runs as root in containers
        yield lambda *arguments: playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", *arguments]
        )


@pytest.fixture(scope="session")
def browser(launch):
    browser = launch()
    yield browser
    browser.close()


@pytest.fixture
def page(browser):
    """A page; `page.requests` are the addresses it asked for, `page.problems` its errors."""
    page = browser.new_page(viewport={"width": 1600, "height": 1050})
    page.requests, page.problems = [], []
    page.on("request", lambda request: page.requests.append(request.url))
    page.on("console", lambda m: page.problems.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on(
        "response",
        lambda r: page.problems.append(f"{r.status} {r.url}") if r.status >= 400 else None,
    )
    yield page
    page.close()


@pytest.fixture(scope="session")
def wait_for():
    """Wait until a condition holds, by asking again and again."""

    def wait(condition, seconds, message):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, message
            time.sleep(0.1)

    return wait
