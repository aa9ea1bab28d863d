"""A campaign on a real Asterisk: people who answer, refuse, are busy, ring out, hang up or do not exist; the gate; a pause; a
death; and people as agents, who are there in time or not."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr
from callers import ROOT, Listener, listening, nothing_left, wanted_words
from callers import until as until_within

from ccaas.config.configuration import load
from ccaas.config.picks import load_plugins, pick
from ccaas.ports.media import Pcm
from ccaas.testing.caller import Call, SipCaller
from ccaas.testing.installation import Installation

pytestmark = pytest.mark.asyncio(loop_scope="session")

until = partial(until_within, timeout=60.0)

EXAMPLE = ROOT / "examples/airline/proactive.yaml"
TALKS, BUSY, REFUSES, RINGS, LEAVES, NONE, SECOND = (f"+1212555010{digit}" for digit in range(1, 8))
LISTED, TOKYO, LATE, WANTED, UNLUCKY = "+12125550108", "+81312345678", "+12125550109", "+12125550110", "+12125550111"
SILENT = "+12125550113"
MAILBOX, NO_BEEP, PICKS_UP, FULL, RUNG, TAKEN, PERSON = (f"+1212555012{digit}" for digit in range(7))
OTHER = "+12125550112"
"""The second number of somebody whose first is none: due after a minute, which a busy machine may reach."""
CAMPAIGN: dict[str, Any] = {
    "entry": "airline",
    "pacing": {"use": "progressive"},
    "purpose": "service",
    "ring_s": 5,
    "short_s": 20,
    "opening": "Hello {first_name}, there is news of your flight.",
    "caller_ids": {"+1212": "+12125550000"},
}
CHANGES: dict[str, Any] = {
    "plugins": ["moonshine", "turn", "piper", "flows", "airline", "sms_sip", "outbound"],
    "limits": {"lag_ms": 5000.0},
    "proactive": {},
    "channels": {},
    "outreach": {
        "voice": {"endpoint": "PJSIP/{number}@carrier", "entry": "airline", "caller_id": "+18005550100"},
        "unknown": "allow",
        "caps": [{"most": 20, "days": 1}],
        "opt_out": {"voicemail": "To get no more calls, please tell us so."},
    },
    "agents": {"ann": {"name": "Ann", "skills": {"general": 5}, "endpoint": "PJSIP/6001"}},
    "queues": {"people": {"skills": {"general": 1}, "ring_s": 10}},
    "dialler": {
        "campaigns": {
            "news": CAMPAIGN | {"lines": 3, "retries": {"busy": {"after_min": 0, "most": 1}}},
            "late": CAMPAIGN | {"ring_s": 60},
            "heard": CAMPAIGN | {"listens": True},
            "mail": CAMPAIGN
            | {"listens": True, "lines": 1, "message": "Hello {first_name}, your flight is late. Please call us back."},
            "wanted": CAMPAIGN | {"queue": "people", "grace_s": 10},
            "staffed": CAMPAIGN
            | {
                "listens": True,
                "queue": "people",
                "grace_s": 10,
                "message": "Hello {first_name}, your flight is late. Please call us back.",
            },
            "unlucky": CAMPAIGN | {"queue": "people", "abandoned": "Sorry, nobody is free at Acorn Air."},
        }
    },
}
ROWS = f"""customer,phone,phone_2,first_name,priority
talks,{TALKS},,Ann,9
busy,{BUSY},,Bob,8
refuses,{REFUSES},,Cleo,7
rings,{RINGS},,Dan,6
leaves,{LEAVES},,Eve,5
moved,{NONE},{OTHER},Flo,4
nobody,12,,Gus,3
listed,{LISTED},,Hal,2
tokyo,{TOKYO},,Ida,1
"""


class Carrier:
    """The other side of the trunk: each number does as it is told."""

    def __init__(self, ua: SipCaller) -> None:
        self._ua = ua
        self.rung: list[str] = []
        self.shown: dict[str, str] = {}
        self.calls: dict[str, Call] = {}
        self.busy_first = True

    async def run(self) -> None:
        while True:
            call = await self._ua.incoming(3600)
            number = _user(call.dialled)
            self.rung.append(number)
            self.shown[number] = _user(call.peer)
            self.calls[number] = call
            if number in (RINGS, LATE):
                call.ring()
            elif number in (
                TALKS,
                LEAVES,
                SECOND,
                WANTED,
                UNLUCKY,
                SILENT,
                MAILBOX,
                NO_BEEP,
                PICKS_UP,
                FULL,
                RUNG,
                TAKEN,
                PERSON,
            ):
                await call.answer()
            else:
                call.refuse({BUSY: 486, REFUSES: 603, NONE: 404, OTHER: 486}[number])

    async def called(self, number: str) -> Call:
        await until(lambda: number in self.calls, f"{number} is called")
        return self.calls[number]


def _user(uri: str) -> str:
    found = re.search(r"sips?:([^@;>]+)@", uri)
    return found[1] if found else ""


async def run(site: Installation, *words: str, code: int = 0) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ccaas.cli", "campaign", *words, str(site.file), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == code, output.decode()
    return output.decode()


def came_to(site: Installation, campaign: str) -> dict[str, list[str]]:
    rows = site.rows(
        "SELECT key, disposition FROM attempts JOIN records ON records.id = record_id WHERE attempts.campaign = ?"
        " AND disposition <> '' ORDER BY attempts.ended",
        campaign,
        file="campaigns.sqlite",
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["key"], []).append(row["disposition"])
    return found


def states(site: Installation, campaign: str) -> dict[str, str]:
    rows = site.rows("SELECT key, state FROM records WHERE campaign = ?", campaign, file="campaigns.sqlite")
    return {row["key"]: row["state"] for row in rows}


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[Installation, Carrier]]:
    site = Installation(folder, EXAMPLE, CHANGES, phones=("6001",))
    async with SipCaller("127.0.0.1", site.sip_port) as ua:
        trunk = {"name": "carrier", "host": f"127.0.0.1:{ua.port}", "from_addresses": ["127.0.0.1/32"]}
        site._document["asterisk"]["trunks"] = [trunk]
        carrier = Carrier(ua)
        answering = asyncio.create_task(carrier.run())
        try:
            async with site:
                yield site, carrier
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)


async def test_a_campaign_meets_all_sorts_of_people(tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text(ROWS)
    async with running(tmp_path) as (site, carrier):
        said = await run(site, "import", "news", str(people))
        assert f"{people}:8: phone: 12 is no telephone number; left out" in said
        assert "8 records taken into news, 1 bad, 0 known before" in said
        assert "0 records taken" in await run(site, "import", "news", str(people), code=1)
        assert carrier.rung == [], "nothing rings before it is resumed"
        blocked = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ccaas.cli", "contacts", "block", LISTED, str(site.file)
        )
        assert await blocked.wait() == 0

        assert await run(site, "resume", "news") == "news is running\n"
        talks, leaves = await carrier.called(TALKS), await carrier.called(RINGS)
        await until(lambda: "rings" in came_to(site, "news"), "who does not answer is let go")
        assert (await leaves.wait_ended(30)).status == 487
        leaves = await carrier.called(LEAVES)
        await leaves.hear_start(await leaves.answered())
        await leaves.hang_up()  # in the middle of the opening
        async with listening(site) as listener:
            await talks.hear_start(await talks.answered())
            await until(partial(_opened, listener, talks), "the whole opening is heard")
        assert carrier.shown[TALKS] == "+12125550000", "the region's own number is shown"

        # A pause: what is up goes on, and nobody else is called.
        await until(lambda: came_to(site, "news").get("moved") == ["invalid"], "the number that is none")
        await run(site, "pause", "news")
        await talks.hang_up()
        await until(lambda: "dialling" not in states(site, "news").values(), "what was up is over")
        before = len(carrier.rung)
        await site.ask("POST", "/campaigns/news/records", {"records": [{"phone": SECOND, "customer": "second"}]})
        assert (await site.ask("POST", "/campaigns/news/pause"))["state"] == "paused"
        assert len(carrier.rung) == before
        assert states(site, "news")["second"] == "waiting"
        await run(site, "resume", "news")
        second = await carrier.called(SECOND)
        await second.hear_start(await second.answered())
        await second.hang_up()

        await until(lambda: "second" in came_to(site, "news"), "the last one")
        found = came_to(site, "news")
        assert found.pop("moved")[0] == "invalid"
        assert found == {
            "talks": ["hung_up"] if found["talks"] == ["hung_up"] else ["answered"],
            "busy": ["busy", "busy"],
            "refuses": ["rejected"],
            "rings": ["no_answer"],
            "leaves": ["hung_up"],
            "listed": ["refused"],
            "tokyo": ["later"],
            "second": ["hung_up"],
        }
        assert {LISTED, TOKYO} & set(carrier.rung) == set(), "whom the gate forbids is not called"
        rules = site.rows(
            "SELECT rule FROM contacts WHERE play = 'campaign:news' AND decision <> 'allowed' ORDER BY rule",
            file="outreach.sqlite",
        )
        assert [row["rule"] for row in rules] == ["hours", "listed"]
        left = {key for key, state in states(site, "news").items() if state != "done"} - {"moved"}
        assert left == {"rings", "tokyo"}
        shown = await run(site, "show", "news")
        assert "refused:listed" in shown
        assert "outside the hours" in shown

        # The controller dies while a phone rings: it rings on, is answered, and is called once.
        await site.ask("POST", "/campaigns/late/records", {"records": [{"phone": LATE, "first_name": "Jo"}]})
        await run(site, "resume", "late")
        late = await carrier.called(LATE)
        pid = (await site.health())["pid"]
        os.kill(pid, signal.SIGKILL)
        await site.ready(pid)
        await late.hear_start(await late.answer())
        await late.hang_up()
        await until(lambda: LATE in came_to(site, "late"), "its end is kept")
        assert carrier.rung.count(LATE) == 1
        assert came_to(site, "late") == {LATE: ["hung_up"]}

        # Somebody takes it up and says nothing: nobody is spoken to.
        await site.ask("POST", "/campaigns/heard/records", {"records": [{"phone": SILENT}]})
        await run(site, "resume", "heard")
        silent = await carrier.called(SILENT)
        await silent.wait_ended(60)
        await until(lambda: SILENT in came_to(site, "heard"), "its end is kept")
        assert came_to(site, "heard") == {SILENT: ["silence"]}
        assert not silent.stereo().audio[:, 1].any()

        await _people(site, carrier)
        await until(lambda: nothing_left(site), "the calls left nothing behind")


async def test_machines_get_a_message(tmp_path: Path) -> None:
    async with running(tmp_path) as (site, carrier), listening(site) as listener, speaking(site) as voice:
        greeting = await voice("Hello, this is Tom.", 1.0, "I can't come to the phone. Please leave a message.", 0.5)
        here = await voice("Hello? I am here.", 0.0)
        full = await voice("This mailbox is full and cannot accept any messages. Goodbye.", 1.0)
        rows = [{"phone": number, "first_name": "Ann"} for number in (MAILBOX, NO_BEEP, PICKS_UP, FULL)]

        # A pause in its greeting makes it a person at first; its words tell, and after the beep it records.
        await site.ask("POST", "/campaigns/mail/records", {"records": rows[:1]})
        await run(site, "resume", "mail")
        call = await carrier.called(MAILBOX)
        beep = call.start_saying(np.concatenate([greeting, _beep()]))
        recorded = await _recorded(listener, call, await beep.finished)
        assert "automated assistant calling" in recorded
        assert "your flight is late please call us back to get no more calls" in recorded
        await until(lambda: MAILBOX in came_to(site, "mail"), "its end is kept")

        # No beep: silence for long will do.
        await site.ask("POST", "/campaigns/mail/records", {"records": rows[1:2]})
        call = await carrier.called(NO_BEEP)
        recorded = await _recorded(listener, call, await call.start_saying(greeting).finished)
        assert "your flight is late please call us back" in recorded
        await until(lambda: NO_BEEP in came_to(site, "mail"), "its end is kept")

        # Somebody picks up while the message is spoken: they are talked with.
        await site.ask("POST", "/campaigns/mail/records", {"records": rows[2:3]})
        call = await carrier.called(PICKS_UP)
        await call.hear_start(await call.start_saying(np.concatenate([greeting, _beep()])).finished)
        at = await (await call.say(here)).finished
        await until(partial(_opened, listener, call, at), "the opening is heard")
        await call.hang_up()
        await until(lambda: PICKS_UP in came_to(site, "mail"), "its end is kept")

        # A mailbox that takes no message gets none.
        await site.ask("POST", "/campaigns/mail/records", {"records": rows[3:]})
        call = await carrier.called(FULL)
        told = await _recorded(listener, call, await call.start_saying(full).finished)
        assert "call us back" not in told
        await until(lambda: FULL in came_to(site, "mail"), "its end is kept")

        found = came_to(site, "mail")
        assert found.pop(PICKS_UP) in (["hung_up"], ["answered"])
        assert found == {MAILBOX: ["message_left"], NO_BEEP: ["message_left"], FULL: ["machine"]}
        assert states(site, "mail") == {MAILBOX: "done", NO_BEEP: "done", PICKS_UP: "done", FULL: "waiting"}
        # Machines are no people who were called.
        people = site.rows("SELECT key FROM attempts JOIN records ON records.id = record_id WHERE met <> ''", file="campaigns.sqlite")  # fmt: skip
        assert [row["key"] for row in people] == [PICKS_UP]
        await until(lambda: nothing_left(site), "the calls left nothing behind")


async def test_a_machine_that_seemed_a_person_keeps_no_agent(tmp_path: Path) -> None:
    async with (
        running(tmp_path) as (site, carrier),
        speaking(site) as voice,
        SipCaller("127.0.0.1", site.sip_port) as phone,
    ):
        hello, here = await voice("Hello?"), await voice("Hello? Yes, I am here.")
        # The pause is long enough for an agent's phone to ring meanwhile, and for her to answer it.
        mailbox = np.concatenate([hello, await voice(2.5, "Please leave a message after the tone.", 0.3), _beep()])
        await phone.register("6001", "secret-6001")
        await _available(site)
        rows = [{"phone": number, "first_name": "Ann"} for number in (RUNG, TAKEN, PERSON)]

        # Her phone rings, and rings no longer.
        await site.ask("POST", "/campaigns/staffed/records", {"records": rows[:1]})
        await run(site, "resume", "staffed")
        rung = await carrier.called(RUNG)
        rung.start_saying(mailbox)
        ringing = await phone.incoming(60)
        ringing.ring()
        assert (await ringing.wait_ended(30)).status == 487, "her phone rings no longer"
        await until(partial(_is, site, "available"), "she is free")
        assert rung.is_up, "the machine's greeting is waited for"
        assert not (await rung.wait_ended(60)).by_us
        await until(lambda: RUNG in came_to(site, "staffed"), "its end is kept")

        # She has answered, and is let go.
        await site.ask("POST", "/campaigns/staffed/records", {"records": rows[1:2]})
        taken = await carrier.called(TAKEN)
        taken.start_saying(mailbox)
        talking = await phone.incoming(60)
        await talking.answer()
        assert not (await talking.wait_ended(30)).by_us
        await until(partial(_is, site, "available"), "she is free, without a wrap-up")
        assert not (await taken.wait_ended(60)).by_us
        await until(lambda: TAKEN in came_to(site, "staffed"), "its end is kept")

        # A person keeps her.
        await site.ask("POST", "/campaigns/staffed/records", {"records": rows[2:]})
        person = await carrier.called(PERSON)
        person.start_saying(np.concatenate([hello, await voice(4.0), here, await voice(3.0), here]))
        talking = await phone.incoming(60)
        await talking.answer()
        await asyncio.sleep(18)  # longer than a person is doubted
        assert talking.is_up
        assert person.is_up
        await person.hang_up()
        await until(lambda: PERSON in came_to(site, "staffed"), "its end is kept")

        found = came_to(site, "staffed")
        assert found == {RUNG: ["message_left"], TAKEN: ["message_left"], PERSON: found[PERSON]}
        assert found[PERSON] in (["answered"], ["hung_up"])
        people = site.rows("SELECT key FROM attempts JOIN records ON records.id = record_id WHERE met <> ''", file="campaigns.sqlite")  # fmt: skip
        assert [row["key"] for row in people] == [PERSON]
        await until(lambda: nothing_left(site), "the calls left nothing behind")


async def _is(site: Installation, state: str) -> bool:
    board = await site.ask("GET", "/board")
    return bool(board["agents"][0]["state"] == state)


async def _recorded(listener: Listener, call: Call, since: float) -> str:
    """What a machine has recorded, once we have hung up."""
    assert not (await call.wait_ended(60)).by_us
    return wanted_words(await listener.heard(call.stereo(), since, gap_s=1.5))


@asynccontextmanager
async def speaking(site: Installation) -> AsyncIterator[Callable[..., Awaitable[Pcm]]]:
    """Makes texts and silences (s) into speech at 8 kHz, with the installation's own voice."""
    configuration = load(site.file)
    host = load_plugins(configuration)
    voice = await pick(configuration, host).synthesizer.make(configuration.site)
    await voice.start()

    async def spoken(*parts: str | float) -> Pcm:
        made = []
        for part in parts:
            if isinstance(part, float):
                made.append(np.zeros(round(part * 8_000), np.int16))
            else:
                pcm = np.concatenate([piece async for piece in voice.synthesize(part)])
                made.append(soxr.resample(pcm, voice.capabilities.sample_rate, 8_000))
        return np.concatenate(made)

    try:
        yield spoken
    finally:
        await voice.close()
        await host.close()


