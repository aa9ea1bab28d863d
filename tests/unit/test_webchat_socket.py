"""What the web chat's server keeps, sends again and refuses, seen from the WebSocket."""

from __future__ import annotations

import asyncio
import socket as sockets
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import structlog
from ccaas_webchat import tab, talk
from ccaas_webchat.channel import DAY_S
from ccaas_webchat.frames import Closed
from ccaas_webchat.rooms import MOST_TABS
from ccaas_webchat.tokens import make_token
from webchat_site import KEY, Page, Server, come_back, connect, served, until, visit

from ccaas.errors import JourneyError, MessageFailed, SetupError
from ccaas.ports.journey import Assurance, Identity, IdentityKind
from ccaas.ports.messaging import Delivery, InboundMessage, OutboundMessage, Surroundings
from ccaas.ports.reasoning import NOT_KEPT
from ccaas.testing.fakes.messaging import FakeInbox, FakeSipMessages


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with served(tmp_path, history=5) as server:
        yield server


def texts(page: Page) -> list[str]:
    return [line["text"] for line in page.lines]


async def say(page: Page, *said: str) -> None:
    for text in said:
        before = len(page.of("line"))
        await page.send("say", id=text.replace(" ", "-"), text=text)
        await page.got("line", before + 1)


# — the conversation —


async def test_what_a_flood_drops_is_refused_and_can_be_sent_again_under_a_new_id(server: Server) -> None:
    page = await visit(server)
    await say(page, "one")
    server.inbox.flooded = True
    await page.send("say", id="two", text="two")
    (refused,) = await page.got("refused")
    assert (refused["id"], refused["why"]) == ("two", "flood")
    server.inbox.flooded = False
    await page.send("say", id="two-again", text="two")
    await page.got("line", 2)
    assert texts(page) == ["one", "two"]
    await page.close()


async def test_both_sides_are_numbered_in_one_order(server: Server) -> None:
    page = await visit(server)
    await say(page, "one")
    await server.answer("two")
    await page.got("line", 2)
    await say(page, "three")
    assert [(line["seq"], line["side"], line["text"]) for line in page.lines] == [
        (1, "customer", "one"),
        (2, "agent", "two"),
        (3, "customer", "three"),
    ]
    first = server.inbox.messages[0]
    assert first.address == page.frames[0]["session"]
    assert first.identity == Identity(IdentityKind.CHAT, first.address)
    assert (first.to, first.assurance, first.customer_id) == ("web", Assurance.CLAIMED, "")
    await page.close()


async def test_the_answer_comes_after_the_question_however_quick_it_is(tmp_path: Path) -> None:
    class Quick(FakeInbox):
        async def received(self, message: InboundMessage) -> bool:
            new = await super().received(message)
            answers.append(asyncio.create_task(server.answer("At once.")))
            await asyncio.sleep(0)
            return new

    answers: list[asyncio.Task[None]] = []
    async with served(tmp_path, Quick()) as server:
        page = await visit(server)
        await page.send("say", id="q", text="Are you there?")
        await page.got("line", 2)
        assert texts(page) == ["Are you there?", "At once."]
        await page.close()
    await asyncio.gather(*answers)


async def test_an_answer_to_a_check_is_kept_no_longer(server: Server) -> None:
    page = await visit(server)
    await say(page, "July 9th", "thanks")
    session = page.frames[0]["session"]
    await server.channel.conceal(session, f"{session}-July-9th")
    await server.channel.conceal(session, f"{session}-unknown")
    await page.close()
    again = await come_back(server, page)
    assert texts(again) == [NOT_KEPT, "thanks"]
    await again.close()


async def test_the_widgets_entry_is_what_was_written_to(server: Server) -> None:
    page = await visit(server, entry="sales")
    await say(page, "hello")
    assert server.inbox.messages[0].to == "sales"
    await page.close()


