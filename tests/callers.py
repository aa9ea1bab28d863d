"""What the scenario and failure tests share: who calls, what they say, what they hear, and what is left afterwards."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from bench.ruler import runs
from ccaas.asterisk.folder import RunFolder
from ccaas.asterisk.pid import running_pid
from ccaas.config.configuration import load
from ccaas.config.picks import load_plugins, pick
from ccaas.ports.media import Pcm
from ccaas.ports.speech import Recognizer
from ccaas.testing.caller import Call, Heard, SipCaller, Stereo
from ccaas.testing.installation import Installation

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples/airline/ccaas.yaml"
SPEECH = ROOT / "bench/speech"

ISABELLA = "+16145550109"
"""Isabella Anderson's number; her booking is CMPLX7, Boston to Seattle."""
BOOKING = "CMPLX7"

CHANGE = "dev-st-001.wav"
"""I'd like to change my flight from Boston to Seattle on Thursday."""
BORN = ROOT / "examples/airline/date-of-birth.wav"
"""It's May twenty fifth nineteen eighty four: Isabella's date of birth."""
YES = "dev-sh-002.wav"
"""Yeah, that's right."""
BYE = "dev-st-046.wav"
"""That's everything I needed, thank you, goodbye."""
HOURS = "dev-st-043.wav"
"""Are you open on Christmas Day?"""
PERSON = "dev-st-038.wav"
"""I'd like to speak to a person, please."""
WAIT = "dev-bi-001.wav"
"""Wait, stop."""
OKAY = "dev-bc-003.wav"
"""okay"""

LONG, CODE, QUICK, AWAY = "long", "code", "quick", "away"
"""What is dialled for an answer of half a minute, for a question for a code, to change the flight with one yes, and to
be sent to phone 6002 blindly with one yes. Any other number is the airline's."""

TEXTS = "2000"
"""What texts are sent to."""

CHANGES = {
    "reasoners": {
        "airline": {"use": "flows", "file": "flows.yaml"},
        "bench": {"use": "flows", "file": "../bench/flows.yaml"},
        "quick": {"use": "flows", "file": str(ROOT / "tests/quick.yaml")},
    },
    "entries": {
        "airline": {"reasoner": "airline", "numbers": ["*"]},
        "bench": {"reasoner": "bench", "numbers": [LONG, CODE]},
        "quick": {"reasoner": "quick", "numbers": [QUICK, AWAY]},
    },
    "plugins": ["moonshine", "turn", "piper", "flows", "ivr", "airline", "sms_sip", "sentiment", "knowledge"],
    "channels": {"sms": {"use": "sms_sip", "entry": "airline", "numbers": [TEXTS]}},
    "agents": {},
    "queues": {},
    "destinations": {
        "agents": {"endpoint": "PJSIP/6001", "timeout_s": 5},
        "senior": {"endpoint": "PJSIP/6002", "timeout_s": 5},
        "front": {"endpoint": "PJSIP/6002", "blind": True},
    },
    # Who says nothing need not be waited for so long.
    "conversation": {"silence_s": 2.5},
    # Calls are taken however busy the machine is that runs the tests.
    "limits": {"lag_ms": 5000.0},
}
"""What the tests' installation has beyond the example's."""
PHONES = ("6001", "6002")

_WIDE_HZ = 16_000
_SENTENCE_GAP_S = 0.45
_LONGEST_S = 20.0


class Listener:
    """Understands what a caller heard, with the installation's own recogniser."""

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer

    async def words(self, pcm: Pcm, sample_rate: int, gap_s: float = _SENTENCE_GAP_S) -> str:
        """The words in `pcm` (mono int16), sentence by sentence; a silence of `gap_s` parts two sentences."""
        texts = []
        for start, end in _sentences(pcm, sample_rate, gap_s):
            stream = self._recognizer.open()
            around = pcm[max(0, int((start - 0.2) * sample_rate)) : int((end + 0.2) * sample_rate)]
            stream.push(soxr.resample(around, sample_rate, _WIDE_HZ))
            texts.append((await stream.final()).text)
            stream.close()
        return " ".join(texts)

    async def heard(
        self, stereo: Stereo, since: float | None = None, until: float | None = None, gap_s: float = _SENTENCE_GAP_S
    ) -> str:
        """What the caller heard between two monotonic seconds."""
        first = 0 if since is None else max(0, stereo.index(since))
        last = None if until is None else stereo.index(until)
        return await self.words(stereo.audio[first:last, 1], stereo.sample_rate, gap_s)


def _sentences(pcm: Pcm, sample_rate: int, gap_s: float) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for run in runs(pcm.astype(np.float64) / 32768, sample_rate):
        if found and run.start - found[-1][1] < gap_s and run.end - found[-1][0] < _LONGEST_S:
            found[-1] = (found[-1][0], run.end)
        else:
            found.append((run.start, run.end))
    return found


