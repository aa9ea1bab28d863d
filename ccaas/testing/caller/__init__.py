"""A scriptable SIP caller whose sent and received audio stand on one clock, to the sample.

Signalling is PJSIP's, in a child process; the audio does not go through it. Its frame callbacks stand behind a jitter
buffer and a clock of its own, so a latency read from them has an unknown, drifting part. Instead the session
descriptions name a socket of ours: the child sends every 20 ms by CLOCK_MONOTONIC and keeps the instant of each send, and
takes each packet's arrival from the kernel's own receive stamp, which a busy machine does not delay. `timeline` lays both
out: a packet's first sample stands at its instant. A real phone adds its packet length (20 ms) and its jitter buffer.

Held against known delays (tests/unit/test_caller_ruler.py, and Asterisk's Echo()): an echo of 200 ms measured 200.4 to
201.0 ms, of which its own timer is up to 1 ms, and Echo() 0.1 to 0.5 ms, in PCMU, PCMA and G722 alike.

async with SipCaller("127.0.0.1", 5060) as ua:
    call = await ua.dial("1000", codec="PCMU", from_number="+16175550142")
    await call.answered()
    greeting = await call.hear()
    await call.say("hello.wav")
    await call.hang_up()
    call.stereo().save(Path("call.wav"))
"""

from ccaas.testing.caller.call import Call, CallEnd, CallFailed, Key, Stereo, Utterance
from ccaas.testing.caller.ears import Ears, Heard
from ccaas.testing.caller.ua import CallerError, SipCaller, Text, number_of

__all__ = [
    "Call",
    "CallEnd",
    "CallFailed",
    "CallerError",
    "Ears",
    "Heard",
    "Key",
    "SipCaller",
    "Stereo",
    "Text",
    "Utterance",
    "number_of",
]
