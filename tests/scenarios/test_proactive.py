"""A flight is cancelled: one POST, and its passengers are told by text and by call, and booked once, through a kill in between."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
import nats
import pytest
from callers import ROOT, SPEECH, YES, listening, nothing_left, until, wanted_words

from bench.speechset import RATE
from bench.voices import Voices
from ccaas.outreach.events import signature
from ccaas.ports.site import Site
from ccaas.testing.caller import SipCaller
from ccaas.testing.installation import Installation
from ccaas.testing.nats import RunningNats

pytestmark = pytest.mark.asyncio(loop_scope="session")

RECORDED = Site(ROOT, ROOT, ROOT / ".cache/models", ROOT / ".cache/spoken")
EXAMPLE = ROOT / "examples/airline/proactive.yaml"
SECRET = b"operations of the tests' airline"
CANCELLED = {"id": "cancelled-1", "type": "flight.cancelled", "data": {"flight_number": "HAT157", "date": "2024-05-20"}}
WRITER, CALLER = "+13175550125", "+16195550115"
"""Who answers by text, and who calls us before answering."""
CALLED, RUNG = "+12135550132", "+16195550105"
"""Who would rather be called."""
BOOKINGS = {WRITER: "4C5ZV9", CALLER: "BZ5PY6", CALLED: "QE58LA", RUNG: "KJ9GJB"}
HELD = "HAT015"
NO_MORE = "Please stop calling me. Take me off your list."


def flights(site: Installation, number: str) -> list[str]:
    sql = "SELECT flight_number FROM booked_flights WHERE reservation_id = ? ORDER BY place"
    return [row["flight_number"] for row in site.rows(sql, BOOKINGS[number], file="airline.db")]


def instead(booked: list[str]) -> list[str]:
    return [HELD if flight == "HAT157" else flight for flight in booked]


def holds(site: Installation) -> dict[str, int]:
    """How many seats of the airline's are in which state."""
    rows = site.rows("SELECT state, count(*) AS n FROM holds GROUP BY state", file="airline.db")
    return {row["state"]: row["n"] for row in rows}


def cases(site: Installation) -> dict[str, str]:
    rows = site.rows("SELECT record_id, state FROM cases ORDER BY number", file="outreach.sqlite")
    return {row["record_id"]: row["state"] for row in rows}


async def post(site: Installation) -> dict[str, Any]:
    body, stamp = json.dumps(CANCELLED).encode(), str(int(time.time()))
    headers = {"X-Ccaas-Timestamp": stamp, "X-Ccaas-Signature": signature(SECRET, stamp, body)}
    url = f"http://127.0.0.1:{site.public_port}/events/operations"
    async with aiohttp.ClientSession() as client, client.post(url, data=body, headers=headers) as answer:
        assert answer.status == 202, await answer.text()
        found: dict[str, Any] = await answer.json()
        return found


async def send_by_bus(bus: RunningNats, *bodies: bytes) -> None:
    client = await nats.connect(bus.url, user=bus.user, password=bus.password)
    stream = client.jetstream()
    await stream.add_stream(name="OPERATIONS", subjects=["flights.>"])
    for body in bodies:
        await stream.publish("flights.cancelled", body)
    await client.close()


async def run(site: Installation, *words: str, code: int = 0) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ccaas.cli", *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == code, output.decode()
    return output.decode()