async def test_a_page_that_comes_back_gets_what_it_missed_and_nothing_twice(server: Server) -> None:
    page = await visit(server)
    await say(page, "one", "two")
    await page.close()
    await server.answer("three")
    again = await come_back(server, page, after=2)
    assert texts(again) == ["three"]
    assert again.frames[0]["reset"] is False
    reloaded = await come_back(server, page)
    assert texts(reloaded) == ["one", "two", "three"]
    await again.close()
    await reloaded.close()


async def test_a_line_that_is_sent_again_is_said_once(server: Server) -> None:
    page = await visit(server)
    await say(page, "book it")
    await page.close()
    again = await come_back(server, page, after=0)
    await again.send("say", id="book-it", text="book it")
    await say(again, "are you there")
    assert [message.text for message in server.inbox.messages] == ["book it", "are you there"]
    assert texts(again) == ["book it", "are you there"]
    await again.close()


async def test_a_server_that_starts_again_knows_the_conversation(server: Server) -> None:
    page = await visit(server)
    await say(page, "one")
    await server.stop()
    assert await page.end() == aiohttp.WSCloseCode.GOING_AWAY
    await server.start()
    again = await come_back(server, page)
    await server.answer("two")
    await again.got("line")
    assert texts(again) == ["one", "two"]
    await again.close()


async def test_a_long_conversation_comes_in_parts(server: Server) -> None:
    page = await visit(server)
    await say(page, *(f"line {number}" for number in range(1, 9)))
    await page.close()
    again = await come_back(server, page, after=1)
    welcome = again.frames[0]
    assert [line["seq"] for line in welcome["lines"]] == [4, 5, 6, 7, 8]
    assert (welcome["earlier"], welcome["reset"]) == (True, True)
    await again.send("earlier", before=4)
    (earlier,) = await again.got("earlier")
    assert [line["seq"] for line in earlier["lines"]] == [1, 2, 3]
    assert earlier["earlier"] is False
    await again.close()


async def test_a_page_that_knows_more_than_the_server_begins_anew(server: Server) -> None:
    page = await visit(server)
    await say(page, "one")
    await page.close()
    again = await come_back(server, page, after=17)
    assert again.frames[0]["reset"] is True
    assert texts(again) == ["one"]
    await again.close()


async def test_every_page_of_a_conversation_hears_all_of_it(server: Server) -> None:
    one = await visit(server)
    await say(one, "one")
    two = await come_back(server, one)
    await say(two, "two")
    await one.got("line", 2)
    assert texts(one) == texts(two) == ["one", "two"]
    await one.close()
    await two.close()


async def test_many_pages_of_one_conversation_make_room_for_the_newest(server: Server) -> None:
    first = await visit(server)
    await say(first, "one")
    others = [await come_back(server, first) for _ in range(MOST_TABS)]
    assert await first.end() == Closed.OFTEN
    for page in others:
        await page.close()


async def test_what_cannot_be_stored_is_refused_for_now(server: Server) -> None:
    page = await visit(server)
    server.inbox.fails = JourneyError("the disk is full")
    await page.send("say", id="a", text="hello")
    (refused,) = await page.got("refused")
    assert (refused["id"], refused["why"]) == ("a", "later")
    assert refused["retry_s"] > 0
    server.inbox.fails = None
    await page.send("say", id="a", text="hello")
    await page.got("line")
    assert texts(page) == ["hello"]
    assert [message.text for message in server.inbox.messages] == ["hello"]
    await page.close()


async def test_typing_is_shown_both_ways(server: Server) -> None:
    page = await visit(server)
    await say(page, "hello")
    address = server.inbox.messages[0].address
    await page.send("typing", on=True)
    await until(lambda: server.inbox.writing.get(address), "the customer writes")
    await server.channel.typing(address, True)
    await server.channel.typing(address, True)
    assert [frame["on"] for frame in await page.got("typing")] == [True]
    other = await come_back(server, page)
    assert other.frames[0]["typing"] is True
    await server.answer("Done.")
    assert [frame["on"] for frame in await page.got("typing", 2)] == [True, False]
    await page.close()
    await until(lambda: not server.inbox.writing[address], "who has left writes no more")
    await other.close()


