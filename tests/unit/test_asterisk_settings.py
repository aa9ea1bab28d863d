"""The `asterisk:` section: what it takes and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from ccaas.config.asterisk import AsteriskSettings


def test_an_empty_section_is_a_managed_asterisk_on_loopback() -> None:
    settings = AsteriskSettings()
    assert (settings.mode, settings.bind, settings.phones) == ("managed", "127.0.0.1", ())


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"modus": "managed"}, "Extra inputs"),
        ({"bind": "localhost"}, "localhost is not an IPv4 address"),
        ({"phones": [{"name": 6001}]}, "valid string"),
        ({"phones": [{"name": "a b"}]}, '"a b" cannot be a name here'),
        ({"phones": [{"name": "anonymous"}]}, "used inside Asterisk"),
        ({"phones": [{"name": "6001", "codecs": ["mp3"]}]}, "'ulaw', 'alaw', 'g722'"),
        ({"phones": [{"name": "6001", "codecs": []}]}, "at least 1 item"),
        ({"phones": [{"name": "6001", "caller_id": "x\n[evil]"}]}, "line break"),
        ({"phones": [{"name": "6001", "password": "a;b"}]}, "semicolon"),
        ({"trunks": [{"name": "t", "host": "h", "from_addresses": ["nowhere"]}]}, "no IPv4 address or network"),
        ({"ari": {"password": "a", "password_env": "B"}}, "several passwords"),
        ({"http_port": 0}, "greater than or equal to 1"),
    ],
)
def test_refused(section: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        AsteriskSettings.model_validate(section)
