"""A guard in front of the interactive view: only the page that was opened with the token gets in.

Spotlight itself answers every request. Without a guard, any page that is open in the same browser
can read the table and the audio: by a WebSocket to 127.0.0.1, or by a name of its own that it
points to 127.0.0.1 (DNS rebinding).
"""

import os
import re
import secrets
from collections.abc import MutableMapping
from http import HTTPStatus
from typing import Any

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

TOKEN = "VOXSLICE_VIEW_TOKEN"  # noqa: S105
"""Environment variable that holds the token for the process of the server."""
BROWSER = "voxslice"
"""Name under which Spotlight keeps the settings of the browser, such as its colours."""
HOST = re.compile(r"(?:127\.0\.0\.1|localhost)(?P<port>:[0-9]{1,5})?")
"""Values of the header Host that a browser sends when it opens a server on this machine."""
OWN_SITES = {"same-origin", "none"}
"""Values of Sec-Fetch-Site for a request of the view's own page, or of the user."""
HEADERS = {
    b"content-security-policy": b"frame-ancestors 'none'",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"same-origin",
}
"""Headers of each answer: other pages can neither frame nor embed nor keep hold of the view."""
ENTRANCE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Voxslice</title><link rel="icon" href="data:,"></head>
<body><p><a href="/">Open the view</a></p></body>
</html>
"""
CLOSED = "Refused: open the address that scripts/view.py printed, with its token.\n"


def activate(app: Any) -> None:
    """Put the guard in front of Spotlight's server; called in the process of the server.

    Args:
        app: Spotlight's application

    Raises:
        KeyError: If the environment holds no token.
    """
    app.add_middleware(Guard, token=os.environ.pop(TOKEN))


class Guard:
    """ASGI middleware that refuses every request but those of the view's own page.

    - The header Host must name this machine, which stops DNS rebinding.
    - The header Origin, if there is one, must name the same host and port. The header
      Sec-Fetch-Site, if there is one, must not name another site. This stops other pages, also
      those of other servers on this machine, with which the view shares its cookies.
    - The address `/?token=...` sets a cookie with the token and leads to the view. All other
      requests need that cookie.

    Args:
        app: The application to guard.
        token: The secret of the address.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self.app = app
        self.token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on to the application."""
        if scope["type"] not in ("http", "websocket"):  # start and end of the server
            await self.app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        cookie = _cookie_name(request)
        if cookie is None or not _is_own_origin(request):
            await _refuse(scope, receive, send)
        elif self._is_entrance(request):
            response = HTMLResponse(ENTRANCE, headers={"refresh": "0; url=/"})
            response.set_cookie(cookie, self.token, httponly=True, samesite="strict")
            response.set_cookie("browser_id", BROWSER, samesite="strict")
            response.headers["cache-control"] = "no-store"
            await response(scope, receive, _with_headers(send))
        elif _is_own_site(request) and self._is_token(request.cookies.get(cookie, "")):
            await self.app(scope, receive, _with_headers(send))
        else:
            await _refuse(scope, receive, send)

    def _is_entrance(self, request: HTTPConnection) -> bool:
        """Whether a request opens the view by the address with the token."""
        return (
            request.scope["type"] == "http"
            and request.scope["method"] == "GET"
            and request.scope["path"] == "/"
            and self._is_token(request.query_params.get("token", ""))
        )

    def _is_token(self, text: str) -> bool:
        """Whether a text is the token; the time that this takes does not depend on the text."""
        return secrets.compare_digest(text.encode(), self.token.encode())


def _cookie_name(request: HTTPConnection) -> str | None:
    """Name of the cookie for the host of a request, None if the host is not this machine.

    Cookies are shared by all ports of a host. The name holds the port, so that several views can be
    open at once.
    """
    hosts = request.headers.getlist("host")
    match = HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
    return f"voxslice_view_{(match['port'] or ':80')[1:]}" if match else None


def _is_own_origin(request: HTTPConnection) -> bool:
    """Whether a request names no other origin than the host that it asks."""
    own = f"http://{request.headers['host']}"
    return all(origin == own for origin in request.headers.getlist("origin"))


def _is_own_site(request: HTTPConnection) -> bool:
    """Whether a browser says that a request comes from the view's page or from the user."""
    return all(site in OWN_SITES for site in request.headers.getlist("sec-fetch-site"))


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with 403; a WebSocket is closed before it is accepted, which sends the same."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
    else:
        response = PlainTextResponse(CLOSED, HTTPStatus.FORBIDDEN)
        await response(scope, receive, send)


def _with_headers(send: Send) -> Send:
    """Send an answer with the headers that keep other pages away."""

    async def send_with_headers(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *HEADERS.items()]}
        await send(message)

    return send_with_headers
