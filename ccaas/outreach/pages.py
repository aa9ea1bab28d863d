"""Events and plays as pages: what came, whom it affected, and each customer's steps, answers and times.

On the site of the people who work here for supervisors (`/plays`), and on the control server for who holds the token.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from ccaas.errors import CcaasError
from ccaas.outreach.events import EventBook, EventRefused
from ccaas.ports.accounts import Role
from ccaas.web.staff.routes import Page, Routes

FOLDER = Path(__file__).parent / "site"
AT_ONCE = 200
"""Customers on one page."""
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem;max-width:70rem}table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;padding:.3rem .8rem;border-bottom:1px solid #ccc;vertical-align:top}"
)

Json = Mapping[str, Any]


class View(Protocol):
    """What is shown."""

    async def all(self) -> list[dict[str, Any]]:
        """Every event, and where its cases stand."""
        ...

    async def refused(self) -> list[dict[str, Any]]:
        """Messages of buses that were no events."""
        ...

    async def about(self, event_id: str) -> dict[str, Any] | None:
        """An event; None where there is none of this id."""
        ...

    async def event(self, event_id: str, first: int = 0, count: int = 1_000_000) -> list[dict[str, Any]]:
        """Its cases, with their steps, by their numbers."""
        ...


class PlayRoutes:
    """POST /events, GET /plays, GET /plays/EVENT and GET /plays/EVENT/page."""

    def __init__(self, book: EventBook, view: View) -> None:
        self._book = book
        self._view = view

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_post("/events", self._send)
        app.router.add_get("/plays", self._all)
        app.router.add_get("/plays/{event}", self._event)
        app.router.add_get("/plays/{event}/page", self._page)

    async def _send(self, request: web.Request) -> web.StreamResponse:
        try:
            event_id, new = await self._book.take(await request.read(), "control")
        except EventRefused as refused:
            return web.Response(status=refused.status, text=f"{refused}\n")
        except CcaasError as error:
            raise web.HTTPServiceUnavailable(text=f"{error}\n") from None
        return web.json_response({"event": event_id, "new": new}, status=202)

    async def _all(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"plays": await self._view.all()})

    async def _event(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"cases": await self._view.event(request.match_info["event"])})

    async def _page(self, request: web.Request) -> web.StreamResponse:
        text = await _shown(self._view, request, f"<style>{_STYLE}</style>", "")
        return web.Response(text=text, content_type="text/html")


class PlayPages:
    """Adds its pages to a site, for supervisors."""

    def __init__(self, view: View) -> None:
        self._view = view

    def add_to(self, routes: Routes) -> None:
        """GET /plays lists the events, GET /plays/EVENT shows one."""
        routes.add("GET", "/plays", self._all, role=Role.SUPERVISOR)
        routes.add("GET", "/plays/{event}", self._event, role=Role.SUPERVISOR)
        routes.static("/static/plays", FOLDER)
        routes.pages.append(Page("/plays", "Plays", Role.SUPERVISOR))

    async def _all(self, _: web.Request) -> web.StreamResponse:
        text = listing(await self._view.all(), await self._view.refused(), _HEAD, _TOP)
        return web.Response(text=text, content_type="text/html")

    async def _event(self, request: web.Request) -> web.StreamResponse:
        return web.Response(text=await _shown(self._view, request, _HEAD, _TOP), content_type="text/html")


async def _shown(view: View, request: web.Request, head: str, top: str) -> str:
    event_id, first = request.match_info["event"], request.query.get("from", "0")
    about = await view.about(event_id)
    if about is None or not first.isdigit() or len(first) > 9:
        raise web.HTTPNotFound(text="there is no such event\n")
    return page(about, await view.event(event_id, int(first), AT_ONCE), head, top)


def listing(events: Sequence[Json], refused: Sequence[Json], head: str = "", top: str = "") -> str:
    """The page of all events, the newest first."""
    rows = (
        (
            _time(one["at"]),
            f'<a href="/plays/{_cell(one["event_id"])}">{_cell(one["event_id"])}</a>',
            _cell(one["type"]),
            _cell(one["play"]),
            _cell(one["source"]),
            _span(one["at"], one["ended"]) or "goes on",
            _cell(", ".join(f"{count} {state}" for state, count in one["cases"].items()) or "none"),
        )
        for one in reversed(events)
    )
    body = _table("Events", ("At (UTC)", "Event", "Type", "Play", "By", "All told after", "Customers"), rows)
    if refused:
        lost = ((_time(one["at"]), *(_cell(one[name]) for name in ("source", "message", "why"))) for one in refused)
        body += _table("Messages of buses that were no events", ("At (UTC)", "Bus", "Message", "Why"), lost)
    return _whole("Plays", body, head, top)


def page(event: Json, cases: Sequence[Json], head: str = "", top: str = "") -> str:
    """The page of one event."""
    facts = (
        ("Type", _cell(event["type"])),
        ("Play", _cell(event["play"])),
        ("Came", f"{_time(event['at'])} UTC, by {_cell(event['source'])}"),
        ("Work began after", _span(event["at"], event["begun"]) or "not yet"),
        ("All told after", _span(event["at"], event["ended"]) or "not yet"),
        ("Customers", _cell(event["customers"])),
        ("Data", f"<code>{_cell(json.dumps(event['data'], ensure_ascii=False))}</code>"),
    )
    body = f"<dl>{''.join(f'<dt>{name}</dt><dd>{value}</dd>' for name, value in facts)}</dl>"
    columns = ("Customer", "Tier", "State", "Channel", "Offered after", "Answer", "Answered after", "Steps")
    body += _table("Customers, in the order in which they were told", columns, (_row(event, case) for case in cases))
    ahead = cases[-1]["number"] + 1 if cases else 0
    if ahead and ahead < event["customers"]:
        body += f'<p><a href="?from={ahead}">The next {min(AT_ONCE, event["customers"] - ahead)}</a></p>'
    return _whole(f"Play {event['event_id']}", body, head, top)


def _row(event: Json, case: Json) -> tuple[str, ...]:
    state = case["state"] if case["due"] is None else f"{case['state']}, until {_moment(case['due'])}"
    offered = next((step["at"] for step in case["steps"] if step["step"].startswith("offered by")), None)
    answer = next((step for step in case["steps"] if step["step"].startswith("answer ")), None)
    return (
        _cell(case["customer"]),
        _cell(case["tier"]),
        _cell(state),
        _cell(case["channel"]),
        _span(event["at"], offered),
        _cell(answer["step"].removeprefix("answer ")) if answer is not None else "",
        _span(offered, answer["at"]) if answer is not None and offered is not None else "",
        f"<ol>{''.join(_step(event, step) for step in case['steps'])}</ol>",
    )


def _step(event: Json, step: Json) -> str:
    took = f", took {step['took_ms']:.0f} ms" if step["took_ms"] else ""
    return (
        f"<li>{_time(step['at'])} (+{_span(event['at'], step['at'])}{took})"
        f" {_cell(step['step'])}: {_cell(step['words'])}</li>"
    )


def _table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    names = "".join(f'<th scope="col">{name}</th>' for name in columns)
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    table = f"<table><caption>{caption}</caption><thead><tr>{names}</tr></thead><tbody>{lines}</tbody></table>"
    return f'<div class="wide" tabindex="0" role="region" aria-label="{caption}">{table}</div>'


def _whole(title: str, body: str, head: str, top: str) -> str:
    name = html.escape(title)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{name}</title>{head}</head>'
        f'<body class="plays">{top}<main><h2>{name}</h2>{body}</main></body></html>\n'
    )


_HEAD = (
    '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'
    '<link rel="stylesheet" href="/static/site.css"><link rel="stylesheet" href="/static/plays/plays.css">'
    '<link rel="icon" href="data:,"><script type="module" src="/static/plays/plays.js"></script>'
)
_TOP = (
    '<header class="top"><h1 id="installation">&nbsp;</h1><nav aria-label="Pages"><ul id="pages"></ul></nav>'
    '<span class="fill"></span><details class="menu" id="account"><summary>…</summary></details></header>'
)


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _time(at: float) -> str:
    return f"<time>{_moment(at)}</time>"


def _span(begin: float | None, end: float | None) -> str:
    """How long it took, as people read it; empty where one of them is not there."""
    if begin is None or end is None:
        return ""
    took = max(end - begin, 0.0)
    if took < 1:
        return f"{took * 1000:.0f} ms"
    if took < 120:
        return f"{took:.1f} s"
    return f"{took / 60:.0f} min" if took < 7_200 else f"{took / 3600:.1f} h"


def _cell(text: object) -> str:
    return html.escape(str(text))
