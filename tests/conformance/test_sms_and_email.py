"""SMS by SIP through a real Asterisk, SMS by a gateway in its own process, e-mail with real SMTP and IMAP servers."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiosmtpd.controller import Controller
from ccaas_email.channel import Email
from ccaas_email.settings import EmailSettings
from ccaas_sms_http.channel import HttpSms
from ccaas_sms_http.settings import HttpSmsSettings
from ccaas_sms_sip.channel import SipSms
from ccaas_sms_sip.settings import SipSmsSettings
from pysasl.hashing import BuiltinHash

from ccaas.asterisk.texts import AsteriskTexts
from ccaas.ports.messaging import Surroundings
from ccaas.ports.site import Site
from ccaas.testing.asterisk import RunningAsterisk, free_port
from ccaas.testing.conformance.messaging import ChannelConformance
from ccaas.testing.fakes.messaging import FakeInbox, surroundings

PEERS = Path(__file__).parents[1] / "peers"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path, tmp_path, tmp_path, tmp_path)


# — SIP —


class Phone(asyncio.DatagramProtocol):
    """A SIP user agent for MESSAGE alone, so that a test can send the very same one again (RFC 3428)."""

    def __init__(self, server: tuple[str, int]) -> None:
        self._server = server
        self._statuses: asyncio.Queue[int] = asyncio.Queue()
        self._last = b""
        self.got: list[str] = []

    def connection_made(self, transport: Any) -> None:
        self._wire = transport
        self._port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: Any) -> None:
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        if lines[0].startswith("SIP/2.0"):
            self._statuses.put_nowait(int(lines[0].split()[1]))
            return
        kept = [line for line in lines[1:] if line.split(":")[0].lower() in ("via", "from", "to", "call-id", "cseq")]
        call_id = next(line for line in kept if line.lower().startswith("call-id"))
        if call_id not in self.__dict__.setdefault("_seen", set()):
            self._seen.add(call_id)
            self.got.append(body.decode())
        self._wire.sendto("\r\n".join(["SIP/2.0 200 OK", *kept, "Content-Length: 0", "", ""]).encode(), addr)

    async def write(self, text: str) -> int:
        self._last = text.encode()
        self._call = uuid.uuid4().hex
        return await self._send()

    async def again(self) -> int:
        return await self._send()

    async def _send(self) -> int:
        host, port = self._server
        lines = [
            f"MESSAGE sip:2000@{host}:{port} SIP/2.0",
            # Another branch: to Asterisk it is a new transaction, as from a phone that was restarted.
            f"Via: SIP/2.0/UDP 127.0.0.1:{self._port};branch=z9hG4bK{uuid.uuid4().hex}",
            f"From: <sip:+16145550109@127.0.0.1:{self._port}>;tag=1",
            f"To: <sip:2000@{host}:{port}>",
            f"Call-ID: {self._call}",
            "CSeq: 1 MESSAGE",
            "Max-Forwards: 70",
            "Content-Type: text/plain;charset=utf-8",
            f"Content-Length: {len(self._last)}",
        ]
        self._wire.sendto("\r\n".join(lines).encode() + b"\r\n\r\n" + self._last, self._server)
        async with asyncio.timeout(10):
            return await self._statuses.get()


class BySip:
    def __init__(self, channel: SipSms, inbox: FakeInbox, phone: Phone) -> None:
        self.channel, self.inbox, self._phone = channel, inbox, phone
        self.sender = "2000"

    async def write(self, text: str) -> None:
        assert await self._phone.write(text) == 202

    async def again(self) -> None:
        assert await self._phone.again() == 202

    def got(self) -> list[str]:
        return self._phone.got

    async def break_down(self, *, for_good: bool) -> None:
        """The way back is no more: its endpoint was taken out of the configuration, or its phone is switched off."""
        gone = "PJSIP/nobody/sip:+16145550109@127.0.0.1" if for_good else "PJSIP/6002"
        self.inbox.messages[-1] = replace(self.inbox.messages[-1], data={"reply_to": gone})


@pytest.fixture(scope="module")
def asterisk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAsterisk]:
    ready, over = threading.Event(), threading.Event()
    found: list[RunningAsterisk] = []

    async def live() -> None:
        try:
            async with RunningAsterisk(tmp_path_factory.mktemp("asterisk"), phones=("6002",)) as running:
                found.append(running)
                ready.set()
                await asyncio.to_thread(over.wait)
        finally:
            ready.set()

    thread = threading.Thread(target=lambda: asyncio.run(live()))
    thread.start()
    ready.wait()
    assert found, "Asterisk did not start; `make setup` provides it"
    yield found[0]
    over.set()
    thread.join()


class TestSmsBySip(ChannelConformance):
    @pytest.fixture
    async def correspondence(self, asterisk: RunningAsterisk, site: Site) -> AsyncIterator[BySip]:
        host, port = asterisk.sip_address.split(":")
        _, phone = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Phone((host, int(port))), local_addr=("127.0.0.1", 0)
        )
        inbox, texts = FakeInbox(), AsteriskTexts(asterisk.access)
        channel = SipSms(SipSmsSettings(numbers=("2000",)), site)
        await channel.start(Surroundings(inbox, texts, b"k" * 32))
        yield BySip(channel, inbox, phone)
        await channel.close()
        await texts.close()
        phone._wire.close()


# — an SMS gateway —


class ByGateway:
    def __init__(self, channel: HttpSms, inbox: FakeInbox, far: aiohttp.ClientSession) -> None:
        self.channel, self.inbox, self._far = channel, inbox, far
        self.sender = "+15550100"
        self._got: list[str] = []

    async def write(self, text: str) -> None:
        said = {"from": "+16145550109", "to": self.sender, "text": text}
        async with self._far.post("/far/write", json=said) as answer:
            assert (await answer.json())["status"] == 204

    async def again(self) -> None:
        async with self._far.post("/far/again") as answer:
            assert (await answer.json())["status"] == 204

    def got(self) -> list[str]:
        self._looking = asyncio.create_task(self._look())
        return self._got

    async def _look(self) -> None:
        async with self._far.get("/far/got") as answer:
            self._got = await answer.json()

    async def break_down(self, *, for_good: bool) -> None:
        async with self._far.post("/far/mode", json={"mode": "no such number" if for_good else "down"}):
            pass


def gateway_settings(port: int) -> HttpSmsSettings:
    return HttpSmsSettings.model_validate(
        {
            "numbers": ["+15550100"],
            "send": {
                "url": f"http://127.0.0.1:{port}/messages",
                "headers": {"Authorization": "Bearer {secret}"},
                "json": {"message": {"to": "{address}", "from": "{sender}", "text": "{text}"}},
                "secret": {"file": "gateway.key"},
                "its_id": "message.id",
            },
            "signature": {
                "header": "X-Signature",
                "prefix": "sha256=",
                "over": "{timestamp}.{body}",
                "timestamp_header": "X-Stamp",
                "secret": {"file": "callback.key"},
            },
            "message": {"id": "message.id", "address": "message.from", "to": "message.to", "text": "message.text"},
            "receipt": {"id": "message.id", "status": "state"},
        }
    )


class TestSmsByGateway(ChannelConformance):
    @pytest.fixture
    async def correspondence(self, site: Site) -> AsyncIterator[ByGateway]:
        (site.config_dir / "gateway.key").write_text("key-1\n")
        (site.config_dir / "callback.key").write_text("shared\n")
        ours = free_port()
        command = (sys.executable, str(PEERS / "sms_gateway.py"), f"http://127.0.0.1:{ours}/callback", "shared")
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        port = int(await process.stdout.readline())
        inbox, channel = FakeInbox(), HttpSms(gateway_settings(port), site)
        await channel.start(surroundings(inbox))
        app = web.Application()
        app.add_routes(channel.routes())
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", ours).start()
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as far:
            yield ByGateway(channel, inbox, far)
        await channel.close()
        await runner.cleanup()
        process.stdin.close()
        await process.wait()


# — e-mail —


class Post:
    """The SMTP server that takes our mail."""

    def __init__(self) -> None:
        self.got: list[EmailMessage] = []
        self.refuse = ""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        mail = BytesParser(policy=policy.default).parsebytes(envelope.content)
        assert isinstance(mail, EmailMessage)
        self.got.append(mail)
        return "250 taken"


class ByEmail:
    def __init__(self, channel: Email, inbox: FakeInbox, maildir: Path, post: Post) -> None:
        self.channel, self.inbox, self._maildir, self._post = channel, inbox, maildir, post
        self.sender = "help@acorn.example"
        self._last = b""

    async def write(self, text: str) -> None:
        mail = EmailMessage()
        mail["From"] = "Sofia Kim <sofia@example.org>"
        mail["To"] = self.sender
        mail["Subject"] = "My flight"
        mail["Message-ID"] = f"<{uuid.uuid4().hex}@example.org>"
        mail.set_content(text)
        self._last = mail.as_bytes()
        await self.again()

    async def again(self) -> None:
        """As a mail transfer agent delivers: complete first, then moved to `new`."""
        name = uuid.uuid4().hex
        (self._maildir / "tmp" / name).write_bytes(self._last)
        (self._maildir / "tmp" / name).rename(self._maildir / "new" / name)

    def got(self) -> list[str]:
        return [mail.get_content().rstrip("\r\n") for mail in self._post.got]

    async def break_down(self, *, for_good: bool) -> None:
        self._post.refuse = "550 no such person" if for_good else "451 try later"


def email_settings(imap: int, smtp: int) -> EmailSettings:
    return EmailSettings.model_validate(
        {
            "address": "help@acorn.example",
            "name": "Acorn Air",
            "imap": {
                "host": "127.0.0.1",
                "port": imap,
                "security": "none",
                "user": "help",
                "password_file": "mail.key",
            },
            "smtp": {"host": "127.0.0.1", "port": smtp, "security": "none"},
            "poll_s": 0.2,
        }
    )


class TestEmail(ChannelConformance):
    @pytest.fixture
    async def correspondence(self, site: Site) -> AsyncIterator[ByEmail]:
        (site.config_dir / "mail.key").write_text("secret\n")
        maildir = site.state_dir / "mail"
        for folder in ("cur", "new", "tmp"):
            (maildir / folder).mkdir(parents=True)
        (site.state_dir / "pymap-etc-passwd").write_text(f"help:x::::{maildir.name}:\n")
        (site.state_dir / "pymap-etc-shadow").write_text(f"help:{BuiltinHash().hash('secret')}:::::::\n")
        imap = free_port()
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("pymap"), "--host", "127.0.0.1", "--port", str(imap), "--no-tls",
            "--no-service", "admin", "--no-service", "managesieve", "maildir", str(site.state_dir),
        )  # fmt: skip
        await listening(imap, process)
        post = Post()
        smtp = Controller(post, hostname="127.0.0.1", port=free_port())
        smtp.start()
        inbox, channel = FakeInbox(), Email(email_settings(imap, smtp.port), site)
        await channel.start(surroundings(inbox))
        yield ByEmail(channel, inbox, maildir, post)
        await channel.close()
        smtp.stop()
        process.terminate()
        await process.wait()


async def listening(port: int, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(20):
        while True:
            assert process.returncode is None, "the server ended"
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            await asyncio.sleep(0.02)
