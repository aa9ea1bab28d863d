"""Spoken codes: letters, digits, NATO words, "b as in boy", "double seven", in the spellings that recognisers choose.

Each spoken word gives one or more readings of what it adds to the code; the readings are then put together so that the
expected length fits. Carrier phrases ("my confirmation code is") are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product

from ccaas.spoken.numbers import TENS, UNITS, Word, cardinal, small, words

NATO = {
    w[0].upper(): w
    for w in [
        "alfa",
        "bravo",
        "charlie",
        "delta",
        "echo",
        "foxtrot",
        "golf",
        "hotel",
        "india",
        "juliett",
        "kilo",
        "lima",
        "mike",
        "november",
        "oscar",
        "papa",
        "quebec",
        "romeo",
        "sierra",
        "tango",
        "uniform",
        "victor",
        "whiskey",
        "xray",
        "yankee",
        "zulu",
    ]
}
"""The ITU/ICAO spelling alphabet: letter → word in lower case ("x-ray" without its hyphen)."""
_NATO_WORDS = {w: c for c, w in NATO.items()} | {
    "alpha": "A", "charly": "C", "juliet": "J", "juliette": "J", "whisky": "W", "foxtrott": "F", "oskar": "O", "keelo": "K",
    "leema": "L", "lema": "L", "yankees": "Y", "quebeck": "Q", "viktor": "V", "siera": "S", "zoolu": "Z",
}  # fmt: skip
_DIGITS = {w: str(v) for w, v in UNITS.items() if v < 10} | {"niner": "9", "fife": "5", "nought": "0", "naught": "0"}
_LETTERS = {
    "are": "R", "ar": "R", "you": "U", "see": "C", "sea": "C", "cee": "C", "why": "Y", "wye": "Y", "queue": "Q", "cue": "Q",
    "tea": "T", "tee": "T", "zed": "Z", "zee": "Z", "be": "B", "bee": "B", "dee": "D", "gee": "G", "jay": "J", "kay": "K",
    "el": "L", "ell": "L", "em": "M", "en": "N", "pea": "P", "pee": "P", "ess": "S", "es": "S", "vee": "V", "ex": "X",
    "eye": "I", "ay": "A", "aye": "A", "aitch": "H", "haitch": "H", "eff": "F", "ef": "F", "dubya": "W", "cay": "K", "que": "Q",
    "yu": "U", "ewe": "U", "ee": "E", "kew": "Q", "zeta": "Z", "in": "N", "and": "N", "hey": "A",
    "eggs": "X",
}  # fmt: skip
"""How recognisers write the names of letters."""
_DIGIT_HOMOPHONES = {
    "to": "2",
    "too": "2",
    "for": "4",
    "fore": "4",
    "ate": "8",
    "won": "1",
    "tree": "3",
    "or": "4",
    "sex": "6",
    "nein": "9",
}
_REPEATS = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4}
_EDGE = frozenset(_LETTERS) - {
    "zed",
    "zee",
    "aitch",
    "tee",
    "dee",
    "gee",
    "kay",
    "ess",
    "vee",
    "eff",
    "queue",
    "jay",
    "ell",
}
"""Everyday words that are letters only between others, never at the edge of a code."""
_NOT_LETTERS = frozenset(
    ["mr", "mrs", "ms", "dr", "st", "hmm", "hm", "mm", "mmm", "pm", "tv", "ok", "th", "nd", "rd", "vs"]
)
"""Short words without a vowel that are no spelled letters."""
_CARRIERS = frozenset(
    [
        "is",
        "it",
        "it's",
        "its",
        "that's",
        "code",
        "number",
        "reference",
        "booking",
        "confirmation",
        "reservation",
        "locator",
        "record",
        "my",
        "the",
        "flight",
        "ends",
        "ending",
        "in",
        "with",
        "under",
        "um",
        "uh",
        "er",
        "erm",
        "okay",
        "ok",
        "yes",
        "yeah",
        "sure",
        "so",
        "well",
        "please",
        "thanks",
        "thank",
        "sorry",
        "then",
        "name",
        "spelled",
        "phone",
        "frequent",
        "flyer",
        "card",
        "account",
        "digits",
        "digit",
        "letters",
        "letter",
        "last",
        "four",
        "first",
        "next",
        "after",
        "that",
        "dash",
        "hyphen",
        "space",
        "capital",
        "no",
        "think",
        "i'll",
        "let's",
        "birthday",
        "birth",
        "born",
        "date",
        "was",
        "and",
        "comma",
        "a",
        "an",
        "of",
        "this",
        "one",
        "mine",
        "starts",
        "member",
        "membership",
        "program",
        "id",
        "be",
        "reach",
        "me",
        "call",
        "at",
        "best",
        "cell",
        "mobile",
        "telephone",
        "can",
        "would",
        "here",
        "goes",
    ]
)


@dataclass(frozen=True, slots=True)
class _Item:
    """What one spoken thing may add to a code."""

    readings: tuple[str, ...]
    """Likeliest first; an empty string: it is no part of the code."""
    sure: bool
    """Whether it can hardly be anything else."""
    first: int
    """Index of its first word."""
    behind: int
    """Index behind its last word."""


def _at(ws: Sequence[Word], i: int) -> str:
    return ws[i].text if 0 <= i < len(ws) else ""


def _letter(ws: Sequence[Word], i: int) -> tuple[str, int] | None:
    """A letter's name of one or two words, and the index behind."""
    text = _at(ws, i)
    if text in {"double", "dublin"} and _at(ws, i + 1) in {"u", "you", "yu", "ewe", "use"}:
        return "W", i + 2
    if text == "x" and _at(ws, i + 1) == "ray":
        return "X", i + 2
    if len(text) == 1 and text.isalpha():
        return text.upper(), i + 1
    if text in _LETTERS:
        return _LETTERS[text], i + 1
    return None


