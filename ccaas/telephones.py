"""Telephones in browsers, joined to the site: agents' softphones and the caller's page."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from ccaas.asterisk.browser_lines import AsteriskBrowserLines
from ccaas.asterisk.secrets import AriAccess
from ccaas.asterisk.switch import AsteriskSwitch
from ccaas.config.configuration import Configuration
from ccaas.config.settings import CcaasSettings
from ccaas.journal.entries import turn_from_json
from ccaas.journal.journal import Journal
from ccaas.telephony.call import Call
from ccaas.textdesk import signing_key
from ccaas.web.call.guests import GuestRoutes
from ccaas.web.call.relay import Relay
from ccaas.web.call.softphone import SoftphoneRoutes
from ccaas.web.settings import DeskWeb
from ccaas.web.staff.server import StaffSite

SHIPPED = Path(__file__).parent / "shipped/jssip"
"""Where a wheel carries JsSIP; in a checkout it lies among the models."""
KEY_FILE = "guests.key"
"""Name within the state folder of the key that signs guests' lines."""
ANY = "*"


async def open_telephones(
    configuration: Configuration,
    staff: StaffSite,
    switch: AsteriskSwitch,
    access: AriAccess,
    calls: Callable[[], Iterable[Call]],
    journal: Journal,
    stack: AsyncExitStack,
) -> None:
    """Add them to `staff`, before it starts.

    Args:
        configuration: the YAML, and where JsSIP lies.
        staff: the site on which they are.
        switch: whose Asterisk has the telephones.
        access: where that Asterisk is.
        calls: those that are up.
        journal: what was said in them.
        stack: closes them.
    """
    settings = configuration.settings
    desk = settings.web.desk or DeskWeb()
    lines = AsteriskBrowserLines(switch.client, settings.asterisk, desk.silent_s)
    relay = Relay(f"{access.url.replace('http', 'ws', 1)}/ws")
    await relay.start()
    stack.push_async_callback(relay.close)
    staff.routes.static("/static/vendor", SHIPPED if SHIPPED.is_dir() else configuration.site.models_dir / "jssip")
    SoftphoneRoutes(lines, relay, staff.guard.own).add_to(staff.routes)
    page = desk.call
    if page.enabled:

        async def said(user: str) -> Mapping[str, str]:
            call_id = next((call.id for call in calls() if call.ani == user), "")
            return await journal.ask(lambda db: _said(db, call_id)) if call_id else {}

        key = signing_key(configuration.site.state_dir / KEY_FILE)
        number = page.number or first_number(settings)
        guests = GuestRoutes(page, number, lines, relay, key, staff.guard.own, staff.guard.address, said)
        guests.add_to(staff.routes)
        guests.start()
        stack.push_async_callback(guests.close)


def _said(db: sqlite3.Connection, call_id: str) -> dict[str, str]:
    """Each turn's two sides: what was heard of the agent where its reply is over, else what it means to say."""
    found: dict[str, str] = {}
    for row in db.execute("SELECT turn_id, record FROM turns WHERE call_id = ? ORDER BY id", (call_id,)):
        turn = turn_from_json(row["record"])
        if not turn.retaken:
            found[f"customer {turn.turn_id}"] = turn.caller_text
            found[f"butler {turn.turn_id}"] = turn.heard_text if turn.over else turn.agent_text
    return found


def first_number(settings: CcaasSettings) -> str:
    """What a caller without a choice dials: the first number of the first entry; where it takes any, "call"."""
    number = next(iter(settings.entries.values())).numbers[0]
    return "call" if number == ANY else number
