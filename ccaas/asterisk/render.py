"""From the settings to Asterisk's configuration files."""

from __future__ import annotations

import re
import resource
import socket
from collections.abc import Mapping
from pathlib import Path

from ccaas.asterisk.folder import RunFolder
from ccaas.asterisk.music import write_music
from ccaas.asterisk.secrets import MANAGED_USER, Secrets
from ccaas.config.asterisk import AsteriskSettings, Phone, Trunk
from ccaas.debian import Prefix
from ccaas.errors import AsteriskError

PARTS = ("pjsip-anonymous.conf", "pjsip-phone.conf", "pjsip-trunk.conf")
"""Templates that become sections of pjsip.conf instead of files of their own."""

UNUSED = (
    *("acl.conf", "ccss.conf", "features.conf", "pjproject.conf", "queuerules.conf", "udptl.conf"),
    "websocket_client.conf",
)
"""Files that may be empty but whose absence Asterisk logs as an error."""

PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8")
"""Networks to which the machine's own address is told, not the public one."""

OPEN_FILES_PER_CALL = 16
"""Sockets of a call with RTP, a media WebSocket, a bridge and recordings, doubled."""

OPEN_FILES_LIMIT = 65_536


def shipped(folder: str) -> Path:
    """`asterisk-conf` or `dialplans`: beside the package in a checkout, inside it when installed."""
    package = Path(__file__).parents[1]
    beside, inside = package.parent / folder, package / "shipped" / folder
    return beside if beside.is_dir() else inside


def fill(template: str, values: Mapping[str, str]) -> str:
    """Replace each `{{name}}`. A value can never add a line that its template does not have, unless it is a section.

    Raises:
        KeyError: a name that has no value.
    """
    return re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], template)


def open_files(settings: AsteriskSettings) -> int:
    """Descriptors for the calls that the settings allow, as far as the hard limit goes."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = min(max(4096, settings.max_calls * OPEN_FILES_PER_CALL), OPEN_FILES_LIMIT)
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def render(
    settings: AsteriskSettings, secrets: Secrets, folder: RunFolder, prefix: Prefix, *, base: Path = Path()
) -> dict[str, str]:
    """All files of `etc/`, by name. Reads templates and the admin's dialplan files; writes nothing.

    Args:
        settings: the YAML's `asterisk:` section.
        secrets: passwords of this installation.
        folder: where Asterisk will live.
        prefix: where Asterisk was unpacked.
        base: folder from which paths in the settings start.

    Raises:
        AsteriskError: a dialplan file cannot be read.
    """
    templates = {
        path.name: path.read_text(encoding="utf-8") for path in sorted(shipped("asterisk-conf").glob("*.conf"))
    }
    dialplans = {path.name: path.read_text(encoding="utf-8") for path in sorted(shipped("dialplans").glob("*.conf"))}
    parts = {name: templates.pop(name) for name in PARTS}
    for number, path in enumerate(settings.dialplan_files):
        dialplans[f"site-{number}-{path.name}"] = _site_dialplan(base / path)
    values = {
        **_places(settings, folder, prefix),
        **_network(settings, base),
        **_features(settings, prefix),
        "ari_user": MANAGED_USER,
        "ari_password": secrets.ari,
        "endpoints": "\n".join(_endpoints(settings, secrets, parts)),
        "includes": "\n".join(f"#include dialplans/{name}" for name in dialplans),
    }
    files = {name: fill(text, values) for name, text in templates.items()}
    files.update(dict.fromkeys(UNUSED, "; Nothing is set here: the defaults are right.\n"))
    files.update({f"dialplans/{name}": text for name, text in dialplans.items()})
    return files


def write(folder: RunFolder, files: Mapping[str, str]) -> None:
    """Make the folder and put the files into its `etc/`, readable by their owner alone."""
    folder.make()
    (folder.etc / "dialplans").mkdir(exist_ok=True)
    for stale in folder.etc.rglob("*.conf"):
        if str(stale.relative_to(folder.etc)) not in files:
            stale.unlink()
    for name, text in files.items():
        target = folder.etc / name
        partial = target.with_name(f".{target.name}.partial")
        partial.touch(mode=0o600)
        partial.write_text(text, encoding="utf-8")
        partial.replace(target)
    music = folder.path / "moh/hold.wav"
    if not music.exists():
        write_music(music)


def changed(folder: RunFolder, files: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the files that stand otherwise in `etc/`."""
    return tuple(name for name, text in files.items() if not _same(folder.etc / name, text))


def _same(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="utf-8") == text
    except FileNotFoundError:
        return False