def _is_example(word: str) -> bool:
    return len(word) > 2 and word not in _DIGITS


def _like(ws: Sequence[Word], i: int) -> tuple[str, int] | None:
    """ "b as in boy", "b for boy", "b like boy": the letter and the index behind. The example word decides: it is longer and so
    better heard than the letter's name."""
    j = i + 2 if _at(ws, i) == "double" and _at(ws, i + 1) in {"u", "you"} else i + 1
    if [w.text for w in ws[j : j + 2]] in (["as", "in"], ["is", "in"], ["as", "and"], ["as", "an"], ["has", "in"]):
        word = j + 2
    elif _at(ws, j) in {"for", "like"} and (
        _is_example(_at(ws, j + 1)) or [w.text for w in ws[j + 1 : j + 3]] == ["x", "ray"]
    ):
        word = j + 1
    else:
        return None
    if _at(ws, word) in {"the", "a", "an"}:
        word += 1
    example = _at(ws, word)
    if not example or not example[0].isalpha() or len(_at(ws, i)) > 6:
        return None
    said = _letter(ws, i)
    behind = word + 2 if example == "x" and _at(ws, word + 1) == "ray" else word + 1
    if said and said[0] == "X" and example[0] == "e":
        return "X", behind
    return example[0].upper(), behind


def _run(word: Word) -> tuple[tuple[str, ...], bool] | None:
    """The readings of letters and digits written together ("KQ742Z", "742", "PLM")."""
    raw = word.raw.lstrip("$").replace(",", "").replace(":", "").replace(".", "").replace("/", "")
    if not raw.isascii() or not raw.isalnum():
        return None
    if any(c.isdigit() for c in raw):
        if ordinal := re.fullmatch(r"(\d+)(?:st|nd|rd|th)", raw.lower()):
            return (ordinal[1], raw.upper()), True
        return (raw.upper(),), True
    if 2 <= len(raw) <= 4 and not re.search(r"[aeiouy]", raw.lower()) and raw.lower() not in _NOT_LETTERS:
        return (raw.upper(),), True  # "Wn", "ld": letters that the recogniser wrote as a word
    if len(raw) > 1 and raw.isupper() and raw.lower() not in {"it", "is", "my", "ok", "no", "um", "uh"}:
        return (raw,), True
    return None


def _number(ws: Sequence[Word], i: int) -> tuple[tuple[str, ...], int] | None:
    """A number word from ten up: its readings as digits ("forty two": 42, or 402 where the length asks for it)."""
    text = _at(ws, i)
    if text in UNITS and UNITS[text] >= 10:
        return (str(UNITS[text]),), i + 1
    if text in TENS:
        got = small(ws, i)
        assert got is not None
        value = str(got[0])
        return ((value, f"{TENS[text]}{_DIGITS[_at(ws, i + 1)]}") if got[1] == i + 2 else (value,)), got[1]
    if text in UNITS and _at(ws, i + 1) in {"hundred", "thousand"}:
        got = cardinal(ws, i)
        if got and got[1] > i + 1:
            return (str(got[0]),), got[1]
    return None


