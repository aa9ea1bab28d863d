"""The one change that is made to the SIP stack's session descriptions: the audio goes to a socket of ours."""

from __future__ import annotations

import re


def redirect_audio(sdp: str, port: int, codecs: tuple[str, ...]) -> str:
    """The description with its audio at our `port`, and of the codecs only those named (all of them when none is).

    Telephone events stay. `codecs` are encoding names ("PCMU"), and their order becomes the order of preference.
    """
    names = {number: name.upper() for number, name in re.findall(r"^a=rtpmap:(\d+) ([^/\s]+)", sdp, re.MULTILINE)}
    names |= {number: name for number, name in (("0", "PCMU"), ("8", "PCMA"), ("9", "G722")) if number not in names}
    lines: list[str] = []
    kept: set[str] | None = None
    for given in sdp.split("\r\n"):
        line = given
        if line.startswith("m=audio "):
            kind, _port, transport, *formats = line.split(" ")
            if codecs:
                wanted = [f for codec in codecs for f in formats if names.get(f) == codec.upper()]
                formats = wanted + [f for f in formats if names.get(f) == "TELEPHONE-EVENT"]
            kept = set(formats)
            line = " ".join((kind, str(port), transport, *formats))
        about = re.match(r"a=(?:rtpmap|fmtp):(\d+) ", line)
        if line.startswith("a=rtcp:") or (about and kept is not None and about[1] not in kept):
            continue
        lines.append(line)
    return "\r\n".join(lines)
