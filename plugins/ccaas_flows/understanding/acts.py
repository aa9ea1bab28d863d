"""Short things that callers say whatever the business is: yes, no, again, stop, the second one. By rule, because a word or two
is too little for a classifier."""

from __future__ import annotations

import re

from ccaas.spoken.backchannels import is_backchannel
from ccaas.spoken.numbers import words

_POLITE = r"(?: please| thanks| thank you| thank you very much| then| now| mate| sir| ma'am)*"
_START = r"^(?:(?:um|uh|er|well|oh|ah|hmm|hm|okay|ok|so|and|but|hey|hello|sorry) )*"

_AFFIRM = re.compile(
    _START
    + r"(?:(?:yes|yeah|yep|yup|ya|sure|sure thing|correct|corrected|right|exactly|absolutely|definitely|certainly|of course|fine|perfect|great|ok|okay|"
    r"alright|all right|affirmative|indeed|you bet|why not|please do|please|do it|do that|go ahead|go for it|go on|book it|confirm|confirmed|"
    r"sounds (?:good|great|fine|right|perfect|okay|ok)|"
    r"(?:that's|that is|it's|it is|this is|you're|you are) (?:the one|right|correct|fine|it|good|great|okay|ok|perfect|true|exactly right|all right|absolutely right)|"
    r"that (?:works|works for me|would be (?:great|fine|good|perfect|lovely)|sounds (?:good|great|fine|right|perfect))|"
    r"i (?:do|am|would|did|have|can|will|agree|think so|guess so|suppose so|believe so)|it (?:is|does|was)|let's (?:do (?:it|that)|go)|"
    r"that'll (?:work|do)|works for me|i'm (?:fine|okay|good|happy) with (?:that|it)|no problem|very good|by all means|"
    r"i'd (?:like|love) (?:that|to)|yes i (?:do|would|am|did|can)|book (?:that|it)|make (?:the change|it so)|with pleasure) ?)+"
    + _POLITE
    + "$"
)
_DENY = re.compile(
    _START
    + r"(?:(?:no|nope|nah|no way|never|negative|not really|not at all|not now|not yet|not today|not quite|not exactly|absolutely not|"
    r"definitely not|certainly not|of course not|i don't think so|i'd rather not|i would rather not|rather not|don't|do not|please don't|"
    r"don't do (?:it|that)|i (?:don't|do not|can't|wouldn't|won't|didn't|am not|haven't)|it (?:isn't|is not|doesn't|wasn't)|i'm not|"
    r"i'm afraid not|i don't want (?:that|it|to)|that (?:doesn't|won't) work(?: for me)?|neither|none|none of (?:them|those|these)|no good|"
    r"i'm (?:good|okay|fine|all set)|not (?:for me|interested|necessary|that one)|no need|i (?:don't|do not) (?:need|want) (?:it|that|any|one)) ?)+"
    + _POLITE
    + "$"
)
_REPEAT = re.compile(
    r"\b(?:say|repeat|tell me|read|give me|play|explain) (?:that|it|this|me that|the \w+|all that|everything)?(?: ?(?:back|to me|for me))? ?(?:again|once more|one more time|please)\b|"
    r"\b(?:repeat|come again|one more time|once more|pardon|what was that|what's that|say again|again please|run that by me)\b|"
    r"\bwhat did you (?:just )?say\b|\b(?:didn't|did not|couldn't|can't) (?:hear|catch|get|understand|make out)(?: (?:that|you|it|what))?\b|"
    r"\b(?:can|could|would) you (?:please )?(?:go (?:back|over (?:that|it))|repeat|say)\b|\bgo back\b|\bmissed (?:that|it|what)\b|"
    r"^(?:sorry |excuse me |i'm sorry )*(?:what|huh|sorry|excuse me|again|i beg your pardon|beg your pardon)$|\bspeak up\b|\bslow(?:er| down)\b"
)
_STOP = re.compile(
    _START
    + r"(?:(?:wait|stop|hold on|hang on|hold up|shut up|quiet|be quiet|enough|hush|no|just|please|talking|that|one|a|give|me|"
    r"second|sec|minute|moment|here|there|it|for|let me|for a|all right|alright|okay|ok|already|i|heard|you|got|understood|that's)(?: |$))+$"
)
_STOP_WORD = re.compile(
    r"\b(?:wait|stop|hold on|hang on|hold up|shut up|quiet|enough|one (?:second|moment|minute|sec)|a (?:second|moment|minute|sec)|i heard you|"
    r"i heard that|i got it already)\b"
)
_STOP_ERRAND = re.compile(
    r"^(?:\w+ )?(?:hang on|hold on|wait|one (?:second|moment|minute|sec)|just a (?:second|moment|minute|sec)|give me a (?:second|moment|minute|sec)).{0,12}"
    r"\b(?:i (?:need|have|want|must|gotta|got) to|let me|i'm (?:looking|getting|trying|just)|while i|someone|somebody|i'll)\b"
)
_CORRECT = re.compile(
    _START
    + r"(?:(?:no|nope|wait|stop|hold on|hang on|a|second|sec|moment|minute|one|sorry|actually|oh|hey|excuse me|just|i mean|listen) )*"
    r"(?:(?:i|we) (?:said|meant|mean|asked for|told you|wanted|want)\b|that's (?:wrong|not (?:right|correct|it|what|true))|that is (?:wrong|not)|"
    r"that isn't|that wasn't|(?:it's|it is|it was|it should be|should be|that should be) (?:not |supposed )?|not \w+|make (?:that|it)\b|wrong\b|"
    r"you (?:got|have|misheard|misunderstood)|change (?:that|it) to|let's (?:make|say)|you're wrong|incorrect)"
)
_CORRECT_CUE = re.compile(
    r"^(?:\w+ ){0,2}?(?:no|wait|actually|hold on|hang on|sorry|stop|i (?:said|meant)|that's (?:wrong|not)|that is (?:wrong|not)|wrong|incorrect|make (?:that|it)|not)\b"
)
_UNSURE = re.compile(
    _START
    + r"(?:i'm (?:not|un)(?: really| quite| so| too)? ?(?:sure|certain)|i am not (?:sure|certain)|not (?:so |too |really )?(?:sure|certain)|"
    r"i (?:really )?(?:don't|do not) (?:really )?(?:know|remember|recall)|"
    r"(?:i have )?no idea|no clue|i have no (?:idea|clue)|maybe|perhaps|hard to say|it depends|dunno|i can't (?:remember|say|decide|tell)|who knows|possibly|"
    r"i haven't decided|i'd have to (?:check|think|look)|let me think|good question)\b"
)
_HUMAN = re.compile(
    _START
    + r"(?:an? |the |real |live |human |to )*(?:operator|agent|representative|human|person|human being|supervisor|manager|customer service|"
    r"reception|receptionist|somebody real|someone real|advisor|adviser|associate|rep)" + _POLITE + "$"
)
_HUMAN_INSIDE = re.compile(
    r"\b(?:talk|speak|chat) (?:to|with) (?:somebody|someone|anybody|anyone|a (?:person|human|colleague|manager|supervisor))\b|"
    r"\b(?:get|give|want|need|like|speak|talk|talking|put|connect|transfer|pass|hand|find)\b.{0,30}\b(?:agent|human|real person|person|representative|"
    r"(?:somebody|someone|anyone|anybody) (?:in|from|at) (?:the |your )?(?:\w+ ){0,3}(?:department|team|office|desk|section|division)|"
    r"supervisor|manager|operator|someone real|somebody real|live person|human being|live agent|staff member|real human|team member)\b"
)
_GOODBYE = re.compile(
    r"\b(?:goodbye|good bye|bye|bye bye|farewell|see you|talk to you later|take care|have a (?:nice|good|great|lovely|wonderful|pleasant) "
    r"(?:day|one|evening|night|weekend|afternoon|time|rest)|that's (?:all|it|everything)|that is all|that was (?:all|everything|it)|"
    r"that'll be all|that will be all|nothing else|nothing more|all set|all done|i'm done|call (?:you )?back (?:later|tomorrow|again|on|in|next|another))\b"
)
_LATER = re.compile(
    r"\b(?:let me think|(?:i'll|i will|i'd like to|i'd rather|i have to|i need to|i want to|i must|we'll|we have to|we need to) (?:first )?"
    r"(?:think|sleep on|talk (?:it over|to my|with my)|speak (?:to|with) my|ask my|check with my)|"
    r"(?:i'll|i will|i can|can i|let me|i'd rather|we'll) (?:just )?(?:call|ring|phone|text|write|message|get|come|be) (?:you )?(?:back|again)|"
    r"(?:i'll|i will|i'd rather|let's|can we|we'll) (?:do|decide|finish|sort|settle|talk about) (?:it|that|this)? ?(?:later|tomorrow|another time|some other time|next week)|"
    r"(?:maybe|perhaps) (?:later|tomorrow|another time|some other time)|(?:another|some other) time|need (?:some |more )?time to think)\b"
)
_NOT_NOW = re.compile(
    _START
    + r"(?:no |maybe |perhaps )*(?:not (?:right )?now|not yet|not today|later on|i'm still thinking|still thinking)(?: maybe later)?"
    + _POLITE
    + "$"
)
_SELECT = re.compile(
    _START + r"(?:(?:i'll|i would|i'd|i'll have to|let's|let me|i|we'll|yes|yeah|maybe|probably|definitely|then|give me|go|take|like|want|prefer|choose|have|with|for|"
    r"pick|the|that|number|option|choice|to|book) )*"
    r"(?:(?P<ordinal>first|second|third|fourth|fifth|last|1st|2nd|3rd|4th|5th|former|latter)(?: (?:one|option|flight|choice|of those|of them|of the two|of these|seat|time))?"
    r"|(?:number|option|choice) (?P<number>one|two|three|four|five|1|2|3|4|5)|(?P<relative>earlier|later|cheaper|cheapest|earliest|latest|other|middle|next|previous|direct|nonstop) (?:one|option|flight|choice|seat))"
    + _POLITE
    + "$"
)  # fmt: skip
_ORDINALS = {
    "first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5", "1st": "1", "2nd": "2", "3rd": "3", "4th": "4", "5th": "5",
    "last": "-1", "former": "1", "latter": "-1", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5",
}  # fmt: skip
_FIRMLY_YES = re.compile(
    r"^sure\b|^yeah sure\b|\b(?:yes|correct|sounds|that's fine|that works|absolutely|definitely|exactly|that's right|go ahead|please|of course|perfect|do it|confirm)\b"
)


