"""What the site answers, and who may ask.

    site.routes.add("POST", "/board/reroute", reroute, role=Role.SUPERVISOR)
    site.routes.page("/scorecard", "Scorecard", FOLDER / "scorecard.html", role=Role.SUPERVISOR)
    site.routes.static("/static/scorecard", FOLDER)

`role=None` is for everybody, without signing in. What changes something (POST, PUT, PATCH, DELETE) is refused unless it
comes from this site's own pages: with the header X-Ccaas-Csrf, whose value pages get from GET /me. A page is a file; it
may load scripts and styles from this site alone (`static`), and open sockets to it and to what `connects` names.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from ccaas.ports.accounts import Account, Role
from ccaas.web.accounts.sessions import Session

Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]

SESSION: web.RequestKey[Session] = web.RequestKey("session", Session)


def account_of(request: web.Request) -> Account:
    """Who asks; only in routes that have a role."""
    return request[SESSION].account


@dataclass(frozen=True, slots=True)
class Route:
    """One path and method."""

    method: str
    path: str
    respond: Respond
    role: Role | None
    foreign: bool = False
    """Unsafe requests are taken without the header and from other sites: only where `respond` looks itself."""


@dataclass(frozen=True, slots=True)
class Page:
    """An entry of the site's navigation."""

    path: str
    title: str
    role: Role


class Routes:
    """Filled before the site starts."""

    def __init__(self) -> None:
        self.routes: list[Route] = []
        self.pages: list[Page] = []
        self.folders: dict[str, Path] = {}
        self.connects: list[str] = []
        """Further origins to which scripts may connect: "wss://pbx.example.com:8089"."""

    def add(self, method: str, path: str, respond: Respond, *, role: Role | None, foreign: bool = False) -> None:
        """Answer `path` (aiohttp's pattern) for who has the role, or for everybody."""
        self.routes.append(Route(method, path, respond, role, foreign))

    def page(self, path: str, title: str, file: Path, *, role: Role | None) -> None:
        """Serve an HTML file. With a role it is in the navigation of those who have it."""

        async def respond(_: web.Request) -> web.StreamResponse:
            return web.FileResponse(file, headers={"Content-Type": "text/html; charset=utf-8"})

        self.add("GET", path, respond, role=role)
        if role is not None:
            self.pages.append(Page(path, title, role))

    def static(self, prefix: str, folder: Path) -> None:
        """Serve the files of a folder to everybody."""
        self.folders[prefix] = folder