async def test_who_presses_one_reaches_a_colleague_and_who_hangs_up_keeps_the_offer(tmp_path: Path) -> None:
    (tmp_path / "operations.secret").write_bytes(SECRET)
    site = Installation(tmp_path, EXAMPLE, {"limits": {"lag_ms": 5000.0}}, phones=("6001",))
    async with SipCaller("127.0.0.1", site.sip_port) as ua, SipCaller("127.0.0.1", site.sip_port) as phone:
        peer = f"127.0.0.1:{ua.port}"
        document = site._document
        document["asterisk"]["trunks"] = [{"name": "carrier", "host": peer, "from_addresses": ["127.0.0.1/32"]}]
        document["channels"]["sms"]["trunk_host"] = peer
        document["destinations"] = {}
        document["agents"] = {"ann": {"name": "Ann", "skills": {"general": 5}, "endpoint": "PJSIP/6001"}}
        document["queues"] = {name: {"skills": {"general": 1}, "brief": True} for name in ("agents", "senior")}
        async with site, listening(site) as listener:
            await phone.register("6001", "secret-6001")
            await site.ask("POST", "/agents/ann", {"state": "available", "reason": ""})
            people = tmp_path / "people.csv"
            rows = [f"yara_davis_6741,{CALLED},voice", f"ava_kovacs_2694,{RUNG},voice"]
            people.write_text("\n".join(["id,phone,preferred_channel", *rows]) + "\n")
            await run(site, "journey", "import", str(people), str(site.file))
            before = {number: flights(site, number) for number in (CALLED, RUNG)}
            await post(site)

            presses, leaves = await ua.incoming(30.0), await ua.incoming(30.0)
            await presses.hear(await presses.answer(), 0.9, 30)
            await presses.press("1")
            ringing = await phone.incoming(20.0)
            briefing = await ringing.hear(await ringing.answer(), 0.7, 20)
            briefed = wanted_words(await listener.heard(ringing.stereo(), since=briefing.start, until=briefing.end))
            assert "flight" in briefed, "the colleague knows what it is about"
            board = await site.ask("GET", "/board")
            assert [agent["state"] for agent in board["agents"]] == ["on call"]
            await ringing.hang_up()
            await presses.wait_ended()

            # The other one hangs up in the middle of the offer.
            await leaves.hear_start(await leaves.answer())
            await asyncio.sleep(2.0)
            await leaves.hang_up()
            await until(lambda: nothing_left(site), "the calls left nothing behind")
            assert {number: flights(site, number) for number in before} == before
            assert sorted(cases(site).values()) == ["offered"] * 5 + ["person"]
            assert holds(site) == {"held": 6}, "their seat is kept while a person sees to it"

            # Who had wanted the colleague calls again, and takes the seat after all.
            number = next(number for number in (CALLED, RUNG) if number in presses.dialled)
            again = await ua.dial("1000", from_number=number)
            await again.hear(await again.answered())
            said = await again.say(SPEECH / YES)
            await again.hear(said.finished.result(), 0.9, 30)
            await again.hang_up()
            assert flights(site, number) == instead(before[number])
            assert holds(site) == {"held": 5, "confirmed": 1}
            assert sorted(cases(site).values()) == ["confirmed"] + ["offered"] * 5


async def test_a_cancelled_flight(tmp_path: Path) -> None:
    (tmp_path / "operations.secret").write_bytes(SECRET)
    site = Installation(tmp_path, EXAMPLE, {"limits": {"lag_ms": 5000.0}}, phones=("6001",))
    with RunningNats(tmp_path / "nats") as bus:
        (tmp_path / "bus.password").write_text(bus.password)
        site._document["proactive"]["nats"] = {
            "operations": {
                "servers": [bus.url],
                "stream": "OPERATIONS",
                "subject": "flights.>",
                "types": ["flight.cancelled"],
                "user": bus.user,
                "password_file": "bus.password",
            }
        }
        await a_cancelled_flight(tmp_path, site, bus)