def _item(ws: Sequence[Word], i: int, digits_only: bool) -> _Item | None:
    text = _at(ws, i)
    like = _like(ws, i)
    if like and not digits_only:
        return _Item((like[0],), True, i, like[1])
    if text in _REPEATS and not (text == "double" and _at(ws, i + 1) in {"u", "you"} and not digits_only):
        inner = _item(ws, i + 1, digits_only)
        if inner and inner.readings[0]:
            times = _REPEATS[text] - 1
            return _Item(tuple(r[0] * times + r for r in inner.readings if r), True, i, inner.behind)
        return None
    if text in _NATO_WORDS and not digits_only:
        return _Item((_NATO_WORDS[text],), True, i, i + 1)
    if got := _number(ws, i):
        return _Item(got[0], True, i, got[1])
    if text in _DIGITS:
        return _Item((_DIGITS[text],), True, i, i + 1)
    if text in {"oh", "o"}:
        spelled = text == "o" and not digits_only
        return _Item(("O", "0") if spelled else ("0",) if digits_only else ("0", "O"), True, i, i + 1)
    if run := _run(ws[i]):
        if digits_only and not run[0][0].isdigit():
            swapped = run[0][0].replace("O", "0")
            return _Item((swapped,), True, i, i + 1) if swapped.isdigit() else None
        return _Item(run[0], run[1], i, i + 1)
    if text in _DIGIT_HOMOPHONES:
        return _Item((_DIGIT_HOMOPHONES[text], ""), False, i, i + 1)
    if not digits_only and (letter := _letter(ws, i)):
        begins = i == 0 or ws[i].after_mark in {".", "?", "!"}
        written = ws[i].raw == "A" and (not begins or _neighbour(ws, i, digits_only))
        everyday = (text in {"a", "i"} and not written) or text in _EDGE
        readings = (letter[0], "") if everyday or text == "a" else (letter[0],)
        return _Item(readings, not everyday, i, letter[1])
    return None


def _segments(ws: Sequence[Word], digits_only: bool) -> Iterator[list[_Item]]:
    """Runs of items with nothing but carrier words between them; weak words at a run's edge are dropped."""
    run: list[_Item] = []
    i = 0
    while i < len(ws):
        item = _item(ws, i, digits_only)
        carrier = ws[i].text in _CARRIERS and (item is None or not item.sure)
        if item is not None and not (carrier and not (run and _neighbour(ws, i, digits_only))):
            run.append(item)
            i = item.behind
            continue
        if not carrier and run:
            yield run
            run = []
        i += 1
    if run:
        yield run


def _neighbour(ws: Sequence[Word], i: int, digits_only: bool) -> bool:
    """Whether something sure follows at once: then a weak word here stands inside a code."""
    if i + 1 >= len(ws):
        return False
    item = _item(ws, i + 1, digits_only)
    return item is not None and item.sure


def _trim(run: list[_Item]) -> list[_Item]:
    while run and not run[0].sure:
        run = run[1:]
    while run and not run[-1].sure and len(run) > 1 and run[-1].readings[-1] == "" and len(run[-1].readings[0]) == 1:
        if run[-1].readings[0].isalpha():
            break
        run = run[:-1]
    return run


def _stretch(whole: Sequence[_Item], trimmed: list[_Item], length: tuple[int, int] | None) -> list[_Item]:
    """Take everyday words at the edges back in ("are tea five eight eight pea") where only they make the code long enough."""
    if length is None or not trimmed:
        return trimmed
    low, high = whole.index(trimmed[0]), whole.index(trimmed[-1])
    taken = sum(len(item.readings[0]) for item in trimmed)
    while taken < length[0] and (low > 0 or high < len(whole) - 1):
        if high < len(whole) - 1:
            high += 1
            taken += len(whole[high].readings[0])
        else:
            low -= 1
            taken += len(whole[low].readings[0])
    return list(whole[low : high + 1])


def _fit(run: Sequence[_Item], length: tuple[int, int] | None) -> str:
    """The likeliest reading whose length fits; without one that fits, the likeliest of all."""
    choices = [item.readings for item in run]
    likeliest = "".join(c[0] for c in choices)
    if length is None or length[0] <= len(likeliest) <= length[1]:
        return likeliest
    for reading in islice(product(*choices), 256):
        joined = "".join(reading)
        if length[0] <= len(joined) <= length[1]:
            return joined
    return likeliest


def _read(text: str, length: tuple[int, int] | None, digits_only: bool) -> str:
    best = ""
    ws = words(text)
    for run in _segments(ws, digits_only):
        # Where the utterance is nothing but a code, everyday words at its edges are letters too.
        alone = length and run[0].first == 0 and run[-1].behind == len(ws)
        code = _fit(_stretch(run, _trim(run), (length[1], length[1]) if length and alone else length), length)
        fits = length is not None and length[0] <= len(code) <= length[1]
        best_fits = length is not None and length[0] <= len(best) <= length[1]
        if (fits, len(code)) > (best_fits, len(best)):
            best = code
    return best


