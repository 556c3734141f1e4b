"""The guard in front of the interactive view, around a small application."""

import time

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from voxslice.report.spotlight.guard import TOKEN, Guard, activate

SECRET = "token-of-this-test"
HOST = "127.0.0.1:5000"
COOKIE = f"voxslice_view_5000={SECRET}"
OWN = {"host": HOST, "cookie": COOKIE}


async def table(request):
    return PlainTextResponse("the table")


async def columns(websocket):
    await websocket.accept()
    await websocket.send_text("the columns")
    await websocket.close()


@pytest.fixture
def client():
    routes = [Route("/", table), Route("/api", table), WebSocketRoute("/ws", columns)]
    guard = Guard(Starlette(routes=routes), SECRET)
    return TestClient(guard, base_url=f"http://{HOST}", follow_redirects=False)


def is_refused(client, headers, path="/api"):
    answer = client.get(path, headers=headers)
    assert (answer.status_code == 403) is ("the table" not in answer.text)
    return answer.status_code == 403


def is_closed(client, headers, path="/ws"):
    try:
        with client.websocket_connect(path, headers=headers) as socket:
            return socket.receive_text() != "the columns"
    except WebSocketDisconnect:
        return True


def test_the_address_with_the_token_leads_to_the_view(client):
    entrance = client.get(f"/?token={SECRET}")
    assert entrance.status_code == 200
    assert entrance.headers["refresh"] == "0; url=/"
    assert entrance.headers["cache-control"] == "no-store"
    assert "the table" not in entrance.text
    cookie = entrance.headers["set-cookie"]
    assert cookie.startswith(COOKIE)
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
    assert client.get("/").text == "the table"  # the client keeps the cookie
    with client.websocket_connect(f"ws://{HOST}/ws") as socket:
        assert socket.receive_text() == "the columns"


@pytest.mark.parametrize("name", ["127.0.0.1:5000", "localhost:5000", "localhost:9000"])
def test_its_own_page_is_served(client, name):
    """The last name is that of a port that ssh forwards."""
    port = name.split(":")[1]
    headers = {
        "host": name,
        "origin": f"http://{name}",
        "sec-fetch-site": "same-origin",
        "cookie": f"other=1; voxslice_view_{port}={SECRET}",
    }
    assert not is_refused(client, headers)
    assert not is_closed(client, headers)


@pytest.mark.parametrize(
    "name",
    [
        "evil.example", "evil.example:5000", "127.0.0.1.evil.example:5000", "localhost.evil",
        "evil.example@127.0.0.1:5000", "127.0.0.1:5000.evil.example", "[::1]:5000", "0.0.0.0:5000",
        "2130706433:5000", "127.1:5000", "", "127.0.0.1:5000\n", "127.0.0.1:", "LOCALHOST:5000",
    ],
)  # fmt: skip
def test_another_host_is_refused(client, name):
    """DNS rebinding: a name of an attacker points to this machine."""
    headers = {"host": name, "cookie": COOKIE}
    assert is_refused(client, headers)
    assert is_closed(client, headers)
    assert is_refused(client, headers, path=f"/?token={SECRET}")


def test_two_hosts_are_refused(client):
    headers = [("host", HOST), ("host", "evil.example"), ("cookie", COOKIE)]
    assert is_refused(client, headers)
    assert is_refused(client, headers[::-1])


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example", "http://127.0.0.1", "http://127.0.0.1:5001", "http://localhost:5000",
        "https://127.0.0.1:5000", "null", "", "http://127.0.0.1:5000.evil.example", "file://",
        "http://127.0.0.1:5000, http://evil.example",
    ],
)  # fmt: skip
def test_another_origin_is_refused(client, origin):
    """Also another server of this machine, to which a browser sends the same cookies."""
    assert is_refused(client, OWN | {"origin": origin})
    assert is_closed(client, OWN | {"origin": origin})
    assert is_refused(client, {"host": HOST, "origin": origin}, path=f"/?token={SECRET}")


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
def test_an_element_of_another_page_is_refused(client, site):
    """An image or a script of another page is fetched without an Origin."""
    assert is_refused(client, OWN | {"sec-fetch-site": site})


@pytest.mark.parametrize(
    "cookie",
    ["", "voxslice_view_5000=", "voxslice_view_5000=guess", f"voxslice_view_5001={SECRET}",
     f"voxslice_view_5000={SECRET}x", f"voxslice_view_5000={SECRET[:-1]}", f"token={SECRET}",
     "voxslice_view_5000=\xff"],
)  # fmt: skip
def test_without_the_token_everything_is_refused(client, cookie):
    headers = {"host": HOST, "cookie": cookie.encode("latin-1")}
    assert is_refused(client, headers)
    assert is_refused(client, headers, path="/")
    assert is_refused(client, headers, path="/?token=guess")
    assert is_refused(client, headers, path="/?token=")
    assert is_closed(client, headers)


def test_the_token_opens_only_the_entrance(client):
    headers = {"host": HOST}
    assert is_refused(client, headers, path=f"/api?token={SECRET}")
    assert is_closed(client, headers, path=f"/ws?token={SECRET}")
    assert client.post(f"/?token={SECRET}", headers=headers).status_code == 403


def test_other_pages_cannot_frame_or_embed_the_view(client):
    for answer in (client.get("/api", headers=OWN), client.get(f"/?token={SECRET}")):
        assert answer.headers["content-security-policy"] == "frame-ancestors 'none'"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"


@pytest.mark.slow
def test_refusing_is_quick(client):
    begin = time.process_time()
    for _ in range(100):
        assert is_refused(client, {"host": "evil.example:5000"})
        assert is_refused(client, OWN | {"origin": "http://evil.example"})
    assert time.process_time() - begin < 2


def test_a_server_without_a_token_does_not_start(monkeypatch):
    monkeypatch.delenv(TOKEN, raising=False)
    with pytest.raises(KeyError):
        activate(Starlette())
