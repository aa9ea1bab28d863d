"""Telephones in browsers: endpoints that are given to Asterisk over ARI while it runs, and kept in its memory alone.

Nothing of them is in a file, so that no password outlives its page, agents come and go without a reload, and a restart
of Asterisk begins with none. It needs `sorcery.conf` as `asterisk-conf/` has it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping

from ccaas.asterisk.api import Client
from ccaas.asterisk.errors import AriError
from ccaas.config.asterisk import RESERVED_NAMES, AsteriskSettings
from ccaas.ports.telephony import BrowserLine

_GUEST = re.compile(r"guest[0-9a-f]{16}")
"""How guests' telephones are called; no hyphen, which Asterisk takes out of caller ids."""
GUEST_CONTEXT = "ccaas-guest"
GUEST_NUMBER = "CCAAS_GUEST_NUMBER"
"""Dialplan context and variable of guests (dialplans/guest.conf)."""
_OPUS = ("codec_opus_open_source.so", "codec_opus.so")
_PATIENCE_S = 30
"""Seconds without a packet after which a browser's call is over: a guest may be in a tunnel."""
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_EVERYWHERE = "0.0.0.0"  # noqa: S104  (compared, not bound)


class AsteriskBrowserLines:
    """`BrowserLines` over ARI."""

    def __init__(self, client: Client, settings: AsteriskSettings, silent_s: int = _PATIENCE_S) -> None:
        """`silent_s`: after so long without a packet a desk's telephone has lost its call."""
        self._client = client
        self._settings = settings
        self._silent_s = silent_s
        self._codecs = ""

    async def open_desk(self, login: str, name: str) -> BrowserLine:
        if not _LOGIN.fullmatch(login) or _GUEST.fullmatch(login) or login in RESERVED_NAMES:
            raise ValueError(f"the login {login!r} cannot be a telephone's name; use other letters, digits, . _ -")
        # One page: a second registration takes the place of the first.
        aor = {"max_contacts": "1", "remove_existing": "yes", "qualify_frequency": "0"}
        await self._put("aor", login, aor)
        return await self._open(
            login,
            {
                "aors": login,
                "context": "ccaas-inbound",
                "callerid": _caller_id(name, login),
                "rtp_timeout": str(self._silent_s),
            },
        )

    async def open_guest(self, number: str) -> BrowserLine:
        user = f"guest{secrets.token_hex(8)}"
        may = {
            "context": GUEST_CONTEXT,
            "set_var": f"{GUEST_NUMBER}={number}",
            "callerid": f"Web caller <{user}>",
            "allow_transfer": "no",
            "allow_subscribe": "no",
        }
        return await self._open(user, may)

    async def is_open(self, user: str) -> bool:
        try:
            await self._client.endpoints.get(tech="PJSIP", resource=user)
        except AriError as error:
            if error.status == 404:
                return False
            raise
        return True

    async def close(self, user: str) -> None:
        for kind in ("endpoint", "aor", "auth"):
            try:
                await self._client.asterisk.delete_object(config_class="res_pjsip", object_type=kind, id=user)
            except AriError as error:
                if error.status != 404:
                    raise

    async def guests(self) -> dict[str, bool]:
        found = await self._client.endpoints.list_by_tech(tech="PJSIP")
        return {one.resource: bool(one.channel_ids) for one in found if _GUEST.fullmatch(one.resource)}

    async def _open(self, user: str, own: Mapping[str, str]) -> BrowserLine:
        line = BrowserLine(user, secrets.token_urlsafe(24))
        await self._put("auth", user, {"auth_type": "userpass", "username": user, "password": line.password})
        await self._put("endpoint", user, {**await self._common(), "auth": user, **own})
        return line

    async def _common(self) -> dict[str, str]:
        """As `[endpoint-common]` of pjsip.conf, and what browsers want: DTLS-SRTP, ICE, AVPF, one port for RTP and RTCP."""
        common = {
            "message_context": "ccaas-message",
            "disallow": "all",
            "allow": await self._allowed(),
            "incoming_call_offer_pref": "remote_first",
            "webrtc": "yes",
            "dtls_auto_generate_cert": "yes",
            "direct_media": "no",
            "rtp_symmetric": "yes",
            "force_rport": "yes",
            "rewrite_contact": "yes",
            "send_connected_line": "no",
            "rtp_timeout": str(_PATIENCE_S),
            "rtp_timeout_hold": "900",
            "dtmf_mode": "rfc4733",
            "inband_progress": "no",
        }
        if self._settings.mode == "managed":
            common |= {"transport": "transport-ws"}
        if self._settings.mode == "managed" and self._settings.bind != _EVERYWHERE:
            common |= {"media_address": self._settings.bind, "bind_rtp_to_media_address": "yes"}
        return common

    async def _allowed(self) -> str:
        """Opus where this Asterisk can turn it into something else."""
        if not self._codecs:
            loaded = {module.name for module in await self._client.asterisk.list_modules()}
            self._codecs = "opus,ulaw,alaw" if loaded.intersection(_OPUS) else "ulaw,alaw"
        return self._codecs

    async def _put(self, kind: str, name: str, values: Mapping[str, str]) -> None:
        fields = [{"attribute": attribute, "value": value} for attribute, value in values.items()]
        try:
            await self._client.asterisk.update_object(
                config_class="res_pjsip", object_type=kind, id=name, fields=fields
            )
        except AriError as error:
            if error.status in (403, 404):
                text = (
                    f"Asterisk keeps no {kind} in its memory ({error.said}): "
                    "give its sorcery.conf the lines of asterisk-conf/sorcery.conf, and restart it"
                )
                raise AriError(text, status=error.status, said=error.said) from error
            raise


def _caller_id(name: str, login: str) -> str:
    """A name that could break the header is left out."""
    plain = re.sub(r"[^\w .-]", "", name).strip()
    return f"{plain} <{login}>"
