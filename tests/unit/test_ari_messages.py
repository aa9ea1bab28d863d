"""What arrives on the events WebSocket, and what is refused over REST."""

from __future__ import annotations

import msgspec
import pytest

from ccaas.asterisk.api.messages import ChannelDtmfReceived, TextMessageReceived
from ccaas.asterisk.errors import AriError, LegGone, refused
from ccaas.asterisk.rest import decoded, segment
from ccaas.asterisk.transport import Unknown, decode_event
from ccaas.testing.ari import channel, message


def test_a_known_message_has_its_type() -> None:
    event = decode_event(message("ChannelDtmfReceived", digit="5", duration_ms=100, channel=channel("leg")))
    assert isinstance(event, ChannelDtmfReceived)
    assert (event.digit, event.duration_ms, event.channel.id) == ("5", 100, "leg")


@pytest.mark.parametrize("raw", ['{"type":"FromTomorrow","news":[1]}', '{"type":"ChannelDtmfReceived","digit":5}'])
def test_a_message_of_another_asterisk_is_no_error(raw: str) -> None:
    event = decode_event(raw)
    assert isinstance(event, Unknown)
    assert event.type in raw


def test_what_is_no_json_is_no_error() -> None:
    assert decode_event("<html>") == Unknown(type="")


def test_fields_that_are_new_are_passed_over() -> None:
    event = decode_event(message("ChannelHold", channel=channel("leg") | {"mood": "calm"}, colour="red"))
    assert type(event).__name__ == "ChannelHold"


def test_a_text_message_loses_its_credentials() -> None:
    text = {
        "from": "a",
        "to": "b",
        "body": "hello",
        "variables": {"Authorization": "Digest secret", "Proxy-Authorization": "x", "Subject": "hi"},
    }
    event = decode_event(message("TextMessageReceived", message=text))
    assert isinstance(event, TextMessageReceived)
    assert event.message.variables == {"Subject": "hi"}
    assert event.message.from_ == "a"
    assert "secret" not in repr(event)


def test_a_refusal_carries_what_ari_said() -> None:
    error = refused("POST", "/bridges/b/addChannel", 422, "Bridge is odd")
    assert (error.status, error.method, error.path, error.said) == (
        422,
        "POST",
        "/bridges/b/addChannel",
        "Bridge is odd",
    )
    assert not isinstance(error, LegGone)


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/channels/x/answer", 404, "Channel not found"),
        ("/channels/x", 404, ""),
        ("/bridges/b/addChannel", 400, "Channel not found"),
        ("/channels/x/dtmf", 409, "Channel not in Stasis application"),
    ],
)
def test_a_leg_that_is_gone_is_told_apart(path: str, status: int, said: str) -> None:
    assert isinstance(refused("POST", path, status, said), LegGone)


def test_an_answer_in_another_shape_is_one_sentence() -> None:
    with pytest.raises(AriError, match="Asterisk 20 or newer"):
        decoded(msgspec.json.Decoder(int), b'"x"')


def test_ids_are_one_segment_of_a_path() -> None:
    assert segment("a/b c?") == "a%2Fb%20c%3F"
