"""Who is alone when a controller has died."""

from __future__ import annotations

from typing import Any

import msgspec

from ccaas.asterisk.api.models import Bridge, Channel
from ccaas.comfort import Lonely, lonely
from ccaas.testing.ari import bridge, channel

CALL = "2026112217000012345678"
INBOUND, CALLEE, TARGET, MEDIA = "ccaas-1795.0", f"ccaas-{CALL}-callee1", f"ccaas-{CALL}-to1", f"ccaas-{CALL}-media1"
TALK = f"ccaas-{CALL}-bridge1"


def found(channels: list[dict[str, Any]], bridges: list[dict[str, Any]]) -> list[Lonely]:
    return list(
        lonely([msgspec.convert(one, Channel) for one in channels], [msgspec.convert(b, Bridge) for b in bridges])
    )


def test_a_caller_alone_in_a_bridge() -> None:
    assert found([channel(INBOUND)], [bridge(TALK, INBOUND)]) == [Lonely(INBOUND, TALK, "1000", up=True)]


def test_the_dead_controller_s_media_leg_is_no_company() -> None:
    media = channel(MEDIA, data="ccaas", exten="s")
    assert [one.leg for one in found([channel(INBOUND), media], [bridge(TALK, INBOUND, MEDIA)])] == [INBOUND]


def test_a_colleague_is_company() -> None:
    assert found([channel(INBOUND), channel(TARGET, data="ccaas")], [bridge(TALK, INBOUND, TARGET)]) == []


def test_a_caller_on_hold_is_in_no_bridge() -> None:
    assert found([channel(INBOUND)], []) == [Lonely(INBOUND, "", "1000", up=True)]


def test_a_caller_whom_nobody_has_answered() -> None:
    assert found([channel(INBOUND, state="Ring")], []) == [Lonely(INBOUND, "", "1000", up=False)]


def test_whom_we_called_counts_once_they_have_answered() -> None:
    dialled = channel(CALLEE, app="AppDial2", data="(Outgoing Line)")
    assert [one.leg for one in found([dialled], [])] == [CALLEE]
    assert found([dialled | {"state": "Ringing"}], []) == []


def test_who_is_in_the_dialplan_or_with_another_application_is_not_ours() -> None:
    assert found([channel(INBOUND, app="VoiceMail", data="100@ccaas"), channel("9.1", data="other,inbound")], []) == []