def plain(text: str) -> str:
    """Lower-case words with single spaces."""
    return " ".join(w.text for w in words(text))


def selected(text: str) -> str:
    """Which of several was chosen: "1", "2", …, "-1" for the last; "earlier"-like words as they are; empty when none."""
    match = _SELECT.match(plain(text))
    if not match:
        return ""
    if match["ordinal"] or match["number"]:
        return _ORDINALS.get(match["ordinal"] or match["number"], match["number"] or "")
    return match["relative"]


def is_affirm(text: str) -> bool:
    """Whether `text` is a yes and nothing else."""
    return bool(_AFFIRM.match(plain(text)))


def is_deny(text: str) -> bool:
    """Whether `text` is a no and nothing else."""
    return bool(_DENY.match(plain(text)))


def is_later(text: str) -> bool:
    """Whether the caller puts it off: "let me think about it", "not now, I'll call back"."""
    said = plain(text)
    return len(said.split()) <= 16 and bool(_NOT_NOW.match(said) or _LATER.search(said))


def is_goodbye(text: str) -> bool:
    """Whether the words take leave, beyond announcing another call."""
    return bool(
        re.search(
            r"\b(?:goodbye|good bye|bye|see you|talk to you later|take care|have a \w+ (?:day|evening|night|weekend))\b",
            plain(text),
        )
    )


