"""Plug-ins are found, checked, asked and told; nothing that one does reaches a call or another plug-in."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
import types
from datetime import UTC, datetime
from importlib.metadata import EntryPoint

import pytest
import structlog
from prometheus_client import REGISTRY
from pydantic import BaseModel

from ccaas import hooks, hookspecs, implementations
from ccaas.errors import PluginError
from ccaas.hooks import MOST_ABANDONED, QUEUE, PluginHost
from ccaas.hookspecs import hookimpl
from ccaas.implementations import RULES, Rule
from ccaas.ports.journey import Contact, Customer, Traces
from ccaas.ports.media import Codec
from ccaas.ports.site import Site
from ccaas.telephony.events import Answered

CONTACT = Contact("call-1", "voice", "+15550100", "1000")
ADA = Customer("1", "Ada", "Lovelace")


class Nothing(BaseModel):
    """No settings."""


def plugin(**functions):
    """A plug-in with these hooks."""
    return types.SimpleNamespace(**{f"ccaas_{name}": hookimpl(function) for name, function in functions.items()})


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"ccaas_plugin_{name}_total", labels) or 0.0


@pytest.fixture
def quick(monkeypatch):
    """Time limits of 20 ms, so that a hanging plug-in does not hold up the tests."""
    short = {hook: Rule(rule.verb, 0.02, rule.answer) for hook, rule in RULES.items()}
    monkeypatch.setattr(hooks, "RULES", short)


async def knows(contact):
    return ADA


async def asks_nobody(contact):
    return None


async def raises(contact):
    raise KeyError("gone")


async def hangs(contact):
    await asyncio.Event().wait()


async def hangs_against_cancellation(contact):
    loop, cancellations = asyncio.get_running_loop(), 0
    while cancellations < 2:  # the time limit's is ignored, the one at the end of the test is not
        try:
            await loop.create_future()
        except asyncio.CancelledError:
            cancellations += 1


async def cancels_itself(contact):
    asyncio.current_task().cancel()
    await asyncio.Event().wait()


async def raises_cancelled(contact):
    raise asyncio.CancelledError


async def exits(contact):
    raise SystemExit(3)


async def raises_group(contact):
    raise BaseExceptionGroup("several", [KeyboardInterrupt()])


async def answers_nonsense(contact):
    return "Ada"


# Asking


async def test_the_first_plugin_that_knows_answers() -> None:
    later = []

    async def too_late(contact):
        later.append(contact)
        return Customer("2", "Grace", "Hopper")

    host = PluginHost.of(
        {"a": plugin(identify=asks_nobody), "b": plugin(identify=knows), "c": plugin(identify=too_late)}
    )
    assert await host.identify(CONTACT) == ADA
    assert later == []


async def test_nobody_knows() -> None:
    assert await PluginHost.of({"a": plugin(identify=asks_nobody)}).identify(CONTACT) is None
    assert await PluginHost.of({}).identify(CONTACT) is None


async def test_plugins_are_asked_in_the_order_of_the_yaml_unless_one_wants_to_be_first_or_last() -> None:
    async def one(contact, customer):
        return "one"

    async def two(contact, customer):
        return "two"

    plain_one, plain_two = plugin(route=one), plugin(route=two)
    assert await PluginHost.of({"1": plain_one, "2": plain_two}).route(CONTACT, None) == "one"
    first = types.SimpleNamespace(ccaas_route=hookimpl(tryfirst=True)(two))
    assert await PluginHost.of({"1": plain_one, "2": first}).route(CONTACT, None) == "two"
    last = types.SimpleNamespace(ccaas_route=hookimpl(trylast=True)(one))
    assert await PluginHost.of({"1": last, "2": plain_two}).route(CONTACT, None) == "two"


async def test_a_hook_may_leave_out_arguments() -> None:
    async def without_customer(contact):
        return contact.dialled

    assert await PluginHost.of({"a": plugin(route=without_customer)}).route(CONTACT, ADA) == "1000"


async def test_each_asks_all_at_once_and_keeps_their_order(monkeypatch) -> None:
    monkeypatch.setattr(hooks, "RULES", {**RULES, "ccaas_route": Rule("each", 0.5, str)})
    second_answered = asyncio.Event()

    async def slow(contact):
        await second_answered.wait()
        return "slow"

    async def fast(contact):
        second_answered.set()
        return "fast"

    host = PluginHost.of({"a": plugin(route=slow), "b": plugin(route=fast), "c": plugin(route=asks_nobody)})
    answers = await host.each("ccaas_route", "call-1", {"contact": CONTACT, "customer": None})
    assert list(answers.items()) == [("a", "slow"), ("b", "fast")]


# Isolation


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (raises, "raised"),
        (hangs, "timeout"),
        (hangs_against_cancellation, "timeout"),
        (cancels_itself, "cancelled"),
        (raises_cancelled, "cancelled"),
        (exits, "raised"),
        (raises_group, "raised"),
        (answers_nonsense, "wrong"),
    ],
)
async def test_a_bad_plugin_is_passed_over_named_and_counted(bad, why: str) -> None:
    host = PluginHost.of({"bad": plugin(identify=bad), "good": plugin(identify=knows)})
    before = counted("faults", plugin="bad", hook="ccaas_identify", why=why)
    with structlog.testing.capture_logs() as logged:
        assert await host.identify(CONTACT) == ADA
    assert counted("faults", plugin="bad", hook="ccaas_identify", why=why) == before + 1
    assert [(line["plugin"], line["hook"], line["call"]) for line in logged] == [("bad", "ccaas_identify", "call-1")]


@pytest.mark.usefixtures("quick")
async def test_a_plugin_whose_calls_never_end_is_not_asked_for_ever() -> None:
    asked = 0
    release = asyncio.Event()

    async def stubborn(contact):
        nonlocal asked
        asked += 1
        while not release.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await release.wait()

    host = PluginHost.of({"bad": plugin(identify=stubborn), "good": plugin(identify=knows)})
    for _ in range(MOST_ABANDONED + 3):
        assert await host.identify(CONTACT) == ADA
    assert asked == MOST_ABANDONED
    release.set()
    while host._abandoned["bad"]:
        await asyncio.sleep(0)
    await host.identify(CONTACT)
    assert asked == MOST_ABANDONED + 1


async def test_a_call_that_ends_takes_its_question_with_it() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def asked(contact):
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    question = asyncio.create_task(PluginHost.of({"a": plugin(identify=asked)}).identify(CONTACT))
    await begun.wait()
    question.cancel()
    with pytest.raises(asyncio.CancelledError):
        await question
    await ended.wait()


async def test_a_flood_of_faults_is_not_a_flood_of_log_lines() -> None:
    host = PluginHost.of({"bad": plugin(identify=raises)})
    with structlog.testing.capture_logs() as logged:
        for _ in range(50):
            await host.identify(CONTACT)
        host._quiet.clear()
        await host.identify(CONTACT)
    assert [line.get("unsaid") for line in logged] == [None, 49]


async def test_a_plugin_that_blocks_the_loop_is_counted_by_name() -> None:
    async def blocks(contact):
        time.sleep(0.006)
        await asyncio.sleep(0)
        return ADA

    before = counted("blocked_loop", plugin="slow", hook="ccaas_identify")
    assert await PluginHost.of({"slow": plugin(identify=blocks)}).identify(CONTACT) == ADA
    assert counted("blocked_loop", plugin="slow", hook="ccaas_identify") >= before + 1


# Telling


def answered(number: int) -> Answered:
    return Answered(str(number), 0.0, Codec.ULAW)


async def test_events_arrive_in_order_and_a_bad_listener_does_not_stop_another() -> None:
    heard = []

    async def listens(call_id, event):
        heard.append((call_id, event.leg_id))

    async def fails(event):
        raise RuntimeError

    host = PluginHost.of({"bad": plugin(call_event=fails), "good": plugin(call_event=listens)})
    for number in range(5):
        host.call_event("call-1", answered(number))
    await host.close()
    assert heard == [("call-1", str(number)) for number in range(5)]


async def test_a_slow_listener_loses_the_oldest_events_and_nobody_else_does() -> None:
    slow_heard, quick_heard = [], []
    go_on = asyncio.Event()

    async def slow(event):
        await go_on.wait()
        slow_heard.append(int(event.leg_id))

    async def quick(event):
        quick_heard.append(int(event.leg_id))

    host = PluginHost.of({"slow": plugin(call_event=slow), "quick": plugin(call_event=quick)})
    before = counted("events_dropped", plugin="slow")
    for number in range(QUEUE + 10):
        host.call_event("call-1", answered(number))
        await asyncio.sleep(0)
    go_on.set()
    await host.close()
    dropped = counted("events_dropped", plugin="slow") - before
    assert slow_heard[-1] == QUEUE + 9
    assert len(slow_heard) + dropped == QUEUE + 10
    assert quick_heard == list(range(QUEUE + 10))


async def test_closing_does_not_wait_for_a_hanging_listener() -> None:
    async def never(event):
        await asyncio.Event().wait()

    host = PluginHost.of({"slow": plugin(call_event=never)})
    before = counted("events_dropped", plugin="slow")
    for number in range(3):
        host.call_event("call-1", answered(number))
    await host.close(limit_s=0.01)
    host.call_event("call-1", answered(9))
    await host.close(limit_s=0.01)
    assert counted("events_dropped", plugin="slow") == before + 2


# Loading


def test_only_the_named_plugins_are_imported(monkeypatch, tmp_path) -> None:
    for name in ("wanted", "unwanted"):
        (tmp_path / f"outsider_{name}.py").write_text(f"import os\nos.environ['{name.upper()}'] = '1'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    points = [EntryPoint(name, f"outsider_{name}", "ccaas") for name in ("wanted", "unwanted")]
    monkeypatch.setattr(implementations, "entry_points", lambda group: points)
    monkeypatch.delenv("UNWANTED", raising=False)
    monkeypatch.setenv("WANTED", "")
    assert PluginHost.load(["wanted"]).plugins == ("wanted",)
    assert os.environ["WANTED"] == "1"
    assert "UNWANTED" not in os.environ


def test_a_plugin_that_is_not_installed_is_told_with_names_like_it(monkeypatch) -> None:
    monkeypatch.setattr(implementations, "entry_points", lambda group: [EntryPoint("piper", "x", "ccaas")])
    with pytest.raises(PluginError, match=r'no plug-in "pipper" is installed; did you mean "piper"\?'):
        PluginHost.load(["pipper"])


@pytest.mark.parametrize("body", ["import no_such_module_at_all", "raise SystemExit(1)", "def ("])
def test_a_plugin_that_cannot_be_imported_is_named(monkeypatch, tmp_path, body: str) -> None:
    (tmp_path / "broken_outsider.py").write_text(body)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(__import__("sys").modules, "broken_outsider", raising=False)
    monkeypatch.setattr(
        implementations, "entry_points", lambda group: [EntryPoint("broken", "broken_outsider", "ccaas")]
    )
    with pytest.raises(PluginError, match=r'plug-in "broken" \(broken_outsider\) could not be imported'):
        PluginHost.load(["broken"])


def test_two_packages_with_one_name_are_refused(monkeypatch) -> None:
    points = [EntryPoint("piper", "a", "ccaas"), EntryPoint("piper", "b", "ccaas")]
    monkeypatch.setattr(implementations, "entry_points", lambda group: points)
    with pytest.raises(PluginError, match='a and b both bring a plug-in called "piper"; uninstall one of them'):
        PluginHost.load(["piper"])


async def surplus(contact, extra):
    return None


async def unmarked(contact):
    return None


def plain(contact):
    return None


async def register_coroutine(register):
    return None


def wrapping(contact):
    return (yield)


@pytest.mark.parametrize(
    ("plugin", "problem"),
    [
        (plugin(identify=surplus), "extra"),
        (plugin(identfy=knows), r"there is no hook ccaas_identfy; did you mean \"ccaas_identify\"\?"),
        (plugin(identify=plain), "ccaas_identify must be `async def`"),
        (plugin(register_tools=register_coroutine), "ccaas_register_tools must be a plain `def`"),
        (types.SimpleNamespace(ccaas_identify=hookimpl(wrapper=True)(wrapping)), "is a wrapper"),
        (types.SimpleNamespace(ccaas_identify=unmarked), "ccaas_identify lacks @hookimpl"),
    ],
)
def test_hooks_that_break_the_rules_are_refused_at_boot(plugin, problem: str) -> None:
    with pytest.raises(PluginError, match=f'plug-in "bad".*{problem}'):
        PluginHost.of({"bad": plugin})


# What systems of record add


async def test_the_context_is_what_each_system_of_record_adds(quick) -> None:
    async def adds(customer):
        return {"miles": 1200} if customer is ADA else None

    async def list_of_trips(customer):
        return ["BOS"]

    async def hangs_too(customer):
        await asyncio.Event().wait()

    async def knows_nothing(customer):
        return None

    host = PluginHost.of(
        {
            "airline": plugin(context=adds),
            "wrong": plugin(context=list_of_trips),
            "slow": plugin(context=hangs_too),
            "empty": plugin(context=knows_nothing),
        }
    )
    assert await host.context("call-1", ADA, datetime.now(UTC)) == {"airline": {"miles": 1200}}
    assert counted("faults", plugin="wrong", hook="ccaas_context", why="wrong") == 1
    assert counted("faults", plugin="slow", hook="ccaas_context", why="timeout") == 1
    await host.close()


# Erasing a person


async def test_every_plugin_is_asked_to_erase_and_those_that_did_not_are_named(quick, tmp_path) -> None:
    asked = []

    async def erases(traces, site):
        asked.append((traces, site))

    async def cannot(traces):
        raise OSError("read-only")

    async def takes_forever(traces):
        await asyncio.Event().wait()

    traces, site = Traces(("mia",)), Site(tmp_path, tmp_path, tmp_path, tmp_path)
    host = PluginHost.of(
        {"good": plugin(forget=erases), "bad": plugin(forget=cannot), "slow": plugin(forget=takes_forever)}
    )
    assert await host.forget(traces, site) == {
        "bad": "it raised OSError('read-only')",
        "slow": "it took longer than 0.02 s",
    }
    assert asked == [(traces, site)]
    assert counted("faults", plugin="bad", hook="ccaas_forget", why="raised") == 1
    await host.close()


# Registering


def offering(*names: str, factory=lambda settings, site: (), settings=Nothing):
    def register_tools(register):
        for name in names:
            register(name, factory, settings)

    return plugin(register_tools=register_tools)


def test_what_plugins_offer_is_kept_by_kind_and_name() -> None:
    host = PluginHost.of({"a": offering("crm"), "b": offering("erp", "desk")})
    assert {name: offer.plugin for name, offer in host.tools.items()} == {"crm": "a", "erp": "b", "desk": "b"}
    assert len(host.recognizers) == 0


def test_channels_are_offered_and_leave_the_cores_keys_alone() -> None:
    class WithEntry(BaseModel):
        entry: str = ""

    def offer(settings):
        return plugin(register_channels=lambda register: register("post", lambda settings, site: None, settings))

    assert list(PluginHost.of({"post": offer(Nothing)}).channels) == ["post"]
    with pytest.raises(PluginError, match=r"channel 'post': its settings have a field `entry`, which is the core's"):
        PluginHost.of({"post": offer(WithEntry)})


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        (offering("crm"), "tools 'crm': plug-in \"a\" offers one of that name already"),
        (offering("erp", "erp"), "tools 'erp': itself offers one of that name already"),
        (offering("My CRM"), "that is no name"),
        (offering("erp", factory=3), "its factory cannot be called"),
        (offering("erp", settings=dict), "its settings are no pydantic model"),
        (plugin(register_tools=lambda register: 1 / 0), "failed in ccaas_register_tools: ZeroDivisionError"),
    ],
)
def test_offers_that_cannot_stand_name_the_plugin(second, problem: str) -> None:
    with pytest.raises(PluginError) as caught:
        PluginHost.of({"a": offering("crm"), "b": second})
    assert str(caught.value).startswith('plug-in "b"')
    assert problem in str(caught.value)


# Rules and specifications say the same


def test_every_asynchronous_hook_has_a_rule_and_says_its_limit() -> None:
    asynchronous = {
        name: spec
        for name, spec in vars(hookspecs).items()
        if name.startswith("ccaas_") and asyncio.iscoroutinefunction(spec)
    }
    assert set(asynchronous) == set(RULES)
    for name, spec in asynchronous.items():
        assert f"{RULES[name].limit_s:g} s" in spec.__doc__, name
        assert f"`{RULES[name].verb}`" in spec.__doc__, name
        assert "Since " in spec.__doc__, name
