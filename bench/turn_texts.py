"""Texts of callers for training and tuning the end of turn: other words, other trades than the speech set's.

Nothing here is in `bench/speech`, which stays the test. `texts` draws utterances: the pieces of a trade (what happened,
what is wanted, its details) joined in the orders in which people say them, hesitations at places where the sentence is
plainly open, codes in groups, and short answers. "|" is a planted pause. A part of the words is held out, to judge by.

This module is long because it is a word list.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Said:
    """One utterance to be rendered."""

    kind: str
    """statement, hesitation, code or short, as in bench/speech."""
    intent: str
    """Decides under which question it is said, as in bench/speechset.py."""
    text: str
    """As spoken; "|" where a pause is planted."""


@dataclass(frozen=True, slots=True)
class _Trade:
    happened: tuple[str, ...]
    wanted: tuple[str, ...]
    details: tuple[str, ...]


_TRADES = (
    _Trade(  # bank
        (
            "I lost my debit card yesterday",
            "there's a charge on my statement I don't recognise",
            "my card was swallowed by a machine",
            "I got a letter about my overdraft",
            "somebody used my card in another country",
            "my salary hasn't come in yet",
            "I opened an account with you last week",
            "I just got back from a long trip",
        ),
        (
            "I'd like to block my card",
            "can you tell me my balance",
            "I want to dispute a payment",
            "could you send me a new card",
            "I need to raise my spending limit",
            "please move two hundred dollars to my savings",
            "how do I close my account",
            "can I get a copy of last month's statement",
            "I want to set up a standing order",
            "what's the interest rate on a car loan",
        ),
        (
            "it's the one that ends in forty one",
            "the amount was ninety six dollars",
            "it should go to my wife's account",
            "I think it was on the third",
            "the shop is called Green Valley",
            "I need it before the weekend",
        ),
    ),
    _Trade(  # hotel
        (
            "we booked a room for three nights",
            "my wife and I are arriving late",
            "I stayed with you two weeks ago",
            "the air conditioning in our room is broken",
            "I left my charger in the room",
            "our plans have changed",
            "I found a better price somewhere else",
            "they charged us for the minibar",
        ),
        (
            "I'd like to add a night",
            "can we get a room on a higher floor",
            "is breakfast included in the price",
            "I want to cancel my reservation",
            "could somebody bring up extra towels",
            "do you have parking for a van",
            "I need a receipt for my stay",
            "what time can we check in",
            "please wake me at half past five",
            "can we bring our dog",
        ),
        (
            "the name is Patricia Holloway",
            "it's room three hundred and twelve",
            "we'd arrive on the eighteenth",
            "there are two adults and a baby",
            "it's under my husband's name",
            "we leave on Sunday afternoon",
        ),
    ),
    _Trade(  # electricity and water
        (
            "the power has been out since six this morning",
            "my bill has doubled",
            "we're moving out at the end of the month",
            "there's water coming through the ceiling",
            "your engineer never turned up",
            "I just moved into a new apartment",
            "the meter makes a strange noise",
            "I paid my bill twice",
        ),
        (
            "when will it be back on",
            "I want to know why it's so high",
            "I need to give you a meter reading",
            "can you send somebody today",
            "I'd like to switch to the cheaper plan",
            "could I pay in two instalments",
            "please put the account in my name",
            "how do I read the meter",
            "I'd like to speak to a supervisor",
            "can I change the date of my payment",
        ),
        (
            "the address is seventeen Orchard Lane",
            "it reads four thousand and eighty",
            "it's the house on the corner",
            "I'm at home until four",
            "the gate code is two two one",
            "the account is in my mother's name",
        ),
    ),
    _Trade(  # telephone and internet
        (
            "my internet keeps dropping",
            "I dropped my phone in the sink",
            "I've been waiting for an engineer all day",
            "I can't log in to my account",
            "the router has a red light",
            "my contract ends next month",
            "I'm going abroad for a fortnight",
            "I was promised a discount",
        ),
        (
            "I want to keep my number",
            "can you reset my password",
            "how much is roaming in Mexico",
            "I'd like to cancel my contract",
            "could you check the line",
            "please take the insurance off my plan",
            "do you have anything with unlimited data",
            "I need a new sim card",
            "what's my download speed supposed to be",
            "can I upgrade my phone early",
        ),
        (
            "I've already turned it off and on",
            "it happens every evening",
            "the number ends in double seven",
            "I'm with the family plan",
            "the model is the small one",
            "I'd be paying by direct debit",
        ),
    ),
    _Trade(  # doctor's practice
        (
            "my daughter has a fever",
            "I've had a cough for two weeks",
            "the pharmacy says my prescription has run out",
            "I missed my appointment this morning",
            "my back is killing me",
            "the doctor wanted to see me again",
            "I had a blood test on Monday",
            "we've just moved to the area",
        ),
        (
            "I'd like an appointment with Doctor Rao",
            "can I get my results over the phone",
            "I need to reschedule",
            "could you renew my prescription",
            "is there anything free this week",
            "do you take new patients",
            "can I come in earlier",
            "how long is the wait",
            "please tell the nurse I called",
            "I want to register my family",
        ),
        (
            "mornings are better for me",
            "her date of birth is the fourth of May",
            "it's for the blood pressure tablets",
            "I'm allergic to penicillin",
            "the name is spelled with a K",
            "anything after three is fine",
        ),
    ),
    _Trade(  # parcels and shops
        (
            "my parcel hasn't arrived",
            "the box was open when it came",
            "I ordered the wrong size",
            "nobody rang the bell",
            "the website says it was delivered",
            "the zip on this jacket is broken",
            "I got somebody else's order",
            "the voucher doesn't work",
        ),
        (
            "I want to send it back",
            "can you leave it with my neighbour",
            "where is it right now",
            "I'd like a smaller one",
            "could you refund the delivery",
            "how long do I have to return it",
            "please change the delivery to Saturday",
            "do you still have the blue one",
            "I need to cancel part of my order",
            "can I pick it up at the store",
        ),
        (
            "I ordered it on the twelfth",
            "it's the large one in grey",
            "there were four items in the box",
            "it was a birthday present",
            "the driver's name was Tony",
            "the address is still the same",
        ),
    ),
    _Trade(  # trains, buses, cars
        (
            "my train was two hours late",
            "I missed the last bus",
            "I left my umbrella on the tram",
            "we broke down on the motorway",
            "the ticket machine took my money",
            "I scratched the rental car",
            "they've closed the station",
            "I bought the wrong ticket",
        ),
        (
            "I want to claim compensation",
            "is there a later train",
            "can I use my ticket tomorrow",
            "I'd like two seats facing forwards",
            "could you send a tow truck",
            "do I need to book a bicycle",
            "how much is a return to Oxford",
            "please extend my rental until Tuesday",
            "what platform does it go from",
            "I need a bigger car",
        ),
        (
            "I'm near exit nineteen",
            "it's a white hatchback",
            "we're travelling with two children",
            "it was the nine fifteen to Leeds",
            "I have a senior card",
            "the plate is on the papers",
        ),
    ),
    _Trade(  # insurance
        (
            "somebody hit my car in the car park",
            "our basement was flooded",
            "my claim was turned down",
            "I've sold my motorcycle",
            "my son has passed his driving test",
            "a tree fell on the garage",
            "my premium went up again",
            "I haven't heard from you in weeks",
        ),
        (
            "I'd like to make a claim",
            "what do you need from me",
            "can you add him to my policy",
            "I want to know what's covered",
            "could you send the form again",
            "how long does it take",
            "please stop the policy",
            "do I have to pay the excess",
            "I'd like a quote for my house",
            "who is handling my case",
        ),
        (
            "the policy starts with a B",
            "it happened on Tuesday night",
            "nobody was hurt",
            "I have photographs of everything",
            "the other driver gave me his number",
            "the house was built in nineteen sixty",
        ),
    ),
)  # fmt: skip

_OPEN = (
    "I'd like to make an appointment for|next Wednesday.",
    "Can you tell me when the|engineer is coming?",
    "I need to send money to|my brother in Canada.",
    "We booked a table for|six people on Friday.",
    "I was wondering if|you could waive the fee.",
    "My account number is, um,|I don't have it with me.",
    "I want to, uh,|change my delivery address.",
    "The problem is that|the door doesn't lock.",
    "It's the one with the|long handle.",
    "I've been trying to|reach you all morning.",
    "Could you put me through to|the billing department?",
    "I bought this phone at|your shop in Bristol.",
    "I'm calling about my|water bill.",
    "Is there any way to|get it done today?",
    "We'd like to stay from|Monday until Thursday.",
    "I think it was either|Monday or Tuesday.",
    "They told me that I should|call this number.",
    "I need a room with|two beds and a cot.",
    "The charge was for, er,|eighty five dollars.",
    "I can't remember the name of|the person I spoke to.",
    "Do you have one in|a darker green?",
    "I'd rather pay by|credit card.",
    "My husband and|I are both on the policy.",
    "I want to cancel because|it never worked.",
    "Please send the letter to|my office instead.",
    "I'm looking for a|one way ticket to York.",
    "What would it cost if|I paid for the whole year?",
    "I paid for it with my|old card.",
    "You sent me the wrong|cable.",
    "I have a question about the|warranty.",
    "So I called last week and|nobody called me back.",
    "I'd like to speak with|somebody in claims.",
    "Can I change it to the|twenty sixth?",
    "I need to know whether|my visit is covered.",
    "The doctor said I should|come back in a month.",
    "I left it on the|number nine bus.",
    "We need, um,|four tickets for Saturday.",
    "It's about the, uh,|broken window.",
    "Well, I was told|it would arrive on Monday.",
    "I'm moving to|Manchester in the spring.",
    "Can you check that my|payment went through?",
    "I want the same as|last time.",
    "Could you tell me how to|turn it off?",
    "My son needs to see a|dentist.",
    "I would like to order|two of the small ones.",
    "I have to leave by|ten at the latest.",
    "Because of the storm our|flight was late.",
    "I'd like to add my|daughter to the plan.",
    "There was a mistake in my|last invoice.",
    "I'm supposed to get a|call from your manager.",
)  # fmt: skip

_LONG = (
    "If it doesn't arrive by Friday, I want my money back.",
    "When I opened the box, two of the glasses were broken.",
    "After the last update, the app doesn't start any more.",
    "Since you raised the price, I'd like to look at other plans.",
    "Before I pay, I want to know what this charge is for.",
    "I called on Monday, I called on Wednesday, and nobody has helped me.",
    "The red one, not the blue one.",
    "Actually, could you make that Thursday instead?",
    "Yes, but only if it doesn't cost more.",
    "Hello, I have a question about my invoice.",
    "Hi there, my name is Grace and I'm calling about my order.",
    "Good morning, I'd like to talk to somebody about a loan.",
    "Unfortunately, I can't come tomorrow.",
    "As far as I know, everything was paid in March.",
    "Well, it worked yesterday, but today it's completely dead.",
    "First I was told it's free, and now there's a bill for sixty dollars.",
    "I don't want a voucher, I want a refund.",
    "Sorry, I meant the one in Newcastle.",
    "No, that's not what I ordered.",
    "It's quite urgent, so please call me back today.",
    "To be honest, I'm not very happy with the service.",
    "My neighbour, who has the same contract, pays half of that.",
    "The number you have, the one ending in sixty, is my old one.",
    "In that case, I'll take the larger one.",
    "Thank you, that's everything.",
    "Okay, thanks a lot, bye.",
    "I need it for work, otherwise I wouldn't ask.",
    "Either the morning or the late afternoon would work for me.",
    "Could you speak a little slower, please?",
    "I'm sorry, I didn't catch that.",
)  # fmt: skip

_GREETINGS = ("Hi,", "Hello,", "Good morning,", "Yes, hello,", "Okay, so", "Right,", "Well,")
_CLOSINGS = (", please", ", if that's possible", ", thank you", " as soon as possible", " today", "", "", "", "")
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_SHORT = (
    *(("affirm", t) for t in ("Yes.", "Yes please.", "Yeah, sure.", "That's right.", "Yep.", "Okay, do that.", "Sounds good.", "Absolutely.", "Yes, that would be great.", "I think so.")),
    *(("deny", t) for t in ("No.", "No thanks.", "Not today.", "No, leave it.", "Nope.", "I'd rather not.", "No, that's wrong.")),
    *(("unsure", t) for t in ("I'm not sure.", "Maybe.", "I don't know.")),
    *(("select", t) for t in ("The first one.", "The second one, please.", "Window.", "An aisle seat.", "Neither of them.", "The other one.")),
    *(("number", t) for t in ("Two.", "Three of us.", "Just me.", "Four people.", "Eleven.", "Two adults and one child.")),
    *(("name", t) for t in ("Martin Fischer.", "It's Laura Bennett.", "My name is Omar Haddad.", "Chloe Fitzgerald.", "This is Peter Novak.")),
    *(("date", t) for t in ("Tomorrow.", "On Wednesday.", "The fifth of August.", "Next Friday.", "April thirtieth.", "The day after tomorrow.", "Sunday the tenth.", "October second.")),
    *(("question", t) for t in ("What does that mean?", "How much is that?", "Can you repeat that?", "Who is this?")),
    *(("human", t) for t in ("A person, please.", "Operator.", "Let me talk to someone.")),
)  # fmt: skip


def _sentence(text: str) -> str:
    first = text[:1].upper() + text[1:]
    asks = first.split()[0].strip(",").lower()
    question = asks in {"can", "could", "is", "do", "does", "how", "what", "when", "where", "who", "are", "would"}
    return first + ("?" if question else ".")


def _part(words: tuple[T, ...], held_out: bool) -> tuple[T, ...]:
    """Every fourth one is held out."""
    return tuple(word for at, word in enumerate(words) if (at % 4 == 3) is held_out)


def _statement(draw: random.Random, held_out: bool) -> Said:
    trade = draw.choice(_part(_TRADES, held_out))
    happened, wanted, detail = draw.choice(trade.happened), draw.choice(trade.wanted), draw.choice(trade.details)
    closed = wanted + draw.choice(_CLOSINGS)
    joint = draw.choice(("and", "so", "and now"))
    pattern = draw.choices(range(10), (24, 13, 12, 13, 6, 8, 6, 6, 5, 7))[0]
    text = (
        _sentence(closed),
        f"{_sentence(happened)} {_sentence(closed)}",
        f"{_sentence(happened)[:-1]}, {joint} {closed}{_sentence(wanted)[-1]}",
        f"{_sentence(wanted)} {_sentence(detail)}",
        f"{draw.choice(_GREETINGS)} {closed}{_sentence(wanted)[-1]}",
        _sentence(happened),
        f"{_sentence(happened)} {_sentence(draw.choice(trade.wanted))} {_sentence(detail)}",
        draw.choice(_part(_LONG, held_out)),
        f"{_sentence(happened)[:-1]}, {draw.choice(('but', 'and'))} {detail}.",
        _sentence(detail),
    )[pattern]
    return Said("statement", "other", text)


def _code(draw: random.Random) -> Said:
    def digits(count: int) -> list[str]:
        return [draw.choice(_DIGITS) for _ in range(count)]

    sort = draw.randrange(6)
    lead = draw.choice(("", "", "It's ", "Yes, it's ", "Sure, that's "))
    if sort == 0:
        code = [draw.choice(_LETTERS) for _ in range(3)], [*draw.sample(_LETTERS, 1), *digits(2)]
        return Said("code", "give_code", f"{lead}{', '.join(code[0])},|{', '.join(code[1])}.")
    if sort == 1:
        groups = [digits(3), digits(3), digits(4)]
        return Said("code", "give_phone", lead + ",|".join(" ".join(group) for group in groups) + ".")
    if sort == 2:
        groups = [digits(3), digits(3), digits(3)]
        return Said("code", "give_frequent_flyer", lead + ",|".join(" ".join(group) for group in groups) + ".")
    if sort == 3:
        return Said("code", "give_card_last4", f"{lead}{' '.join(digits(2))},|{' '.join(digits(2))}.")
    if sort == 4:
        year = draw.choice(("nineteen sixty four", "nineteen eighty two", "nineteen ninety", "two thousand and one"))
        day = draw.choice(("second", "fifth", "ninth", "fourteenth", "twentieth", "twenty third", "thirtieth"))
        return Said("code", "give_dob", f"{draw.choice(_MONTHS)} {day},|{year}.")
    name = draw.choice(("Brandt", "Kelley", "Osborne", "Fraser", "Whitlock", "Suarez"))
    letters = [letter.upper() for letter in name]
    return Said("code", "give_name_spelling", f"{', '.join(letters[:3])},|{', '.join(letters[3:])}.")


def texts(count: int, seed: int, held_out: bool) -> list[Said]:
    """`count` utterances, of the words that are held out or of the others; the same seed gives the same ones."""
    draw = random.Random(seed)
    made: list[Said] = []
    while len(made) < count:
        sort = draw.choices(("statement", "hesitation", "code", "short"), (52, 22, 13, 13))[0]
        if sort == "statement":
            made.append(_statement(draw, held_out))
        elif sort == "hesitation":
            made.append(Said("hesitation", "other", draw.choice(_part(_OPEN, held_out))))
        elif sort == "code":
            made.append(_code(draw))
        else:
            intent, text = draw.choice(_part(_SHORT, held_out))
            made.append(Said("short", intent, text))
    return made