@asynccontextmanager
async def listening(site: Installation) -> AsyncIterator[Listener]:
    """A listener with the recogniser that `site` uses."""
    configuration = load(site.file)
    host = load_plugins(configuration)
    recognizer = await pick(configuration, host).recognizer.make(configuration.site)
    await recognizer.start()
    try:
        yield Listener(recognizer)
    finally:
        await recognizer.close()
        await host.close()


async def greeted(ua: SipCaller, number: str = "1000", caller: str = ISABELLA, codec: str = "PCMU") -> Call:
    """A call whose greeting has been heard to its end."""
    call = await ua.dial(number, codec=codec, from_number=caller)
    await call.hear(await call.answered())
    return call


async def ask(call: Call, speech: str | Path, quiet_s: float = 0.9, timeout: float = 30.0) -> Heard:
    """Say a recording, of the speech set where it has no folder; the whole answer."""
    said = await call.say(SPEECH / speech)
    return await call.hear(said.finished.result(), quiet_s, timeout)


async def asked(call: Call, speech: str | Path) -> float:
    """Say a recording, of the speech set where it has no folder; when the answer began."""
    said = await call.say(SPEECH / speech)
    return await call.hear_start(said.finished.result(), 15.0)


async def transferred(ua: SipCaller) -> Call:
    """A call whose caller has asked for a colleague, by a key."""
    call = await ua.dial("1000")
    await call.hear_start(await call.answered())
    await call.press("0")
    return call


async def until(true: Callable[[], Any], what: str, timeout: float = 15.0) -> Any:
    """Look every 20 ms until the (a)synchronous condition holds; what it gave. Raises AssertionError."""
    try:
        async with asyncio.timeout(timeout):
            while True:
                found = true()
                if asyncio.iscoroutine(found):
                    found = await found
                if found:
                    return found
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {timeout:g} s: {what}") from None


def wanted_words(text: str) -> str:
    """Lower case, letters and digits and single blanks only: for looking words up in a transcript."""
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()


# — the books —


def flights(site: Installation) -> list[tuple[str, str]]:
    """Flight numbers and dates of Isabella's booking."""
    rows = site.rows(
        "SELECT flight_number, date FROM booked_flights WHERE reservation_id = ?", BOOKING, file="airline.db"
    )
    return [(row["flight_number"], row["date"]) for row in rows]


def payments(site: Installation) -> list[int]:
    """What was paid and refunded for Isabella's booking, in order (dollars)."""
    rows = site.rows("SELECT amount FROM payments WHERE reservation_id = ? ORDER BY place", BOOKING, file="airline.db")
    return [row["amount"] for row in rows]


BEFORE, AFTER = [("HAT006", "2024-05-19")], [("HAT006", "2024-05-16")]
PAID_BEFORE, PAID_AFTER = [1825], [1825, -1378]


class Bookings:
    """The airline's database: kept as it was at first, and put back; and locked against the controller's writes."""

    def __init__(self, site: Installation) -> None:
        self._file = site.state / "airline.db"
        self._first = site.folder / "airline-at-first.db"
        with _opened(self._file) as db, _opened(self._first) as kept:
            db.backup(kept)

    def put_back(self) -> None:
        """As at first."""
        with _opened(self._first) as kept, _opened(self._file) as db:
            kept.backup(db)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else can write meanwhile: a booking system that is slow."""
        with locked(self._file):
            yield


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Nobody else can write to a database meanwhile."""
    with _opened(file) as db:
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            db.execute("ROLLBACK")


@contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(file, isolation_level=None)
    try:
        yield db
    finally:
        db.close()


def newest_call(site: Installation) -> dict[str, Any]:
    """The journal's row of the last call that began."""
    return site.rows("SELECT * FROM calls ORDER BY began DESC LIMIT 1")[0]


def agent_said(site: Installation) -> str:
    """All that the agent said in the newest call, by the journal."""
    rows = site.rows(
        "SELECT json_extract(record, '$.agent_text') AS text FROM turns WHERE call_id = ? ORDER BY id",
        newest_call(site)["call_id"],
    )
    return " ".join(row["text"] for row in rows)


async def held_by(site: Installation, state: str) -> bool:
    """Whether there is one call, in this state."""
    calls = (await site.ask("GET", "/calls"))["calls"]
    return [call["state"] for call in calls] == [state]


# — what is left —


async def console(site: Installation, command: str) -> str:
    """What Asterisk's console prints."""
    process = await asyncio.create_subprocess_exec(
        site.state / "asterisk/console", "-rx", command, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return output.decode()


def asterisk_pid(site: Installation) -> int:
    """Process id of the installation's Asterisk; 0 while there is none."""
    return running_pid(RunFolder(site.state / "asterisk"))


async def nothing_left(site: Installation) -> bool:
    """No channel and no bridge in Asterisk, no call in the controller, and every call has its end in the journal."""
    channels = await console(site, "core show channels count")
    bridges = await console(site, "bridge show all")
    return (
        "0 active channels" in channels
        and len(bridges.strip().splitlines()) <= 1
        and (await site.health()).get("calls") == 0
        and not site.rows("SELECT 1 FROM calls WHERE ended IS NULL")
    )
