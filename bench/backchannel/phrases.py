"""What callers say while an agent speaks: to show that they listen, and to take the floor. None is a line of bench/speech."""

from __future__ import annotations

LISTENING = (
    "Mm-hmm.", "Mhm.", "Uh-huh.", "Hmm.", "Mm.", "Ah.", "Oh.", "Aha.", "Ah, okay.", "Oh, okay.", "Oh, I see.", "Ah, I see.",
    "Okay.", "Okay.", "Okay.", "OK, okay.", "Okay, great.", "Okay, good.", "Okay, thanks.", "Okay, yeah.", "Okay, right.",
    "Right.", "Right.", "Right, right.", "Right, okay.", "Yeah.", "Yeah.", "Yeah, yeah.", "Yeah, okay.", "Yeah, sure.",
    "Yep.", "Yep, yep.", "Yup.", "Yes.", "Yes.", "Yes, yes.", "Sure.", "Sure, sure.", "I see.", "I see, okay.",
    "Got it.", "Okay, got it.", "I got it.", "Alright.", "All right.", "Alright then.", "I understand.", "Understood.",
    "Great.", "Good.", "Fine.", "Perfect.", "Cool.", "Nice.", "Exactly.", "Of course.", "Sounds good.", "Makes sense.",
    "Absolutely.", "That's fine.", "That's right.", "Thank you.", "Thanks.", "Really.", "Wow.", "Gotcha.", "Very well.",
)  # fmt: skip
"""Weighted by repetition."""

TAKING = (
    "Wait.", "Wait!", "Wait a minute.", "Wait, wait.", "Wait, I didn't get that.", "Stop.", "Stop!", "Stop it.", "Stop there please.",
    "Hold on.", "Hold on, please.", "Hold it.", "Hang on.", "Hang on a moment.", "No.", "No!", "No, no, no.", "No, not that one.",
    "No, that isn't it.", "No, I don't want that.", "Not Denver, Dallas.", "Nope, the other one.", "Actually, no.", "Actually, I changed my mind.",
    "Actually can I ask something?", "Excuse me.", "Excuse me, but that's not me.", "Sorry, what?", "Sorry, what was that?",
    "Sorry, could you repeat that?", "Pardon?", "Pardon me?", "Can you say that again?", "Can I speak to a person?", "Can I get a window seat?",
    "Could you go slower?", "Could I change the date?", "I said Thursday.", "I said two bags.", "I already told you that.", "I need a human.",
    "I need to change my flight.", "I want to cancel.", "I don't have it.", "I don't understand.", "I have a question.", "I'd like the first one.",
    "I can't hear you.", "I think you misheard me.", "I was asking about the refund.", "What?", "What was that?", "What did you say?", "What time is it?",
    "What about the earlier one?", "How much is it?", "How long is that?", "When does it leave?", "Where is the gate?", "Which terminal?", "Why?",
    "Who am I talking to?", "Is that with bags?", "Is there anything earlier?", "Do you have a later one?", "Does it include a meal?", "Are you a robot?",
    "Please stop.", "Please just connect me.", "But I paid already.", "But that's too late.", "Let me stop you there.", "Let me talk to somebody.",
    "Listen, I'm in a hurry.", "Listen to me.", "One moment.", "One second please.", "Just a second.", "Just book it.", "Give me an operator.",
    "Get me a person.", "Agent!", "Operator.", "Representative.", "Human please.", "Speak to a manager.", "That's wrong.", "That's not right.",
    "That's not my name.", "That's too expensive.", "The second one.", "The morning one.", "My name is Parker.", "My phone is about to die.", "You said nine.",
    "You got it wrong.", "You're not listening.", "Hello?", "Hello, are you there?", "Hey.", "Hey, slow down.", "Um, can I ask something?",
    "Uh, no.", "Uh, what about Monday?", "Never mind.", "Cancel that.", "Cancel it.", "Go back.", "Go back, please.", "Repeat that, please.", "Again, please.",
    "Slow down.", "Slower please.", "Louder please.", "Book it.", "Skip it.", "Next.", "Tomorrow.", "Monday, please.", "Two o'clock.", "From Chicago.",
    "To Seattle.", "It's under Miller.", "It's for my wife.", "There are two of us.", "We need four seats.", "They cancelled it.", "Okay but what about the bag?",
    "Okay, but I need it today.", "Okay, so can I change it?", "Okay, and the refund?", "Yeah, but I paid for it.", "Yeah, no, that's wrong.", "Yes, but not on Friday.",
    "Yes, book that one.", "Right, but how much?", "Right, so what do I do?", "Alright, stop.", "Oh no, wait.", "Oh, that's not what I meant.",
    "So how do I get it?", "And the seat?", "If I cancel, what happens?", "Nothing works.", "Not now.", "Mister, please.", "Enough.", "Quiet please.",
    "Shut up.", "Change it to Sunday.", "Connect me to support.", "Transfer me.", "Help.", "Thursday.", "Three.", "First one.", "Seven.",
)  # fmt: skip
