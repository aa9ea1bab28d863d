"""What a person can dial once an installation is up."""

from __future__ import annotations

from ccaas.asterisk.folder import RunFolder
from ccaas.asterisk.secrets import made_for
from ccaas.config.configuration import Configuration
from ccaas.config.settings import CcaasSettings


def what_to_dial(configuration: Configuration) -> list[str]:
    """Lines for the terminal; of an external Asterisk only its admin knows the numbers."""
    settings = configuration.settings
    asterisk = settings.asterisk
    if asterisk.mode != "managed":
        return _from_a_browser(settings)
    address = asterisk.bind if asterisk.sip.udp == 5060 else f"{asterisk.bind}:{asterisk.sip.udp}"
    lines = [
        f"  sip:{'1000' if number == '*' else number}@{address}  {'(or any other number) ' if number == '*' else ''}→ {name}"
        for name, entry in settings.entries.items()
        for number in entry.numbers
    ]
    secrets = RunFolder(configuration.site.state_dir / "asterisk").secrets
    lines += [f"  {name} may register at {address}; its password is in {secrets}" for name in made_for(asterisk)]
    first = 'When it says "ready for calls", dial from a SIP phone on this machine (UDP):'
    return [first, *lines, *_from_a_browser(settings)]


def _from_a_browser(settings: CcaasSettings) -> list[str]:
    """Where the caller's page is, where there is one."""
    desk = settings.web.desk
    if desk is None or not desk.call.enabled:
        return []
    site = desk.address or f"{'https' if desk.tls else 'http'}://{desk.bind}:{desk.port}"
    return [f"Or call from a browser: {site}/call"]