async def test_a_message_is_delivered_when_a_page_has_it_and_told_once(server: Server) -> None:
    page = await visit(server)
    await say(page, "hello")
    await page.close()
    await server.answer("Hi.", message_id="out-a")
    await server.answer("How are you?", message_id="out-b")
    assert server.inbox.receipts == []
    again = await come_back(server, page)
    for seq in (2, 3, 3, 99, 1):
        await again.send("seen", seq=seq)
    await say(again, "fine")
    assert [(r.message_id, r.delivery) for r in server.inbox.receipts] == [
        ("out-a", Delivery.DELIVERED),
        ("out-b", Delivery.DELIVERED),
    ]
    await again.close()


async def test_who_opens_a_chat_is_greeted_once(tmp_path: Path) -> None:
    inbox = FakeInbox("Hello! How can I help?")
    async with served(tmp_path, inbox) as server:
        page = await visit(server)
        for _ in range(3):
            await page.send("open")
        await page.got("line")
        await say(page, "hi")
        assert texts(page) == ["Hello! How can I help?", "hi"]
        assert len(inbox.openings) == 1
        again = await come_back(server, page)
        await again.send("open")
        await say(again, "bye")
        assert texts(again) == ["Hello! How can I help?", "hi", "bye"]
        await page.close()
        await again.close()


async def test_a_chat_that_is_only_looked_at_leaves_nothing_behind(server: Server) -> None:
    page = await visit(server)
    await page.send("open")
    await page.send("ping")
    await page.got("pong")
    assert await server.channel._store.record(page.frames[0]["session"]) is None
    await page.close()


async def test_card_numbers_are_not_kept(server: Server, tmp_path: Path) -> None:
    page = await visit(server)
    await say(page, "my card is 4111 1111 1111 1111")
    assert server.inbox.messages[0].text == "my card is 4111 1111 1111 1111"
    assert texts(page) == ["my card is [card ending 1111]"]
    await page.close()
    await server.stop()
    assert b"4111 1111" not in b"".join(file.read_bytes() for file in tmp_path.glob("webchat.sqlite*"))


async def test_old_conversations_are_forgotten(tmp_path: Path) -> None:
    async with served(tmp_path, keep_days=7) as server:
        server.real_time = False
        page = await visit(server)
        await say(page, "hello")
        await page.close()
        server.now += 6 * DAY_S
        await server.stop()
        await server.start()
        again = await come_back(server, page)
        assert texts(again) == ["hello"]
        await again.close()
        server.now += 2 * DAY_S
        await server.stop()
        await server.start()
        anew = await come_back(server, page)
        assert texts(anew) == []
        assert anew.frames[0]["session"] != page.frames[0]["session"]
        await anew.close()
        with pytest.raises(MessageFailed) as failed:
            await server.answer("Are you still there?")
        assert not failed.value.again


@pytest.mark.parametrize(
    ("address", "text"),
    [("+15550100", "hello"), ("A" * 22, "hello"), ("A" * 22, "\x00")],
    ids=["sms", "nobody", "empty"],
)
async def test_what_nobody_can_read_is_not_taken(server: Server, address: str, text: str) -> None:
    with pytest.raises(MessageFailed) as failed:
        await server.channel.send(OutboundMessage("out-1", address, "web", text))
    assert not failed.value.again


async def test_a_page_cannot_take_the_id_of_an_answer(server: Server) -> None:
    page = await visit(server)
    await page.send("say", id="out-7", text="mine")
    await page.got("line")
    await server.answer("ours", message_id="out-7")
    await page.got("line", 2)
    assert texts(page) == ["mine", "ours"]
    await page.close()


