"""From the settings to Asterisk's files."""

from __future__ import annotations

import re
import stat
import wave
from pathlib import Path
from typing import Any

import pytest

from ccaas.asterisk import render
from ccaas.asterisk.folder import RunFolder
from ccaas.asterisk.secrets import Secrets
from ccaas.config.asterisk import AsteriskSettings
from ccaas.debian import Prefix
from ccaas.errors import AsteriskError

SECRETS = Secrets("ari-secret", {"6001": "phone-secret", "web": "web-secret"})


def rendered(folder: Path, **section: Any) -> dict[str, str]:
    settings = AsteriskSettings.model_validate(section)
    return render.render(settings, SECRETS, RunFolder(folder), Prefix(folder / "prefix"), base=folder)


def sections(text: str, name: str) -> str:
    """The bodies of all sections of that name, comments left out."""
    bodies = re.findall(rf"^\[{re.escape(name)}\][^\n]*\n(.*?)(?=^\[|\Z)", text, re.DOTALL | re.MULTILINE)
    return "\n".join(line for line in "\n".join(bodies).splitlines() if line and not line.startswith(";"))


def test_nothing_is_left_to_fill_in(tmp_path: Path) -> None:
    files = rendered(
        tmp_path, phones=[{"name": "6001"}], trunks=[{"name": "t", "host": "h", "from_addresses": ["192.0.2.1"]}]
    )
    assert [name for name, text in files.items() if "{{" in text] == []


def test_an_unknown_blank_is_an_error() -> None:
    with pytest.raises(KeyError, match="colour"):
        render.fill("paint = {{colour}}", {})


def test_ari_listens_on_loopback_whatever_sip_does(tmp_path: Path) -> None:
    files = rendered(tmp_path, bind="192.0.2.7", http_port=18088)
    assert "bindaddr = 127.0.0.1\n" in files["http.conf"]
    assert "bind = 192.0.2.7:5060" in files["pjsip.conf"]
    assert "password = ari-secret" in files["ari.conf"]


def test_a_phone(tmp_path: Path) -> None:
    pjsip = rendered(tmp_path, phones=[{"name": "6001", "codecs": ["g722", "ulaw"], "caller_id": "Al <+1555>"}])[
        "pjsip.conf"
    ]
    phone = sections(pjsip, "6001")
    for line in ("allow = g722,ulaw", "password = phone-secret", "callerid = Al <+1555>", "max_contacts = 3"):
        assert line in phone


def test_a_browser_phone_gets_encryption_and_opus(tmp_path: Path) -> None:
    phone = sections(rendered(tmp_path, phones=[{"name": "web", "webrtc": True}])["pjsip.conf"], "web")
    assert "webrtc = yes" in phone
    assert "allow = opus,ulaw,alaw,g722" in phone


def test_a_trunk_with_and_without_credentials(tmp_path: Path) -> None:
    trunk = {"name": "carrier", "host": "sip.example:5070", "from_addresses": ["192.0.2.0/24", "198.51.100.1"]}
    plain = sections(rendered(tmp_path, trunks=[trunk])["pjsip.conf"], "carrier")
    assert "contact = sip:sip.example:5070" in plain
    assert "match = 192.0.2.0/24\nmatch = 198.51.100.1/32" in plain
    assert "auth" not in plain
    known = sections(rendered(tmp_path, trunks=[{**trunk, "user": "u", "password": "p"}])["pjsip.conf"], "carrier")
    assert "outbound_auth = carrier" in known
    assert "username = u\npassword = p" in known


def test_anonymous_callers_come_from_this_machine_or_not_at_all(tmp_path: Path) -> None:
    anonymous = sections(rendered(tmp_path, bind="0.0.0.0")["pjsip.conf"], "anonymous")
    assert "deny = 0.0.0.0/0.0.0.0\npermit = 127.0.0.0/255.0.0.0" in anonymous
    assert sections(rendered(tmp_path, sip={"anonymous": False})["pjsip.conf"], "anonymous") == ""


def test_all_interfaces_is_no_address_for_audio(tmp_path: Path) -> None:
    common = sections(rendered(tmp_path, bind="0.0.0.0")["pjsip.conf"], "endpoint-common")
    assert "media_address =" not in common.replace("bind_rtp_to_media_address =", "")
    assert "bind_rtp_to_media_address = no" in common