def _site_dialplan(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise AsteriskError(
            f"asterisk.dialplan_files: {path} cannot be read ({error.strerror}); correct the path"
        ) from None


def _places(settings: AsteriskSettings, folder: RunFolder, prefix: Prefix) -> dict[str, str]:
    return {
        "folder": str(folder.path),
        "socket_folder": str(folder.sockets),
        "modules": str(prefix.library_dir / "asterisk/modules"),
        "data": str(folder.data),
        "open_files": str(open_files(settings)),
        "session_limit": str(settings.max_calls * 4 + 100),
    }


def _network(settings: AsteriskSettings, base: Path) -> dict[str, str]:
    transports, tls = [], ""
    if settings.sip.websocket:
        transports.append("; The address is http.conf's; pjsip wants a line all the same.\n[transport-ws]")
        transports.append(f"type = transport\nprotocol = ws\nbind = {settings.bind}:{settings.http_port}\n")
    if settings.tls is not None:
        certificate, key = base / settings.tls.certificate, base / settings.tls.key
        transports.append(
            f"[transport-tls]\ntype = transport\nprotocol = tls\nbind = {settings.bind}:{settings.tls.sip}"
        )
        transports.append(f"cert_file = {certificate}\npriv_key_file = {key}\nmethod = tlsv1_2\n")
        transports.append(
            f"[transport-wss]\ntype = transport\nprotocol = wss\nbind = {settings.bind}:{settings.tls.https}\n"
        )
        tls = f"tlsenable = yes\ntlsbindaddr = {settings.bind}:{settings.tls.https}\n"
        tls += f"tlscertfile = {certificate}\ntlsprivatekey = {key}"
    everywhere = settings.bind == "0.0.0.0"  # noqa: S104  (compared, not bound)
    media = "bind_rtp_to_media_address = no"
    if not everywhere:
        media = f"media_address = {settings.bind}\nbind_rtp_to_media_address = yes"
    return {
        "bind": settings.bind,
        "media_address": media,
        "sip_udp": str(settings.sip.udp),
        "sip_tcp": str(settings.sip.tcp),
        "http_port": str(settings.http_port),
        "rtp_first": str(settings.rtp.first),
        "rtp_last": str(settings.rtp.last),
        "transports": "\n".join(transports),
        "tls": tls,
        "outside": _outside(settings),
        "ice_host_candidates": _ice_host_candidates(settings),
    }


def _outside(settings: AsteriskSettings) -> str:
    """What a transport says to peers that are not on a network of its own."""
    public = settings.public_address
    if public is None:
        return "; No router stands between this machine and its callers."
    networks = "\n".join(f"local_net = {network}" for network in PRIVATE)
    return f"external_media_address = {public}\nexternal_signaling_address = {public}\n{networks}"


def _ice_host_candidates(settings: AsteriskSettings) -> str:
    host = _host_address()
    if settings.public_address is not None:
        local = host if settings.bind == "0.0.0.0" else settings.bind  # noqa: S104  (compared, not bound)
        return f"; Browsers outside reach the one, those inside the other.\n{local} => {settings.public_address},include_local_address"
    if not settings.bind.startswith("127.") or not host:
        return ""
    return f"; A loopback address is never offered to browsers by itself.\n{host} => {settings.bind}"


def _host_address() -> str:
    """The address that the machine would send from; nothing is sent. Empty without a route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return ""
        return str(probe.getsockname()[0])


def _features(settings: AsteriskSettings, prefix: Prefix) -> dict[str, str]:
    opus = (prefix.library_dir / "asterisk/modules/codec_opus_open_source.so").is_file()
    return {
        "verbose": "0",
        "log_levels": "notice,warning,error",
        "load_opus": "load = codec_opus_open_source.so" if opus else "; no Opus in this build",
        "load_cdr": "load = cdr_csv.so" if settings.cdr else "; no CDR",
        "load_cel": "load = res_cdrel_custom.so\nload = cel_custom.so" if settings.cel else "; no CEL",
        "cdr": "yes" if settings.cdr else "no",
        "cel": "yes" if settings.cel else "no",
        "opus": ",opus" if opus else "",
        "queue_seconds": str(settings.fallback.wait_s),
        "message_s": str(settings.fallback.message_s),
        "members": "\n".join(f"member => PJSIP/{name}" for name in settings.fallback.ring),
        "test_include": "include => ccaas-test" if settings.test_extensions else "",
    }


def _endpoints(settings: AsteriskSettings, secrets: Secrets, parts: Mapping[str, str]) -> list[str]:
    sections = []
    if settings.sip.anonymous:
        sections.append(fill(parts["pjsip-anonymous.conf"], {"opus": ",opus"}))
    sections += [fill(parts["pjsip-phone.conf"], _phone(phone, secrets)) for phone in settings.phones]
    sections += [fill(parts["pjsip-trunk.conf"], _trunk(trunk)) for trunk in settings.trunks]
    return sections


def _phone(phone: Phone, secrets: Secrets) -> dict[str, str]:
    codecs = phone.codecs if not phone.webrtc or "opus" in phone.codecs else ("opus", *phone.codecs)
    return {
        "name": phone.name,
        "codecs": ",".join(codecs),
        "password": phone.password or secrets.phones[phone.name],
        "caller_id": f"callerid = {phone.caller_id}" if phone.caller_id else "",
        "webrtc": "webrtc = yes\ndtls_auto_generate_cert = yes" if phone.webrtc else "",
    }


def _trunk(trunk: Trunk) -> dict[str, str]:
    auth = (
        f"[{trunk.name}]\ntype = auth\nauth_type = userpass\nusername = {trunk.user}\npassword = {trunk.password or ''}"
    )
    return {
        "name": trunk.name,
        "codecs": ",".join(trunk.codecs),
        "host": trunk.host,
        "matches": "\n".join(f"match = {network}" for network in trunk.from_addresses),
        "auth": auth if trunk.user else "",
        "outbound_auth": f"outbound_auth = {trunk.name}" if trunk.user else "",
    }