# — who may come in —


async def test_a_token_makes_the_customer_verified_and_joins_their_devices(server: Server) -> None:
    token = make_token(KEY, "gold-17")
    laptop = await visit(server, token=token)
    assert laptop.frames[0]["verified"] is True
    await say(laptop, "from my laptop")
    message = server.inbox.messages[0]
    assert (message.customer_id, message.assurance) == ("gold-17", Assurance.VERIFIED)
    phone = await visit(server, token=token)
    assert texts(phone) == ["from my laptop"]
    await say(phone, "from my phone")
    await laptop.got("line", 2)
    assert len({message.address for message in server.inbox.messages}) == 1
    await laptop.close()
    await phone.close()


async def test_who_signs_in_takes_the_conversation_along(server: Server) -> None:
    stranger = await visit(server)
    await say(stranger, "who am I")
    await stranger.close()
    known = await come_back(server, stranger, token=make_token(KEY, "gold-17"))
    assert texts(known) == ["who am I"]
    await say(known, "I am Ann")
    assert [message.customer_id for message in server.inbox.messages] == ["", "gold-17"]
    await known.close()


@pytest.mark.parametrize("next_one", ["", "silver-3"])
async def test_the_next_person_at_the_computer_sees_nothing(server: Server, next_one: str) -> None:
    ann = await visit(server, token=make_token(KEY, "gold-17"))
    await say(ann, "my secret")
    await ann.close()
    token = make_token(KEY, next_one) if next_one else ""
    other = await come_back(server, ann, token=token, after=0)
    assert other.frames[0]["session"] != ann.frames[0]["session"]
    assert other.frames[0]["reset"] is True
    assert texts(other) == []
    await say(other, "hello")
    assert server.inbox.messages[-1].customer_id == next_one
    await other.close()


async def test_a_session_needs_its_secret(server: Server) -> None:
    page = await visit(server)
    await say(page, "mine")
    thief = await visit(server, session=page.frames[0]["session"], resume="x" * 43)
    assert texts(thief) == []
    assert thief.frames[0]["session"] != page.frames[0]["session"]
    await page.close()
    await thief.close()


BAD_TOKENS = {
    "forged": make_token(b"x" * 32, "gold-17"),
    "expired": make_token(KEY, "gold-17", lasts_s=-3_600),
    "malformed": "<script>alert(1)</script>",
}


@pytest.mark.parametrize("token", BAD_TOKENS.values(), ids=BAD_TOKENS)
async def test_a_bad_token_is_turned_away_with_a_line_in_the_log(server: Server, token: str) -> None:
    with structlog.testing.capture_logs() as logs:
        page = await connect(server)
        await page.send("hello", token=token)
        assert await page.end() == Closed.TOKEN
    (line,) = [entry for entry in logs if entry["event"] == "chat token refused"]
    assert line["outcome"] == "turned away"
    assert line["address"] == "127.0.0.1"
    assert token not in str(line)
    assert page.frames == []


@pytest.mark.parametrize("token", BAD_TOKENS.values(), ids=BAD_TOKENS)
async def test_a_bad_token_makes_a_stranger_where_the_settings_say_so(tmp_path: Path, token: str) -> None:
    async with served(tmp_path, bad_token="anonymous") as server:
        page = await visit(server, token=token)
        assert page.frames[0]["verified"] is False
        await say(page, "hello")
        assert (server.inbox.messages[0].customer_id, server.inbox.messages[0].assurance) == ("", Assurance.CLAIMED)
        await page.close()


async def test_strangers_are_turned_away_where_the_settings_say_so(tmp_path: Path) -> None:
    async with served(tmp_path, anonymous=False) as server:
        page = await connect(server)
        await page.send("hello")
        assert await page.end() == Closed.SIGN_IN
        known = await visit(server, token=make_token(KEY, "c-1"))
        await known.close()