def test_calls_go_to_the_controller_and_are_caught_without_it(tmp_path: Path) -> None:
    files = rendered(tmp_path)
    assert "Stasis(ccaas,inbound,${EXTEN})" in files["dialplans/offer.conf"]
    assert '"${STASISSTATUS}" = "FAILED"]?ccaas-fallback' in files["dialplans/offer.conf"]
    assert "include => ccaas-test" not in files["extensions.conf"]
    assert "include => ccaas-test" in rendered(tmp_path, test_extensions=True)["extensions.conf"]


def test_the_fallback_queue_rings_the_phones_named(tmp_path: Path) -> None:
    files = rendered(tmp_path, phones=[{"name": "6001"}], fallback={"ring": ["6001"], "wait_s": 45})
    assert "member => PJSIP/6001" in files["queues.conf"]
    assert "QUEUE_SECONDS = 45" in files["extensions.conf"]


def test_a_site_s_own_dialplan_is_included(tmp_path: Path) -> None:
    (tmp_path / "mine.conf").write_text("[mine]\nexten => 1,1,Hangup()\n")
    files = rendered(tmp_path, dialplan_files=["mine.conf"])
    assert files["dialplans/site-0-mine.conf"].startswith("[mine]")
    assert "#include dialplans/site-0-mine.conf" in files["extensions.conf"]
    with pytest.raises(AsteriskError, match=r"asterisk\.dialplan_files: .*gone\.conf cannot be read"):
        rendered(tmp_path, dialplan_files=["gone.conf"])


def test_written_files_are_private_and_stale_ones_go(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    files = {"ari.conf": "one", "dialplans/offer.conf": "two"}
    assert render.changed(folder, files) == ("ari.conf", "dialplans/offer.conf")
    render.write(folder, {**files, "dialplans/old.conf": "three"})
    render.write(folder, files)
    assert render.changed(folder, files) == ()
    assert render.changed(folder, {**files, "ari.conf": "new"}) == ("ari.conf",)
    assert stat.S_IMODE((folder.etc / "ari.conf").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert sorted(p.name for p in folder.etc.rglob("*") if p.is_file()) == ["ari.conf", "offer.conf"]


def test_music_on_hold_is_quiet_telephone_audio(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    render.write(folder, {})
    with wave.open(str(folder.path / "moh/hold.wav")) as music:
        assert (music.getnchannels(), music.getsampwidth(), music.getframerate()) == (1, 2, 8000)
        samples = memoryview(music.readframes(music.getnframes())).cast("h")
    assert len(samples) == 16 * 8000
    assert 0.1 < max(samples) / 32768 < 0.13


def test_a_long_path_keeps_its_control_socket_elsewhere(tmp_path: Path) -> None:
    short, deep = RunFolder(Path("/srv/ccaas")), RunFolder(Path("/srv") / ("x" * 120))
    assert short.sockets == Path("/srv/ccaas/run")
    assert len(str(deep.sockets / "asterisk.ctl")) < 100
    assert deep.sockets != RunFolder(Path("/srv") / ("y" * 120)).sockets


def test_behind_a_router_the_public_address_is_told_outside_alone(tmp_path: Path) -> None:
    files = rendered(tmp_path, bind="192.168.1.7", public_address="198.51.100.4")
    for transport in ("transport-udp", "transport-tcp"):
        section = sections(files["pjsip.conf"], transport)
        assert "external_media_address = 198.51.100.4" in section
        assert "external_signaling_address = 198.51.100.4" in section
        assert "local_net = 192.168.0.0/16" in section
    assert "192.168.1.7 => 198.51.100.4,include_local_address" in files["rtp.conf"]
    assert "external_media_address" not in rendered(tmp_path)["pjsip.conf"]


def test_browsers_telephones_are_looked_up_in_memory_too(tmp_path: Path) -> None:
    lookups = rendered(tmp_path)["sorcery.conf"]
    for kind in ("endpoint", "auth", "aor"):
        assert f"{kind} = config,pjsip.conf,criteria=type={kind}\n{kind} = memory" in lookups


def test_every_module_is_loaded_once(tmp_path: Path) -> None:
    loads = re.findall(r"^load = (\S+)$", rendered(tmp_path)["modules.conf"], re.MULTILINE)
    assert len(loads) == len(set(loads)) > 100