_LEAD = re.compile(_START + r"(yes|yeah|yep|yup|sure|correct|right|no|nope|nah|not)\b")


def beyond_answer(text: str) -> str:
    """What is said behind the yes or no that a sentence begins with; all of it when it is nothing else, or begins otherwise."""
    match = _LEAD.match(plain(text))
    ws = words(text)
    lead = len(match[0].split()) if match else 0
    return text if is_affirm(text) or is_deny(text) or not 0 < lead < len(ws) else text[ws[lead].start :]


def leading_answer(text: str) -> str:
    """ "affirm" or "deny" when a longer answer begins with one ("yes, and …", "no, Friday"); empty otherwise."""
    match = _LEAD.match(plain(text))
    if not match:
        return ""
    return "deny" if match[1] in {"no", "nope", "nah", "not"} else "affirm"


def act(text: str, asked_yes_no: bool = False) -> str:
    """The act as an intent name, or empty when the words say more than an act."""
    said = plain(text)
    if not said:
        return ""
    if is_backchannel(text) and not asked_yes_no and not _FIRMLY_YES.search(said):
        return "backchannel"
    if asked_yes_no and is_backchannel(text):
        return "affirm"
    if _SELECT.match(said):
        return "select"
    if _HUMAN.match(said) or (
        _HUMAN_INSIDE.search(said) and not re.search(r"\b(last|other|first|previous) (?:agent|person)\b", said)
    ):
        return "human"
    if _DENY.match(said):
        return "deny"
    if _AFFIRM.match(said):
        return "affirm"
    if _UNSURE.match(said) and len(said.split()) <= 8:
        return "unsure"
    if (
        _GOODBYE.search(said)
        and len(said.split()) <= 14
        and not re.search(r"\b(what|where|when|how|change|refund|need to)\b", said)
    ):
        return "goodbye"
    if len(said.split()) <= 12 and _REPEAT.search(said):
        return "repeat"
    if (_STOP.match(said) and _STOP_WORD.search(said)) or _STOP_ERRAND.search(said):
        return "stop"
    if len(said.split()) <= 12 and _CORRECT_CUE.search(said) and _CORRECT.match(said):
        return "correct"
    return ""