async def test_the_sites_own_secret_is_the_only_one_that_counts(tmp_path: Path) -> None:
    secret = b"the web site's own secret, 32 bytes or more"
    (tmp_path / "chat.secret").write_bytes(secret)
    async with served(tmp_path, secret_file="chat.secret") as server:
        known = await visit(server, token=make_token(secret, "c-1"))
        await known.close()
        page = await connect(server)
        await page.send("hello", token=make_token(KEY, "c-1"))
        assert await page.end() == Closed.TOKEN


@pytest.mark.parametrize("settings", [{"secret_file": "nowhere"}, {"anonymous": False, "bad_token": "anonymous"}])
async def test_settings_that_cannot_work_stop_the_start(tmp_path: Path, settings: dict[str, Any]) -> None:
    server = Server(tmp_path, FakeInbox(), settings)
    with pytest.raises(SetupError):
        await server.channel.start(Surroundings(server.inbox, FakeSipMessages(), KEY))
    await server.channel.close()


async def test_other_sites_may_not_connect(server: Server) -> None:
    with structlog.testing.capture_logs() as logs, pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await connect(server, Origin="https://evil.test")
    assert refused.value.status == 403
    assert logs[0]["origin"] == "https://evil.test"


async def test_a_chat_file_that_is_none_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "webchat.sqlite").write_bytes(b"no database at all" * 100)
    server = Server(tmp_path, FakeInbox(), {})
    with pytest.raises(SetupError, match="cannot be opened"):
        await server.channel.start(Surroundings(server.inbox, FakeSipMessages(), KEY))
    await server.channel.close()


# — what does no harm —


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "hello",
        "[]",
        '{"type": "hello"} {"type": "say"}',
        '{"type": "shout"}',
        '{"type": "say", "id": "a", "text": 7}',
        '{"type": "say", "id": "../a", "text": "x"}',
        '{"type": "say", "id": "a", "text": "\\ud800"}',
        '{"type": "seen", "seq": -1}',
        '{"type": "seen", "seq": 1e400}',
        '{"type": "earlier", "before": 99999999999999999999}',
        '{"type": "hello", "after": 0}',
        "[" * 10_000,
        b"\x00\x01",
    ],
)
async def test_what_no_page_of_ours_sends_ends_the_connection(server: Server, frame: str | bytes) -> None:
    page = await visit(server)
    await (page.socket.send_bytes(frame) if isinstance(frame, bytes) else page.socket.send_str(frame))
    assert await page.end() == Closed.BAD_FRAME
    assert server.inbox.messages == []