def _beep() -> Pcm:
    t = np.arange(3_200) / 8_000
    return np.asarray(8_000 * np.sin(2 * np.pi * 1_000 * t), np.int16)


async def _opened(listener: Listener, call: Call, since: float | None = None) -> bool:
    """Whether all of it has been said so far. On a busy machine there is a gap in a sentence, and half of one is easily
    misheard: the words are looked for with and without such gaps."""
    heard = [wanted_words(await listener.heard(call.stereo(), since, gap_s=gap_s)) for gap_s in (0.45, 1.5)]
    return all(any(words in one for one in heard) for words in ("assistant calling", "news of your flight"))


async def _people(site: Installation, carrier: Carrier) -> None:
    """One is with an agent in time; for the other nobody answers, and they hear why."""
    async with SipCaller("127.0.0.1", site.sip_port) as phone, listening(site) as listener:
        await phone.register("6001", "secret-6001")
        await site.ask("POST", "/agents/ann", {"state": "available"})
        await site.ask("POST", "/campaigns/wanted/records", {"records": [{"phone": WANTED}]})
        await run(site, "resume", "wanted")
        await (await phone.incoming(60)).answer()
        wanted = await carrier.called(WANTED)
        await until(lambda: _met(site) == ["agent"], "the agent is there")
        await wanted.hang_up()
        await until(lambda: WANTED in came_to(site, "wanted"), "its end is kept")

        await _available(site)
        await site.ask("POST", "/campaigns/unlucky/records", {"records": [{"phone": UNLUCKY}]})
        await run(site, "resume", "unlucky")
        ringing = await phone.incoming(60)
        ringing.ring()
        unlucky = await carrier.called(UNLUCKY)
        await unlucky.wait_ended(30)
        heard = wanted_words(await listener.heard(unlucky.stereo()))
        assert {"nobody", "free"} <= set(heard.split()), heard
        assert (await ringing.wait_ended(30)).status == 487, "the agent's phone rings no longer"
        await until(lambda: UNLUCKY in came_to(site, "unlucky"), "its end is kept")
        assert came_to(site, "unlucky")[UNLUCKY] == ["abandoned"]
        (row,) = [one for one in (await site.ask("GET", "/campaigns"))["campaigns"] if one["name"] == "unlucky"]
        assert (row["answered"], row["abandoned"]) == (1, 1)
        await until(lambda: _note(site), "the campaign says that it waits for free agents")


async def _available(site: Installation) -> None:
    async def again() -> bool:
        await site.ask("POST", "/agents/ann", {"state": "available"})
        return await _is(site, "available")

    await until(again, "ann is available again")


def _met(site: Installation) -> list[str]:
    rows = site.rows("SELECT met FROM attempts WHERE campaign = 'wanted'", file="campaigns.sqlite")
    return [row["met"] for row in rows]


def _note(site: Installation) -> str:
    rows = site.rows("SELECT note FROM campaigns WHERE name = 'unlucky'", file="campaigns.sqlite")
    return str(rows[0]["note"])
