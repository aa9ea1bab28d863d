"""The SMS gateway's callbacks: signatures, what they hold, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from ccaas_sms_http.callbacks import BadCallback, Told, entries, parsed
from ccaas_sms_http.channel import HttpSms, secret_of
from ccaas_sms_http.settings import HttpSmsSettings, Secret, Signature
from ccaas_sms_http.signing import BadSignature, check
from ccaas_sms_http.templates import filled, looked_up, text_at
from pydantic import ValidationError

from ccaas.errors import JourneyError, SetupError
from ccaas.ports.messaging import Delivery, InboundMessage
from ccaas.ports.site import Site
from ccaas.testing.fakes.messaging import FakeInbox, Receipt, surroundings

KEY = "shared"
MESSAGE = {"id": "message.id", "address": "message.from", "to": "message.to", "text": "message.text"}


def settings(**changes: Any) -> HttpSmsSettings:
    return HttpSmsSettings.model_validate(
        {
            "numbers": ["+15550100"],
            "send": {"url": "http://127.0.0.1:9/messages"},
            "message": MESSAGE,
            "receipt": {"id": "ref", "status": "state", "detail": "why"},
            "signature": {"header": "X-Signature", "secret": {"env": "SMS_KEY"}},
        }
        | changes
    )


def said(text: str = "YES", number: int = 1, **changes: str) -> dict[str, Any]:
    return {"message": {"id": f"m{number}", "from": "+16145550109", "to": "+15550100", "text": text} | changes}


def signed(body: bytes, key: str = KEY) -> str:
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


# — signatures —


def signature(**changes: Any) -> Signature:
    return Signature.model_validate({"header": "X-Sig", "secret": {"env": "K"}} | changes)


def test_the_right_signature_passes() -> None:
    check(signature(), KEY, {"X-Sig": signed(b"abc")}, "", b"abc")
    check(signature(), KEY, {"X-Sig": signed(b"abc").upper()}, "", b"abc")


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, "X-Sig is missing"),
        ({"X-Sig": "nonsense"}, "is wrong"),
        ({"X-Sig": "ünï\udcff"}, "is wrong"),
        ({"X-Sig": signed(b"abd")}, "is wrong"),
        ({"X-Sig": signed(b"abc", "other")}, "is wrong"),
    ],
)
def test_a_wrong_one_is_refused_without_naming_the_secret(headers: dict[str, str], said: str) -> None:
    with pytest.raises(BadSignature, match=said) as refused:
        check(signature(), KEY, headers, "", b"abc")
    assert KEY not in str(refused.value)


def test_base64_over_the_url_and_the_body() -> None:
    given = base64.b64encode(hmac.new(KEY.encode(), b"https://a/b|x=1", "sha1").digest()).decode()
    wanted = signature(encoding="base64", algorithm="sha1", over="{url}|{body}")
    check(wanted, KEY, {"X-Sig": given}, "https://a/b", b"x=1")
    with pytest.raises(BadSignature):
        check(wanted, KEY, {"X-Sig": given}, "https://a/c", b"x=1")


@pytest.mark.parametrize("away", [-301, 301, float("nan")])
def test_an_old_signature_is_a_replay(away: float) -> None:
    wanted = signature(over="{timestamp}.{body}", timestamp_header="X-At", prefix="v1=")
    stamp = str(time.time() + away)
    given = {"X-Sig": f"v1={signed(stamp.encode() + b'.abc')}", "X-At": stamp}
    with pytest.raises(BadSignature, match="300 s are allowed"):
        check(wanted, KEY, given, "", b"abc")


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(BadSignature, match="no Unix seconds"):
        check(signature(timestamp_header="X-At"), KEY, {"X-Sig": "0", "X-At": "noon"}, "", b"")


def test_the_body_must_be_signed_and_the_time_must_stand_somewhere() -> None:
    with pytest.raises(ValidationError, match=r"must hold \{body\}"):
        signature(over="{timestamp}", timestamp_header="X-At")
    with pytest.raises(ValidationError, match="timestamp_header must say"):
        signature(over="{timestamp}.{body}")


# — what a callback holds —


def test_a_message() -> None:
    (found,) = entries(settings(), said("Ja, bitte ✓"))
    assert isinstance(found, InboundMessage)
    assert (found.id, found.address, found.to, found.text) == ("m1", "+16145550109", "+15550100", "Ja, bitte ✓")


@pytest.mark.parametrize(
    ("state", "delivery"),
    [("delivered", Delivery.DELIVERED), ("DELIVERED", Delivery.DELIVERED), ("rejected", Delivery.FAILED), ("queued", Delivery.SENT)],
)  # fmt: skip
def test_a_receipt(state: str, delivery: Delivery) -> None:
    assert list(entries(settings(), {"ref": "out-1", "state": state, "why": "30003"})) == [
        Told("out-1", delivery, "30003")
    ]


def test_several_in_one_callback() -> None:
    content = {"items": [said("one"), {"ref": "out-1", "state": "delivered"}, said("two", 2)]}
    found = list(entries(settings(each="items"), content))
    assert [getattr(one, "text", None) for one in found] == ["one", None, "two"]


def test_a_form() -> None:
    plain = settings(message={"id": "MessageSid", "address": "From", "to": "To", "text": "Body"})
    body = b"MessageSid=SM1&From=%2B16145550109&To=%2B15550100&Body=YES%20please&Empty="
    (found,) = entries(plain, parsed("application/x-www-form-urlencoded", body))
    assert isinstance(found, InboundMessage)
    assert (found.id, found.address, found.text) == ("SM1", "+16145550109", "YES please")


@pytest.mark.parametrize(
    ("at", "seconds"),
    [("1718000000.5", 1718000000.5), ("2024-06-10T06:13:20+00:00", 1718000000.0), (1718000000, 1718000000.0)],
)
def test_when_it_was_sent(at: Any, seconds: float) -> None:
    (found,) = entries(settings(message=MESSAGE | {"at": "message.at"}), said(at=at))
    assert isinstance(found, InboundMessage)
    assert found.at == seconds


@pytest.mark.parametrize(
    "content", [{}, [], None, 7, {"message": []}, {"message": {"id": "m", "to": {}, "from": True}}]
)
def test_what_is_neither_is_named(content: Any) -> None:
    with pytest.raises(BadCallback, match="it holds no"):
        list(entries(settings(), content))


def test_no_list_where_one_must_be() -> None:
    with pytest.raises(BadCallback, match="no list at items"):
        list(entries(settings(each="items"), {"items": "x"}))


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_json(body: bytes) -> None:
    with pytest.raises(BadCallback, match="neither JSON nor a form"):
        parsed("application/json", body)


def test_braces_are_filled_once_and_nothing_else_is_touched() -> None:
    values = {"text": "{id} & {secret}", "id": "out-1", "secret": "s"}
    template = {"a": ["{text}", "{other}", 7], "b": None}
    assert filled(template, values) == {"a": ["{id} & {secret}", "{other}", 7], "b": None}


def test_paths() -> None:
    within = {"a": [{"b": 1.5}, {"b": True}], "c": None}
    assert looked_up("a.0.b", within) == 1.5
    assert looked_up("a.9.b", within) is None
    assert looked_up("c.d", within) is None
    assert (text_at("a.0.b", within), text_at("a.1.b", within), text_at("a", within)) == ("1.5", "", "")


# — over HTTP —


class Ours:
    def __init__(self, inbox: FakeInbox, session: aiohttp.ClientSession) -> None:
        self.inbox = inbox
        self._session = session

    async def post(self, body: bytes, **headers: str) -> tuple[int, str]:
        sent = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        async with self._session.post("/callback", data=body, headers=sent) as answer:
            return answer.status, await answer.text()


async def served(channel: HttpSms, inbox: FakeInbox) -> AsyncIterator[Ours]:
    await channel.start(surroundings(inbox))
    app = web.Application()
    app.add_routes(channel.routes())
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as session:
        yield Ours(inbox, session)
    await runner.cleanup()
    await channel.close()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path, tmp_path, tmp_path, tmp_path)


@pytest.fixture
async def ours(site: Site, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ours]:
    monkeypatch.setenv("SMS_KEY", KEY)
    async for one in served(HttpSms(settings(), site), FakeInbox()):
        yield one


async def test_a_signed_callback_is_taken_and_the_same_again_changes_nothing(ours: Ours) -> None:
    body = json.dumps(said()).encode()
    for _ in range(2):
        assert (await ours.post(body, X_Signature=signed(body)))[0] == 204
    assert [message.text for message in ours.inbox.messages] == ["YES"]


async def test_a_wrong_signature_is_401_and_nothing_happens(ours: Ours) -> None:
    body = json.dumps(said()).encode()
    assert await ours.post(body, X_Signature=signed(body, "guess")) == (401, "the signature is wrong\n")
    assert (await ours.post(body))[0] == 401
    assert ours.inbox.messages == []


async def test_a_receipt_goes_to_the_inbox(ours: Ours) -> None:
    body = json.dumps({"ref": "out-1", "state": "failed", "why": "30006"}).encode()
    assert (await ours.post(body, X_Signature=signed(body)))[0] == 204
    assert ours.inbox.receipts == [Receipt("out-1", Delivery.FAILED, "30006")]


async def test_what_cannot_be_read_is_400_in_one_line(ours: Ours) -> None:
    status, text = await ours.post(b"{}", X_Signature=signed(b"{}"))
    assert (status, text.count("\n")) == (400, 1)
    assert "id at message.id" in text


async def test_what_is_too_large_is_413(ours: Ours) -> None:
    body = b" " * 300_000
    assert (await ours.post(body, X_Signature=signed(body)))[0] == 413


async def test_what_cannot_be_stored_is_to_come_again(ours: Ours) -> None:
    ours.inbox.fails = JourneyError("the disk is full")
    body = json.dumps(said()).encode()
    assert (await ours.post(body, X_Signature=signed(body)))[0] == 503


async def test_unsigned_callbacks_are_taken_from_this_machine_alone(site: Site) -> None:
    body = json.dumps(said()).encode()
    async for ours in served(HttpSms(settings(signature=None), site), FakeInbox()):
        assert (await ours.post(body))[0] == 204
        # A proxy on this machine speaks for somebody elsewhere.
        assert (await ours.post(body, X_Forwarded_For="203.0.113.9"))[0] == 401


# — secrets —


def test_a_secret_that_is_not_there_is_named(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SMS_KEY", raising=False)
    with pytest.raises(SetupError, match="SMS_KEY is empty"):
        secret_of(Secret(env="SMS_KEY"), site)
    with pytest.raises(SetupError, match=r"gateway\.key: .* cannot be read"):
        secret_of(Secret(file=Path("gateway.key")), site)
    (site.config_dir / "gateway.key").write_text("\n")
    with pytest.raises(SetupError, match="is empty"):
        secret_of(Secret(file=Path("gateway.key")), site)
    with pytest.raises(ValidationError, match="one of env and file"):
        Secret()
