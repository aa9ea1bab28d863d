"""Whether a caller's words are plainly unfinished, from the text alone and from what was asked.

The audio of a pause tells little here ("I'd like to fly to …" can sound finished); a preposition at the end tells much.
Recognisers put a full stop or a comma where the audio ends, so these are no evidence; dashes and dots of hesitation are.

This module is long because its lists of words are read beside the rules that use them.
"""

from __future__ import annotations

import re
from enum import Enum

from ccaas.ports.reasoning import Expectation, ExpectationKind
from ccaas.spoken.backchannels import is_backchannel
from ccaas.spoken.codes import coverage, parse_code, parse_digits, parse_spelling
from ccaas.spoken.dates import MONTHS, find_dates
from ccaas.spoken.numbers import ORDINAL_WORDS, TENS, UNITS, cardinal, words
from ccaas.spoken.personal import parse_birth_date
from ccaas.spoken.times import PARTS_OF_DAY, find_times


class Completeness(Enum):
    """How finished an utterance is."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    """It plainly wants more words."""
    UNSURE = "unsure"


_FILLERS = frozenset(["um", "uh", "er", "erm", "uhm", "umm", "uhh", "umph"])
_AH = "ah"
"""A filler behind other words; alone it means "I see"."""
_NAMED_ONLY = re.compile(r"(my|our|his|her|their) (\w+ )?\w+$")
"""A thing that is named and of which nothing is said yet ("my new address")."""
_ALWAYS = frozenset(
    [
        "a",
        "an",
        "the",
        "my",
        "your",
        "our",
        "their",
        "his",
        "its",
        "and",
        "or",
        "but",
        "because",
        "if",
        "than",
        "as",
        "of",
        "from",
        "into",
        "onto",
        "via",
        "per",
        "every",
        "i'm",
        "i'd",
        "i'll",
        "i've",
        "we're",
        "we'd",
        "we've",
        "you're",
        "they're",
        "he's",
        "she's",
        "it's",
        "that's",
        "there's",
        "what's",
        "where's",
        "who's",
        "let's",
        "i",
        "we",
        "he",
        "she",
        "they",
        "and/or",
        "whose",
        "is",
        "are",
        "was",
        "were",
        "am",
        "be",
        "will",
        "would",
        "could",
        "should",
        "might",
        "must",
        "shall",
        "has",
        "had",
        "having",
        "very",
        "really",
        "quite",
        "too",
        "also",
        "like",
        "between",
        "among",
        "toward",
        "towards",
        "during",
        "within",
        "without",
        "against",
        "next",
        "another",
        "these",
        "those",
        "which",
        "whether",
        "so",
        "until",
        "till",
        "unless",
        "although",
        "while",
        "since",
        "double",
        "triple",
        "treble",
        "named",
        "called",
        "spelled",
        "near",
        "under",
    ]
)
"""Words after which a sentence practically always goes on."""
_PREPOSITIONS = frozenset(
    [
        "to",
        "on",
        "in",
        "at",
        "for",
        "with",
        "by",
        "about",
        "after",
        "before",
        "over",
        "around",
        "off",
        "out",
        "up",
        "through",
    ]
)
_PHRASAL = {
    "in": "check checked log logged sign signed fill call come let",
    "out": "check checked log logged sort sorted find work fill print run sold",
    "on": "hold hang come go carry move turn turned log",
    "off": "drop dropped take took get turn turned log call went switch switched",
    "up": "pick picked sign set hang speed wrap look mixed messed screwed hurry turn turned show showed gave give came went",
    "for": "paid pay asked ask",
    "through": "put get got go went",
    "over": "start go",
    "to": "spoke spoken talked listened",
}
"""Verbs whose particle may end a sentence."""
_OBJECTS = frozenset(["it", "them", "that", "this", "me", "us"])
"""What may stand between a verb and its particle."""
_QUESTION = frozenset(["what", "which", "who", "whom", "where", "how", "whose", "what's", "who's", "where's"])
_NUMBER = "|".join((r"\d+", *UNITS, *TENS, "hundred", "thousand", "and"))
_WANTING = re.compile(
    r"\b(i|we|you|they)( just| really| also| only)? (want|need|wanted|needed)$|\b(would|i'd|we'd) (like|prefer|love)$|"
    r"\b(can|could|would|will) (you|i|we)( please| just)?$|\b(do|did|does) (you|i|we|they)( know| have)?$|"
    r"\b(trying|going|hoping|looking|wondering|calling|able|supposed)$|\b(tell|give|send|get|show|put|let) me( please)?$|"
    r"\b(my|the|your)( last| first| new| old| other)+$|"
    r"(?<!still the )(?<!is the )\bsame$|\b(new|other|whole|own|entire|next|upcoming|several|some|any|no|both of|all of|one of|most of)$|"
    rf"\b(address|house) is( ({_NUMBER}))+$|\b(in|on|at|to) there$|"  # "the" before a pause is heard as "there"
    r"\b(says|said|think|believe|guess|hope|suppose|(?<!that )(?<!this )(?<!it )mean)( that)?$|\b(to|you) know$|\bemail that$|\bkind of$|\bsort of$|\bas in$|"
    r"\b(please|then)( change| move| send| cancel| book| make| put| update)( my| the| it| me)?$|\bthat (is|was|says|my|i)$"
)  # fmt: skip
_FINISHED_SHORT = re.compile(
    r"^(yes|yeah|yep|yup|no|nope|nah|sure|correct|right|okay|ok|please|thanks|thank you|bye|goodbye|hello|hi|operator|agent|"
    r"representative|human|go ahead|not really|not yet|of course|stop|wait|cancel|repeat|repeat that|say that again|pardon|what|"
    r"sorry|help|never mind|none|both|neither|either|today|tomorrow|tonight|exactly|absolutely|definitely|hang on|hold on)$"
)
_YES_NO = re.compile(
    r"^(well |um |uh |oh |ah |actually |okay |ok )*(yes|yeah|yep|yup|ya|sure|correct|right|okay|ok|no|nope|nah|not really|not at all|"
    r"go ahead|go for it|do it|please do|sounds (good|great|fine|right)|that's (right|correct|fine|it|good|wrong|not right)|"
    r"that (works|is right|is correct|would be great)|of course|absolutely|definitely|exactly|perfect|certainly|fine|great|"
    r"i do|i don't|i would|i am|it is|it isn't|please|never mind|negative|affirmative|all right|alright|why not|uh huh|mm hmm|"
    r"i guess|i think so|i'm not sure|not sure|maybe|let's do (it|that)|book it|confirm|cancel|forget it)\b"
)


_ALONE = re.compile(
    r"^(no |okay |just )*(a |an )?(operator|agent|representative|human|person|(\w+ )?stop|wait|repeat( that| it)?|say (that|it) again|"
    r"(can|could) you (say|repeat) that( again)?|pardon( me)?|goodbye|bye|help|never mind|hang on|hold on|cancel( that| it)?|"
    r"start over|go back|that's (wrong|not right|not what i said))( please)?$"
)


def stands_alone(text: str) -> bool:
    """Whether this is one of the short commands to an agent that hardly ever go on."""
    return bool(_ALONE.match(_plain(text)))


def _plain(text: str) -> str:
    return " ".join(w.text for w in words(text))


def _trails_off(text: str) -> bool:
    tail = text.rstrip()
    return tail.endswith(("-", "–", "—", "…", "..."))


def ends(text: str) -> Completeness:
    """Whether the sentence itself is finished, whatever was asked."""
    ws = words(text)
    if not ws:
        return Completeness.UNSURE
    plain = " ".join(w.text for w in ws)
    last = ws[-1].text
    if is_backchannel(text) and last not in _FILLERS and not _trails_off(text):
        return Completeness.COMPLETE
    if _FINISHED_SHORT.match(plain) and not _trails_off(text):
        return Completeness.COMPLETE
    if _CLOSING.search(plain) and not _trails_off(text):
        return Completeness.COMPLETE
    if re.search(r"\b\d{3,4}[ap]$", plain):
        return Completeness.UNSURE  # "7:45 a" wants its "m"
    if last == "a" and ws[-1].raw == "A" and len(ws) > 1:
        return Completeness.UNSURE  # a seat or a letter, not an article
    if last in _FILLERS or (last == _AH and len(ws) > 1) or _trails_off(text) or last in _ALWAYS:
        return _except(plain, last)
    if last in _PREPOSITIONS:
        before = ws[-2].text if len(ws) > 1 else ""
        if before in _OBJECTS and len(ws) > 2:
            before = ws[-3].text
        asked = any(w.text in _QUESTION for w in ws[:-2]) and not any(w.text in {"if", "when"} for w in ws)
        finished = before in _PHRASAL.get(last, "").split()
        return Completeness.UNSURE if finished or asked else Completeness.INCOMPLETE
    if _WANTING.search(plain):
        return Completeness.INCOMPLETE
    if _YES_NO.match(plain) or _only_a_date(text):
        return Completeness.COMPLETE
    if _NAMED_ONLY.match(plain):
        return Completeness.UNSURE
    if (
        last in {"hundred", "thousand", "oh", "o"}
        or last in UNITS
        or last in TENS
        or (last.isdigit() and len(last) < 4)
    ):
        return Completeness.UNSURE
    if last in {"that", "this", "have", "do", "not", "can", "did", "does", "more", "please"}:
        return Completeness.COMPLETE if len(ws) > 2 and last == "please" else Completeness.UNSURE
    return Completeness.COMPLETE if len(ws) >= 3 else Completeness.UNSURE


_CLOSING = re.compile(
    r"\bgood by$|\b(think|hope|guess|believe|suppose) (so|not)$|\b(let you|as you|i'd let you|i don't) know$|"
    r"\b(first|second|third|fourth|last|other|that|this|which|next|earlier|later|cheaper) one$|\bto do$|\b(stop|wait)$|"
    r"\b(about|for|with|like|on|of|at|to) (this|that|it|me|us)$|\b(help|call|told|charged|cancelled) (me|us|it|that)$"
)


def _only_a_date(text: str) -> bool:
    found = find_dates(text)
    return len(found) == 1 and found[0].start == 0 and not re.search(r"\w", text[found[0].end :])


_IDIOMS = re.compile(
    r"\b(tell|know|see|check|find|ask|sure|wonder|wondering|remember)( \w+){0,2} (who|what|where|how|when|which)( (?!if\b)\w+){1,8} (is|are|was|were|am)$|"
    r"\b(who|what|where|how|when|which)( (?!if\b)\w+){1,3} (is|are|was|were|am|it's|i|we|they|he|she)$|\b(yes|no|so|there|here|yeah) (i|we|it|they|he|she) "
    r"(is|are|was|were|am|will|would|could|should|might|must|had|has)$|\b(i|we) (think|hope|guess|believe) so$|\bme too$|\b(as|so) well$|"
    r"\b(i|we|you|he|she|they|nobody|somebody|someone|who) called$|\bi'd like$|\bthank you (so|very)$|\bthat's what (i|we|it) \w+$|\b(so|as) (be|it) (is|be)$|\bwould like$|\bas it (is|was)$"
)


def _except(plain: str, last: str) -> Completeness:
    """Sentences that end in a word of `_ALWAYS` and are finished ("yes it is", "where are we")."""
    if last not in _FILLERS and _IDIOMS.search(plain) and not re.search(r"(would|i'd) like$", plain):
        return Completeness.UNSURE
    return Completeness.INCOMPLETE


_TELEPHONE = (10, 11)
"""Digits of a North American number: the eleventh can only be a 1 in front."""


def judge(text: str, expectation: Expectation) -> Completeness:
    """Whether `text` is the whole answer to what was asked."""
    sentence = ends(text)
    if not words(text):
        return Completeness.UNSURE
    kind = expectation.kind
    if kind in {ExpectationKind.CODE, ExpectationKind.DIGITS}:
        return _judge_code(text, expectation, sentence)
    if kind is ExpectationKind.SPELLING:
        return _judge_spelling(text, sentence)
    if sentence is Completeness.INCOMPLETE:
        return sentence
    answered = {
        ExpectationKind.YES_NO: _answers_yes_no,
        ExpectationKind.DATE: _answers_date,
        ExpectationKind.TIME: _answers_time,
        ExpectationKind.NUMBER: _answers_number,
        ExpectationKind.NAME: _answers_name,
    }.get(kind)
    if answered is not None:
        return answered(text, sentence)
    if kind is ExpectationKind.CHOICE and _answers_choice(text, expectation.options):
        return Completeness.COMPLETE
    return sentence


_LEAD = 3
"""So many words may stand before a spelling ("that's Kowalski")."""


def _judge_spelling(text: str, sentence: Completeness) -> Completeness:
    spelled = parse_spelling(text)
    if len(spelled) < 2 or coverage(text) < 0.5:
        # The word itself, before it is spelled, may be heard as any sentence.
        return Completeness.UNSURE if sentence is Completeness.COMPLETE and len(words(text)) <= _LEAD else sentence
    # "Kowalski, K O W A L S K I": the word itself says when it is whole.
    said = [w.text for w in words(text) if len(w.text) > 2]
    return Completeness.COMPLETE if any(word == spelled.lower() for word in said) else Completeness.UNSURE


def code_in(text: str, expectation: Expectation) -> str:
    """The characters of the code that `text` is the answer with, as far as they are there."""
    digits = expectation.kind is ExpectationKind.DIGITS
    return parse_digits(text, expectation.length) if digits else parse_code(text, expectation.length)


def _judge_code(text: str, expectation: Expectation, sentence: Completeness) -> Completeness:
    digits = expectation.kind is ExpectationKind.DIGITS
    code = code_in(text, expectation)
    if coverage(text) < 0.5:
        return sentence
    if re.search(r"\b(as in|double|triple|as|capital|dash)$", _plain(text)):
        return Completeness.INCOMPLETE
    if expectation.length is None:
        return Completeness.UNSURE
    fewest, most = expectation.length
    if len(code) < fewest:
        return Completeness.INCOMPLETE
    if digits and (fewest, most) == _TELEPHONE and len(code) == fewest and not code.startswith("1"):
        return Completeness.COMPLETE
    # More than there can be was misheard, and says nothing of how much is still to come.
    return Completeness.COMPLETE if len(code) == most else Completeness.UNSURE


def _answers_yes_no(text: str, sentence: Completeness) -> Completeness:
    return Completeness.COMPLETE if _YES_NO.match(_plain(text)) or is_backchannel(text) else sentence


def _answers_date(text: str, sentence: Completeness) -> Completeness:
    last = words(text)[-1].text
    if parse_birth_date(text) and not (last in {"nineteen", "twenty"} and coverage(text) >= 0.5):
        return Completeness.COMPLETE
    if re.search(
        r"\d|\b(oh|zero|nineteen|one|two|three|four|five|six|seven|eight|nine)\b", _plain(text)
    ) and not find_dates(text):
        return Completeness.INCOMPLETE if coverage(text) >= 0.5 else Completeness.UNSURE
    if find_dates(text):
        return Completeness.COMPLETE if last not in TENS else Completeness.UNSURE
    if last in MONTHS or last in TENS or (last in ORDINAL_WORDS and len(words(text)) == 1):
        return Completeness.INCOMPLETE if last in MONTHS or last in TENS else Completeness.UNSURE
    return sentence


def _answers_time(text: str, sentence: Completeness) -> Completeness:
    last = words(text)[-1].text
    if last in {"am", "pm", "o'clock", "noon", "midnight", *PARTS_OF_DAY}:
        return Completeness.COMPLETE
    if find_times(text) and last not in TENS:
        return Completeness.COMPLETE
    return Completeness.UNSURE if last in UNITS or last in TENS else sentence


def _answers_number(text: str, sentence: Completeness) -> Completeness:
    ws = words(text)
    got = next((g for g in (cardinal(ws, i) for i in range(len(ws))) if g), None)
    if got is None:
        return sentence
    return Completeness.UNSURE if ws[-1].text in {"hundred", "thousand", *TENS} else Completeness.COMPLETE


def _answers_name(text: str, sentence: Completeness) -> Completeness:
    rest = re.sub(
        r"^(it's|it is|my name is|my name's|the name is|name is|this is|i'm|yes|yeah|sure|uh|um|under)\b",
        "",
        _plain(text),
    )
    count = len(rest.split())
    if count == 0:
        return Completeness.INCOMPLETE
    return Completeness.COMPLETE if count >= 2 else Completeness.UNSURE


def _answers_choice(text: str, options: tuple[str, ...]) -> bool:
    plain = _plain(text)
    if re.search(r"\b(first|second|third|fourth|last|other|either|none|neither)\b( one| option)?", plain):
        return True
    return any(re.search(rf"\b{re.escape(_plain(option))}\b", plain) for option in options if _plain(option))