def parse_code(text: str, length: tuple[int, int] | None = None) -> str:
    """The code in `text`, upper case without spaces; empty when there is none. `length` (fewest, most) settles doubtful words;
    what is returned may still be shorter or longer."""
    return _read(text, length, digits_only=False)


def parse_digits(text: str, length: tuple[int, int] | None = None) -> str:
    """The digits in `text` ("oh one four two", "double seven", "0142"); empty when there are none."""
    return _read(text, length, digits_only=True)


def parse_spelling(text: str) -> str:
    """A spelled name ("K O W A L S K I", "Kowalski, K-O-W…") with a capital; empty when no letters were spelled."""
    best = ""
    for run in _segments(words(text), digits_only=False):
        letters = "".join(next((r for r in item.readings if r and r.isalpha()), "") for item in _trim(run))
        if len(letters) > len(best):
            best = letters
    return best.capitalize() if len(best) >= 2 else ""


def coverage(text: str) -> float:
    """Which part (0…1) of the words that are not carrier phrases can belong to a code: 1.0 for a pure code, low for a sentence."""
    ws = words(text)
    used = meaningful = 0
    i = 0
    while i < len(ws):
        item = _item(ws, i, digits_only=False)
        if item is not None and item.sure:
            used += 1
            meaningful += 1
            i = item.behind
            continue
        if ws[i].text not in _CARRIERS and not (item is not None and used):
            meaningful += 1
        i += 1
    return used / meaningful if meaningful else 0.0


_PLACES = {
    "first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "sixth": 5, "seventh": 6, "eighth": 7, "ninth": 8, "tenth": 9,
    "1st": 0, "2nd": 1, "3rd": 2, "4th": 3, "5th": 4, "6th": 5, "7th": 6, "8th": 7, "last": -1,
}  # fmt: skip
_ALIKE = tuple(
    frozenset(group)
    for group in ("BDPTEVGCZ3", "MN", "SFX", "AKJH8", "IY59", "QU2", "LR", "O0", "IJ1", "VB", "AEI", "WU", "79", "56")
)
"""Letters and digits that the telephone's 3.4 kHz makes alike, each group by itself."""


def _likeness(a: str, b: str) -> int:
    return sum(a in group and b in group for group in _ALIKE)


def correct(code: str, text: str) -> str | None:
    """`code` with the one character repaired that `text` names, or the whole code said again; None: nothing to repair in it.

    "no, B as in boy" replaces the character that sounds most like B; "no, the third one is B" the third;
    "not D, B" or "B not D" the D.
    """
    ws = words(text)
    negated = ""
    place: int | None = None
    kept: list[Word] = []
    i = 0
    while i < len(ws):
        if ws[i].text in {"not", "isn't"} and (got := _item(ws, i + 1, digits_only=False)):
            negated = got.readings[0]
            i = got.behind
            continue
        if ws[i].text in _PLACES and place is None and _at(ws, i + 1) in {
            "one", "letter", "character", "digit", "is", "number", "should", "was", "it's", "place"
        }:  # fmt: skip
            place = _PLACES[ws[i].text]
            i += 2 if _at(ws, i + 1) in {"one", "letter", "character", "digit", "number", "place"} else 1
            continue
        kept.append(ws[i])
        i += 1
    new = _read(" ".join(w.raw for w in kept), (1, max(len(code), 1)), digits_only=False)
    if not new:
        return None
    if len(new) >= max(3, len(code) - 1):
        return new
    if place is not None:
        if len(new) != 1 or not -len(code) <= place < len(code):
            return None
        at = place % len(code)
        return code[:at] + new + code[at + 1 :]
    if negated and code.count(negated) == 1 and len(new) == len(negated):
        return code.replace(negated, new)
    if len(new) == 1:
        ranked = sorted(range(len(code)), key=lambda at: -_likeness(code[at], new))
        if not code or code[ranked[0]] == new:
            return None
        best = _likeness(code[ranked[0]], new)
        return code[: ranked[0]] + new + code[ranked[0] + 1 :] if best else None
    if 1 < len(new) < len(code):
        return _replace_part(code, new)
    return None


def _replace_part(code: str, new: str) -> str | None:
    """Put a group of characters where it differs from the code by one."""
    spots = [
        at for at in range(len(code) - len(new) + 1) if sum(a != b for a, b in zip(code[at:], new, strict=False)) == 1
    ]
    return code[: spots[0]] + new + code[spots[0] + len(new) :] if len(spots) == 1 else None
