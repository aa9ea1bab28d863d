"""Two days of a contact centre whose figures were computed by hand, across a change to summer time."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from ccaas.actions.audit import Outcome, ToolRun
from ccaas.conversation.events import TurnRecord, TurnTimes
from ccaas.journal.entries import CallBegan, CallEnded, Entry, Turn
from ccaas.journal.humans import HandoffKept, HandoffOver, HandoffPast
from ccaas.journal.journal import Journal
from ccaas.journal.messages import ConversationBegan
from ccaas.ports.messaging import InboundMessage
from ccaas.ports.tools import Effect
from ccaas.scorecard.incidents import Attempt, Incident, Resolution, SqliteIncidents
from ccaas.scorecard.scorecard import Scorecard
from ccaas.scorecard.settings import ScorecardSettings
from ccaas.telephony.events import EndReason

ZONE = "America/New_York"
SATURDAY, SUNDAY = date(2026, 3, 7), date(2026, 3, 8)
SETTINGS = ScorecardSettings(values={"flight_change": 100.0, "refund": 40.0}, default_value=5.0)


def at(day: date, clock: str) -> float:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZoneInfo(ZONE)).timestamp()


def turn(
    call_id: str, number: int, words: str, intent: str = "", felt: float | None = None, ms: float | None = None
) -> Turn:
    times = TurnTimes(speech_end=10.0, first_audio=10.0 + ms / 1000) if ms is not None else TurnTimes()
    record = TurnRecord(f"t{number}", words, "", intent, agent_text="…", times=times, sentiment=felt, over=True)
    return Turn(call_id, record)


def run(
    call_id: str,
    tool: str,
    outcome: Outcome = Outcome.DONE,
    *,
    intent: str = "",
    actor: str = "butler",
    confirmed_by: str = "t2",
) -> ToolRun:
    key = f"{call_id}-{tool}-{confirmed_by}"
    effect = Effect.WRITE
    return ToolRun(key, call_id, "t2", "", tool, effect, {}, confirmed_by, outcome, 1.0, actor=actor, intent=intent)


def call(call_id: str, day: date, clock: str, *rest: Entry) -> tuple[Entry, ...]:
    began = at(day, clock)
    ended = CallEnded(call_id, EndReason.HUNG_UP, 16, began + 60)
    return (CallBegan(call_id, "+16175550142", "1000", "airline", "", at=began), *rest, ended)


def handoff(call_id: str, since: float, answered_at: float, over: float) -> tuple[Entry, ...]:
    record = (
        f'{{"queue": "service", "why": "wish", "since": {since}, "answered_at": {answered_at}, "agent": "ann",'
        ' "customer": "Ann Other", "address": "+16175550142"}'
    )
    return HandoffKept(f"h-{call_id}", call_id, record), HandoffPast(f"h-{call_id}", over), HandoffOver(f"h-{call_id}")


def entries() -> tuple[Entry, ...]:
    late, early = at(SATURDAY, "23:30:00"), at(SUNDAY, "00:30:00")
    message = InboundMessage("m1", "+16175550143", "2000", "hello", 1.0)
    return (
        # A: the AI changes a flight
        *call(
            "A",
            SATURDAY,
            "10:00:00",
            turn("A", 1, "I want to fly on Thursday", "flight_change", 0.5, 400),
            turn("A", 2, "yes", "", -0.2, 600),
            run("A", "change_flight", intent="flight_change"),
        ),
        # B: "use the website" completes nothing
        *call("B", SATURDAY, "11:00:00", turn("B", 1, "where is my bag", "baggage", 0.1, 500)),
        # C: a person waives a fee, having answered after 12 s
        *call(
            "C",
            SATURDAY,
            "23:30:00",
            turn("C", 1, "my money is not back", "refund", 0.8, 900),
            run("C", "waive_fee", intent="refund", actor="human:ann", confirmed_by=""),
            *handoff("C", late, late + 12, late + 300),
        ),
        # D: a write is refused, and the caller gives up waiting for a person
        *call(
            "D",
            SUNDAY,
            "00:30:00",
            turn("D", 1, "give me credit", "refund", 0.3, 700),
            run("D", "credit", Outcome.REFUSED, intent="refund"),
            *handoff("D", early, 0.0, early + 90),
        ),
        # E: a change by text that was taken back
        ConversationBegan("E", "sms", message, "airline", at(SUNDAY, "03:30:00")),
        turn("E", 1, "change it", "flight_change"),
        run("E", "change_flight", intent="flight_change"),
        run("E", "change_back", confirmed_by="undo:E-change_flight-t2"),
        # F: only a text was sent
        *call("F", SUNDAY, "23:59:00", turn("F", 1, "send me that", ""), run("F", "send_text")),
        # G: hung up in the greeting; H: on the day after
        *call("G", SUNDAY, "12:00:00", turn("G", 1, "", "")),
        *call("H", date(2026, 3, 9), "00:00:00", turn("H", 1, "hello", "")),
    )


INCIDENTS = {
    # resolution, by, attempts, when the customer contacted us
    "i0": (Resolution.RESOLVED, "butler", 1, None),
    "i1": (Resolution.RESOLVED, "butler", 2, None),
    "i2": (Resolution.RESOLVED, "butler", 1, "after"),
    "i3": (Resolution.RESOLVED, "butler", 1, None),
    "i4": (Resolution.RESOLVED, "butler", 1, "before"),
    "i5": (Resolution.RESOLVED, "ann", 1, None),
    "i6": (Resolution.RESOLVED, "butler", 0, None),
    "i7": (Resolution.DECLINED, "butler", 1, None),
    "i8": (Resolution.UNREACHED, "butler", 3, None),
    "i9": (None, "", 1, None),
}
"""Ten, of which the AI resolved four before the customer contacted us."""


async def write(state: Path) -> Scorecard:
    """The two days in the stores of `state`."""
    journal = await Journal.open(state / "journal.sqlite")
    await journal.append(*entries())
    await journal.close()
    ledger = await SqliteIncidents.start(state / "incidents.sqlite")
    for number, (name, (resolution, by, attempts, contact)) in enumerate(INCIDENTS.items()):
        began = at(SATURDAY if number < 6 else SUNDAY, "08:00:00")
        for _ in range(2):  # everything may be told twice
            await ledger.open(Incident(name, "flight_cancelled", f"customer {number}", began))
            for count in range(attempts):
                await ledger.attempted(Attempt(f"{name}-{count}", name, "sms", began + count, "sent"))
            if contact:
                when = began + (1000 if contact == "after" else 100)
                await ledger.contacted(name, f"call {name}", "voice", when)
            if resolution is not None:
                await ledger.close(name, resolution, by, began + 500)
    await ledger.close("i7", Resolution.RESOLVED, "butler", 9e9)  # the first end counts
    await ledger.shut()
    return Scorecard(state, ZONE, SETTINGS, {"service": 20.0})
