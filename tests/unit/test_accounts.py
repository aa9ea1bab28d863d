"""Accounts: hashes, sessions, throttling, the audit, and the command line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ccaas.commands.users import user_app
from ccaas.errors import AccountError
from ccaas.ports.accounts import Role
from ccaas.web.accounts.book import FILE, AccountBook
from ccaas.web.accounts.demo import demo_accounts
from ccaas.web.accounts.sessions import FormTokens, Sessions
from ccaas.web.accounts.throttle import Throttle
from ccaas.web.settings import DeskWeb

ANNA = "correct horse battery"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def book(tmp_path: Path) -> Any:
    book = AccountBook(tmp_path, Clock())
    book.add("anna", Role.AGENT, ANNA)
    yield book
    book.close()


def test_roles_cover_those_before_them() -> None:
    assert Role.ADMIN.covers(Role.AGENT) and Role.AGENT.covers(Role.AGENT)
    assert not Role.AGENT.covers(Role.SUPERVISOR)


def test_a_password_is_kept_as_an_argon2_hash_alone(book: AccountBook, tmp_path: Path) -> None:
    account = book.authenticate("anna", ANNA)
    assert account is not None and (account.name, account.role) == ("Anna", Role.AGENT)
    assert book.authenticate("anna", ANNA + "x") is None
    assert book.authenticate("nobody", ANNA) is None
    book.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob(f"{FILE}*"))
    assert b"$argon2id$" in kept and ANNA.encode() not in kept
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("login", ["", "Anna", "9", "butler", "customer", "a b", "x" * 33, "ünal"])
def test_logins_that_are_none(book: AccountBook, login: str) -> None:
    with pytest.raises(AccountError, match="is no login"):
        book.add(login, Role.AGENT, ANNA)


def test_what_cannot_be_is_said(book: AccountBook) -> None:
    with pytest.raises(AccountError, match="already"):
        book.add("anna", Role.ADMIN, ANNA)
    with pytest.raises(AccountError, match="10 to 200 characters"):
        book.add("sam", Role.AGENT, "short")
    with pytest.raises(AccountError, match="no account sam"):
        book.set_password("sam", ANNA)


async def test_a_session_ends_by_time_by_sign_out_and_by_a_new_password(book: AccountBook) -> None:
    sessions = Sessions(book, b"k" * 32, hours=1)
    ended: list[int] = []
    sessions.on_end(lambda: ended.append(1))
    anna = book.find("anna")
    assert anna is not None
    cookies = [await sessions.begin(anna, "127.0.0.1") for _ in range(3)]
    assert len(set(cookies)) == 3
    first = await sessions.of(cookies[0])
    assert first is not None and first.account == anna and len(first.csrf) >= 32
    assert await sessions.of(cookies[0] + "x") is None
    assert await sessions.of("x." + cookies[0].rpartition(".")[2]) is None
    await sessions.end(first)
    assert await sessions.of(cookies[0]) is None and ended == [1]
    second = await sessions.of(cookies[1])
    assert second is not None
    assert await sessions.alive({first.id, second.id}) == {second.id}
    book.set_password("anna", "another good one")
    assert await sessions.of(cookies[1]) is None
    later = await sessions.begin(anna, "")
    book._now.now += 3_601  # type: ignore[attr-defined]
    assert await sessions.of(later) is None


async def test_who_is_disabled_is_out(book: AccountBook) -> None:
    sessions = Sessions(book, b"k" * 32, hours=1)
    anna = book.find("anna")
    assert anna is not None
    cookie = await sessions.begin(anna, "")
    book.set_disabled("anna", True)
    assert await sessions.of(cookie) is None
    assert book.authenticate("anna", ANNA) is None and book.find("anna") is None
    book.set_disabled("anna", False)
    assert book.authenticate("anna", ANNA) is not None


async def test_signing_out_everywhere_leaves_others_alone(book: AccountBook) -> None:
    sessions = Sessions(book, b"k" * 32, hours=1)
    sam = book.add("sam", Role.AGENT, ANNA)
    anna = book.find("anna")
    assert anna is not None
    cookies = [await sessions.begin(one, "") for one in (anna, anna, sam)]
    await sessions.end_all("anna")
    assert [await sessions.of(cookie) is None for cookie in cookies] == [True, True, False]


def test_a_cookie_signed_with_another_key_is_none() -> None:
    ours, theirs = FormTokens(b"a" * 32), FormTokens(b"b" * 32)
    browser = ours.browser()
    assert ours.fits(browser, ours.token(browser))
    assert not ours.fits(browser, theirs.token(browser))
    assert not ours.fits(ours.browser(), ours.token(browser))
    assert not ours.fits("", ours.token(""))


def test_after_some_failures_one_has_to_wait() -> None:
    clock = Clock()
    throttle = Throttle(3, 60.0, clock)
    for _ in range(3):
        assert throttle.wait_s("anna") == 0
        throttle.failed("anna")
        clock.now += 10
    assert throttle.wait_s("anna") == 30
    assert throttle.wait_s("sam") == 0
    clock.now += 30
    assert throttle.wait_s("anna") == 0
    throttle.failed("anna")
    assert throttle.wait_s("anna") > 0
    throttle.forgive("anna")
    assert throttle.wait_s("anna") == 0


def test_what_was_done_is_kept(book: AccountBook) -> None:
    book.note("anna", "transfer", "c1", "to: sam", "127.0.0.1")
    book.note("sam", "state", detail="x" * 900)
    deeds = book.deeds()
    assert [(deed.login, deed.what, deed.about) for deed in deeds] == [("sam", "state", ""), ("anna", "transfer", "c1")]
    assert len(deeds[0].detail) == 500
    assert [deed.login for deed in book.deeds(login="anna")] == ["anna"]


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    file = tmp_path / "ccaas.yaml"
    file.write_text(
        "{name: Demo, timezone: Europe/Vienna, state: var, plugins: [], web: {desk: {demo_accounts: true}},\n"
        "speech: {recognizer: {use: ears}, voice: {use: vad}, turn: {use: turn}, synthesizer: {use: voice}},\n"
        'reasoners: {one: {use: script}}, entries: {all: {numbers: ["*"], reasoner: one}}}\n'
    )
    return file


def test_the_command_line(installation: Path) -> None:
    def run(*words: str, text: str = "") -> str:
        done = CliRunner().invoke(user_app, [*words, "--file", str(installation)], input=text)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.output

    assert "Ann Lee (ann) may sign in as supervisor" in run(
        "add", "ann", "--role", "supervisor", "--name", "Ann Lee", "--password-stdin", text=ANNA + "\n"
    )
    assert (made := re.search(r"password: (\S+)", run("add", "sam", "--role", "agent"))) is not None
    assert re.search(r"ann +supervisor +Ann Lee\n", run("list"))
    book = AccountBook(installation.parent / "var")
    assert book.authenticate("sam", made[1]) is not None
    assert "signed out everywhere" in run("passwd", "sam", "--password-stdin", text=ANNA)
    assert book.authenticate("sam", ANNA) is not None
    run("disable", "sam")
    assert "disabled" in run("list")
    run("enable", "sam")
    assert re.findall(r"account (?:made|disabled|enabled)", run("audit")) == [
        "account made",
        "account made",
        "account disabled",
        "account enabled",
    ]
    with pytest.raises(AccountError, match="no account nobody"):
        run("disable", "nobody")
    with pytest.raises(AccountError, match="no password on the standard input"):
        run("passwd", "sam", "--password-stdin")
    book.close()


def test_accounts_for_rehearsals_are_made_once(installation: Path) -> None:
    from ccaas.config.configuration import load

    configuration = load(installation)
    lines = demo_accounts(configuration)
    book = AccountBook(configuration.site.state_dir)
    shown = {words[0]: words[1] for line in lines if len(words := line.split()) == 3}
    assert set(shown) == {"anna", "sam", "supervisor"}
    assert all(book.authenticate(login, password) is not None for login, password in shown.items())
    assert demo_accounts(configuration) == ()
    book.close()


def test_a_desk_is_described_as_browsers_reach_it() -> None:
    assert DeskWeb(address="https://Desk.Example.com/").address == "https://desk.example.com"
    with pytest.raises(ValueError, match="no address of a site"):
        DeskWeb(address="desk.example.com")