async def test_a_page_must_say_hello_first_and_soon(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    page = await connect(server)
    await page.send("say", id="a", text="hello")
    assert await page.end() == Closed.BAD_FRAME
    monkeypatch.setattr(talk, "HELLO_S", 0.05)
    silent = await connect(server)
    assert await silent.end() == Closed.SLOW
    assert server.inbox.messages == []


@pytest.mark.parametrize("text", ["", " \n ", "\x00"])
async def test_nothing_is_no_message(server: Server, text: str) -> None:
    page = await visit(server)
    await page.send("say", id="a", text=text)
    assert (await page.got("refused"))[0]["why"] == "empty"
    assert server.inbox.messages == []
    await page.close()


async def test_a_message_is_no_longer_than_allowed(tmp_path: Path) -> None:
    async with served(tmp_path, longest=50) as server:
        page = await visit(server)
        await page.send("say", id="a", text="\U0001f6eb" * 50)
        await page.got("line")
        await page.send("say", id="b", text="x" * 51)
        (refused,) = await page.got("refused")
        assert (refused["id"], refused["why"]) == ("b", "long")
        await page.send("say", id="c", text="x" * 100_000)
        assert await page.end() == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
        assert len(server.inbox.messages) == 1


async def test_one_conversation_may_say_so_much(tmp_path: Path) -> None:
    async with served(tmp_path, messages_per_minute=6) as server:
        page = await visit(server)
        await say(page, "one", "two")
        await page.send("say", id="three", text="three")
        (refused,) = await page.got("refused")
        assert (refused["id"], refused["why"]) == ("three", "rate")
        assert 0 < refused["retry_s"] <= 10
        assert len(server.inbox.messages) == 2
        other = await visit(server)
        await say(other, "I am somebody else")
        await page.close()
        await other.close()


async def test_one_address_may_say_so_much(tmp_path: Path) -> None:
    async with served(tmp_path, ip_messages_per_minute=4) as server:
        pages = [await visit(server) for _ in range(3)]
        await say(pages[0], "one")
        await say(pages[1], "two")
        await pages[2].send("say", id="three", text="three")
        assert (await pages[2].got("refused"))[0]["why"] == "rate"
        for page in pages:
            await page.close()


async def test_a_flood_of_frames_ends_the_connection(server: Server) -> None:
    page = await visit(server)
    for _ in range(300):
        if page.closed is None:
            await page.send("ping")
    assert await page.end() == Closed.BAD_FRAME


@pytest.mark.parametrize(
    ("settings", "status"),
    [({"connections": 2}, 503), ({"ip_connections": 2}, 429), ({"ip_connections_per_minute": 4}, 429)],
)
async def test_connections_are_limited(tmp_path: Path, settings: dict[str, int], status: int) -> None:
    async with served(tmp_path, **settings) as server:
        pages = [await visit(server), await visit(server)]
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await connect(server)
        assert refused.value.status == status
        assert int(refused.value.headers["Retry-After"]) >= 1
        for page in pages:
            await page.close()


async def test_a_place_is_free_again_when_a_page_is_gone(tmp_path: Path) -> None:
    async with served(tmp_path, connections=1) as server:
        page = await visit(server)
        await page.close()
        assert server.channel._socket is not None
        places = server.channel._socket._places
        await until(lambda: places.taken == 0, "the place is free")
        again = await come_back(server, page)
        await again.close()


async def test_a_page_that_does_not_read_is_cut_off_and_loses_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tab, "MOST_WAITING", 8)
    page = await visit(server)
    await say(page, "hello")
    await page.close()
    welcome = page.frames[0]
    slow = await connect(server, read=False)
    transport = slow.socket._conn.transport
    transport.get_extra_info("socket").setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4_096)
    transport.pause_reading()
    await slow.send("hello", session=welcome["session"], resume=welcome["resume"])
    places = server.channel._socket._places
    big = "word " * 20_000
    sent = 0
    async with asyncio.timeout(30):
        while places.taken:
            sent += 1
            await server.answer(f"{sent} {big}")
    assert sent < 500
    await slow.http.close()
    again = await come_back(server, page, after=sent - 2)
    assert [line["seq"] for line in again.lines] == [sent - 1, sent, sent + 1]
    await again.close()


async def test_a_fault_of_the_store_ends_one_page_and_not_the_server(server: Server) -> None:
    page = await visit(server)
    await say(page, "hello")
    await server.channel._store._run(lambda db: db.execute("ALTER TABLE line RENAME TO moved"))
    await page.send("open")
    assert await page.end() == aiohttp.WSCloseCode.INTERNAL_ERROR
    await server.channel._store._run(lambda db: db.execute("ALTER TABLE moved RENAME TO line"))
    again = await come_back(server, page)
    assert texts(again) == ["hello"]
    await again.close()


async def test_the_inbox_may_fail_to_greet(tmp_path: Path) -> None:
    class Mute(FakeInbox):
        async def opened(
            self, address: str, to: str, identity: Identity | None, customer_id: str = ""
        ) -> Sequence[str]:
            raise JourneyError("the store is locked")

    async with served(tmp_path, Mute()) as server:
        page = await visit(server)
        await page.send("open")
        await say(page, "hello")
        assert texts(page) == ["hello"]
        await page.close()
