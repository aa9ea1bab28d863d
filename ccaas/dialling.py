"""What a person can dial once an installation is up."""

from __future__ import annotations

from ccaas.asterisk.folder import RunFolder
from ccaas.asterisk.secrets import made_for
from ccaas.config.configuration import Configuration


def what_to_dial(configuration: Configuration) -> list[str]:
    """Lines for the terminal; none for an external Asterisk, whose numbers only its admin knows."""
    settings = configuration.settings
    asterisk = settings.asterisk
    if asterisk.mode != "managed":
        return []
    address = asterisk.bind if asterisk.sip.udp == 5060 else f"{asterisk.bind}:{asterisk.sip.udp}"
    lines = [
        f"  sip:{'1000' if number == '*' else number}@{address}  {'(or any other number) ' if number == '*' else ''}→ {name}"
        for name, entry in settings.entries.items()
        for number in entry.numbers
    ]
    secrets = RunFolder(configuration.site.state_dir / "asterisk").secrets
    lines += [f"  {name} may register at {address}; its password is in {secrets}" for name in made_for(asterisk)]
    return ['When it says "ready for calls", dial from a SIP phone on this machine (UDP):', *lines]
