"""A page in a browser that records its requests and its errors."""

import time

import pytest
from playwright.sync_api import sync_playwright


@pytest.fixture(scope="session")
def launch(chromium):
    """A function that starts a browser with further arguments."""
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
    """A page that records its requests (`page.requests`) and its errors (`page.problems`)."""
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
    """A function that waits until a condition is true."""

    def wait(condition, seconds, message):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, message
            time.sleep(0.1)

    return wait
