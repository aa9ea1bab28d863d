"""Understands that somebody wants to hear no more from us, said or written. Pure, and English; the YAML adds other words.

What only limits ("don't call me before nine") or names somebody else ("stop calling my boss") is not taken for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ccaas.messaging.keywords import Keyword, keyword_of

_DO = r"(?:call|phone|ring|text|messag|writ|e-?mail|mail|contact|bother|spam|pester)"
_DOING = rf"{_DO}(?:l?ing|e?ing)"
_ONES = r"(?:calls?|phone calls?|texts?|messages?|e-?mails?|mails?|advertising|ads)"
_US = r"(?:me|us|this number|my (?:number|phone|cell|mobile|house|home))"
_AGAIN = r"(?:again|any ?more|ever(?: again)?|from now on|please|okay|ok|right now|now|at all|altogether)"
_END = rf"(?=(?:[\s,]+{_AGAIN})*[\s,]*(?:[.!?;\n]|$))"
"""Nothing follows that limits it."""
_LISTS = r"(?:(?:\w+[- ]){0,3}lists?|database|records|system)"
_WISHES = (
    rf"\b(?:stop|quit) {_DOING}(?: to)? {_US}\b{_END}",
    rf"\b(?:do not|don'?t|never|please never)(?: you)?(?: ever)? {_DO}e?(?: to)? {_US}\b{_END}",
    rf"(?<!don't )(?<!dont )(?<!not )(?<!never )\b(?:take|remove|delete|get|scratch|strike) {_US}(?: name| address)? (?:off|from|out of)"
    rf" (?:of )?(?:your|the|this|that|all|any) {_LISTS}\b",
    r"\b(?:put|add) (?:me|us|this number|my number) (?:on|to) (?:your|the) (?:do[- ]not[- ](?:call|contact)|no[- ]call) list\b",
    rf"\b(?:do not|don'?t) want (?:to (?:get|receive|have) )?(?:any ?more |any |your |these |more |further )?(?:\w+ )?{_ONES}\b"
    rf"(?: from you)?{_END}",
    rf"\b(?:do not|don'?t) want to (?:be (?:called|phoned|texted|contacted|e-?mailed|bothered)|hear from you)\b{_END}",
    rf"(?:^|[.!?;,\n]\s*|please )no more {_ONES}\b(?: from you)?{_END}",
    r"\b(?:unsubscribe me|opt me out|sign me out of (?:this|your) list)\b",
    r"\b(?:want|like|wish) to (?:unsubscribe|opt out)\b",
    r"\bi (?:hereby )?(?:revoke|withdraw) my consent\b",
)
_WISH = re.compile("|".join(_WISHES), re.IGNORECASE)
_WRITTEN = frozenset({"stop", "stop all", "stopall", "unsubscribe", "opt out", "optout"})
"""Words that mean it where they are all that stands in a line; the network's other ones (CANCEL, END, QUIT) mean something
else in a conversation."""


def wants_no_more(text: str, channel: str, phrases: Sequence[str] = ()) -> bool:
    """Whether these words say it. `channel`: "voice" or a text channel's kind, where a lone STOP counts too; `phrases`:
    further words, anywhere in it."""
    plain = text.replace("’", "'")
    if _WISH.search(" ".join(plain.split(" "))):
        return True
    folded = plain.casefold()
    if any(phrase.casefold() in folded for phrase in phrases):
        return True
    return channel != "voice" and any(_is_stop(line) for line in plain.splitlines())


def _is_stop(line: str) -> bool:
    words = " ".join("".join(letter if letter.isalnum() else " " for letter in line.casefold()).split())
    return words in _WRITTEN and keyword_of(line) is Keyword.STOP
