"""The scorecard on the site of the people who work here: the page, its figures as JSON and CSV, and the lists behind them."""

from __future__ import annotations

import asyncio
import io
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from aiohttp import web

from ccaas.ports.accounts import Role
from ccaas.scorecard.exporting import write_csv
from ccaas.scorecard.measures import MEASURES, By
from ccaas.scorecard.scorecard import Card, Scorecard
from ccaas.scorecard.settings import ScorecardError
from ccaas.web.staff.routes import Routes

FOLDER = Path(__file__).parent / "pages"
AT_ONCE = 2
"""Scorecards that are computed at the same time; others wait."""
DAYS = 7
"""What is shown when nothing is said: the last days, today included."""


class ScorecardPages:
    """Adds its routes to a site, for supervisors."""

    def __init__(self, scorecard: Scorecard) -> None:
        self._scorecard = scorecard
        self._turns = asyncio.Semaphore(AT_ONCE)

    def add_to(self, routes: Routes) -> None:
        """GET /scorecard is the page; .json and .csv take from, to and by; /scorecard/behind a measure and a key too."""
        routes.page("/scorecard", "Scorecard", FOLDER / "scorecard.html", role=Role.SUPERVISOR)
        routes.static("/static/scorecard", FOLDER)
        routes.add("GET", "/scorecard.json", self._json, role=Role.SUPERVISOR)
        routes.add("GET", "/scorecard.csv", self._csv, role=Role.SUPERVISOR)
        routes.add("GET", "/scorecard/behind", self._behind, role=Role.SUPERVISOR)

    async def _json(self, request: web.Request) -> web.StreamResponse:
        card = await self._card(request)
        return web.json_response(
            {
                "from": card.since.isoformat(),
                "to": card.till.isoformat(),
                "by": card.by.value,
                "timezone": self._scorecard.timezone,
                "measures": [
                    {"name": one.name, "title": one.title, "meaning": one.meaning, "unit": one.unit.value}
                    for one in MEASURES
                ],
                "total": dict(card.total.figures),
                "rows": [{"key": row.key, "figures": dict(row.figures)} for row in card.rows],
            }
        )

    async def _csv(self, request: web.Request) -> web.StreamResponse:
        card = await self._card(request)
        text = io.StringIO()
        write_csv(card, text)
        name = f"scorecard-{card.since}-{card.till}-by-{card.by.value}.csv"
        return web.Response(
            text=text.getvalue(),
            content_type="text/csv",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    async def _behind(self, request: web.Request) -> web.StreamResponse:
        since, till, by = self._span(request)
        measure, key = request.query.get("measure", ""), request.query.get("key")
        async with self._turns:
            rows = await asyncio.to_thread(self._scorecard.behind, measure, since, till, by, key)
        return web.json_response({"rows": rows})

    async def _card(self, request: web.Request) -> Card:
        since, till, by = self._span(request)
        async with self._turns:
            return await asyncio.to_thread(self._scorecard.card, since, till, by)

    def _span(self, request: web.Request) -> tuple[date, date, By]:
        today = datetime.now(ZoneInfo(self._scorecard.timezone)).date()
        try:
            till = date.fromisoformat(request.query.get("to") or today.isoformat())
            since = date.fromisoformat(request.query.get("from") or (till - timedelta(days=DAYS - 1)).isoformat())
            return since, till, By(request.query.get("by") or By.DAY.value)
        except (ValueError, OverflowError):
            raise ScorecardError("from and to are days such as 2026-11-25; by is day, queue or intent") from None