async def a_cancelled_flight(tmp_path: Path, site: Installation, bus: RunningNats) -> None:
    async with SipCaller("127.0.0.1", site.sip_port) as ua:
        peer = f"127.0.0.1:{ua.port}"
        document = site._document
        document["asterisk"]["trunks"] = [{"name": "carrier", "host": peer, "from_addresses": ["127.0.0.1/32"]}]
        document["channels"]["sms"]["trunk_host"] = peer
        async with site:
            people = tmp_path / "people.csv"
            voiced = (("yara_davis_6741", CALLED), ("ava_kovacs_2694", RUNG))
            rows = [f"{name},{number},voice" for name, number in voiced]
            people.write_text("\n".join(["id,phone,preferred_channel", *rows]) + "\n")
            await run(site, "journey", "import", str(people), str(site.file))
            before = {number: flights(site, number) for number in BOOKINGS}

            assert await post(site) == {"event": "cancelled-1", "new": True}
            assert await post(site) == {"event": "cancelled-1", "new": False}
            await send_by_bus(bus, json.dumps(CANCELLED).encode(), b"{")
            texts = [(await ua.text(30)).text for _ in range(4)]
            assert all(HELD in text and "Reply STOP to opt out." in text for text in texts)
            calls = [await ua.incoming(), await ua.incoming()]
            assert set(cases(site).values()) == {"offered"}
            tiers = site.rows("SELECT tier FROM cases ORDER BY number", file="outreach.sqlite")
            assert [row["tier"] for row in tiers] == ["gold", "gold", "gold", "silver", "silver", "regular"]

            async with listening(site) as listener:
                # Two are called. One says yes, and the other's phone still rings when the controller dies.
                call = calls[0]
                await call.hear(await call.answer())
                said = await call.say(SPEECH / YES)
                await call.hear(said.finished.result(), 0.9, 30)
                await call.hang_up()
                heard = wanted_words(await listener.heard(call.stereo()))
                assert "automated assistant" in heard
                assert "was cancel" in heard
                assert "you fly to" in heard
                booked = next(number for number in (CALLED, RUNG) if flights(site, number) != before[number])
                assert "Done. You fly to" in (await ua.text(30)).text, "in writing too"

                pid = (await site.health())["pid"]
                os.kill(pid, signal.SIGKILL)
                await site.ready(pid)
                assert HELD in (await ua.text(30)).text, "whose phone stopped ringing gets a text"

                assert await ua.write("2000", "YES", from_number=WRITER) in (200, 202)
                assert "Done. You fly to" in (await ua.text(30)).text
                assert flights(site, WRITER) == instead(before[WRITER])
                assert await ua.write("2000", "YES", from_number=WRITER) in (200, 202)
                again = (await ua.text(30)).text
                assert "About your cancelled flight: That is booked already. Done. You fly to" in again

                # Somebody calls before they answer the text.
                call = await ua.dial("1000", from_number=CALLER)
                await call.hear(await call.answered())
                said = await call.say(SPEECH / YES)
                await call.hear(said.finished.result(), 0.9, 30)
                await call.hang_up()
                heard = wanted_words(await listener.heard(call.stereo()))
                assert "was cancel" in heard
                assert "how can i help" not in heard

                # Somebody has enough of it: in a call of their own, by their own words.
                async with Voices(RECORDED) as voices:
                    no_more = await voices.say(NO_MORE, 0)
                call = await ua.dial("1000", from_number=RUNG)
                await call.hear(await call.answered())
                said = await call.say(no_more, RATE)
                await call.hear(said.finished.result(), 0.9, 30)
                await call.hang_up()
                assert "off our list" in wanted_words(await listener.heard(call.stereo()))
                listed = site.rows("SELECT address, why FROM do_not_contact", file="outreach.sqlite")
                assert RUNG in {row["address"] for row in listed}
                assert "stop calling me" in listed[0]["why"].casefold(), "with the proof"
                refused = await run(
                    site, "call", "start", f"PJSIP/{RUNG}@carrier", str(site.file), "--entry", "airline", code=2
                )
                assert "listed" in refused
            await until(lambda: nothing_left(site), "the calls left nothing behind")

            for number in (booked, CALLER):
                assert flights(site, number) == instead(before[number])
            confirmed = site.rows("SELECT key FROM tool_runs WHERE tool = 'confirm_hold' AND outcome = 'done'")
            assert len(confirmed) == 3, "an audit row for each, and one only"
            assert holds(site) == {"confirmed": 3, "held": 3}
            assert sorted(cases(site).values()) == ["confirmed"] * 3 + ["offered"] * 3
            resolved = site.rows("SELECT resolution FROM incidents WHERE closed IS NOT NULL", file="incidents.sqlite")
            assert [row["resolution"] for row in resolved] == ["resolved"] * 3
            called_us = site.rows("SELECT channel FROM inbound", file="incidents.sqlite")
            assert [row["channel"] for row in called_us] == ["voice"], "one of them had to call"
            shown = await run(site, "plays", "show", "cancelled-1", str(site.file))
            assert "offered by voice" in shown
            assert "answer yes: confirmed" in shown
            assert "OPERATIONS 2" in await run(site, "event", "refused", str(site.file))
