"""The shape of a flows file. One step is a mapping whose first word says what it does."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Texts = Annotated[list[str], BeforeValidator(_listed)]
"""One text, or a list of them."""


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class IntentShape(_Shape):
    """What callers may want."""

    examples: list[str] = Field(default_factory=list, description="Sentences that mean it; 15 or more understand well.")
    flow: str = Field(default="", description="The flow that it starts; by default the flow of the same name.")
    does: Literal["", "transfer", "end", "repeat", "stop", "cancel", "help", "say", "later"] = Field(
        default="", description="What it does at any time."
    )
    say: str = Field(default="", description="What is said then.")
    destination: str = Field(default="", description="For `does: transfer`: a name under `destinations`.")
    label: str = Field(default="", description='How it is named in a question: "change a flight".')
    title: Texts = Field(
        default_factory=list,
        description='How it is spoken of later, before anybody is verified: "your flight to {destination}"; the first whose'
        " slots are all known.",
    )
    opening: str = Field(
        default="",
        description="The first words to a customer with an open thread of this intent, instead of `greeting_thread`: a question"
        " for yes or no, with the thread's slots. Yes starts `flow`, no `declined`, and 1 or the wish for a person `person`.",
    )
    declined: str = Field(default="", description="The flow that a no to `opening` starts.")
    person: str = Field(default="", description="The flow that the wish for a person starts then.")


class SlotShape(_Shape):
    """A value that conversations collect."""

    type: str = Field(description="What sort of value it is.")
    values: dict[str, Texts] | list[str] = Field(
        default_factory=dict, description="For choices: value and the ways to say it."
    )
    length: tuple[int, int] | None = Field(default=None, description="Fewest and most characters of a code or number.")
    after: Texts = Field(default_factory=list, description="Words directly before the value.")
    before: Texts = Field(default_factory=list, description="Words directly behind the value.")
    not_after: Texts = Field(default_factory=list, description="Words before it that make it another value.")
    not_before: Texts = Field(default_factory=list, description="Words behind it that make it another value.")
    only_in: list[str] = Field(
        default_factory=list, alias="in", description="Intents in which it is looked for unasked."
    )
    not_in: list[str] = Field(default_factory=list, description="Intents in which it is not looked for unasked.")
    loose: bool = Field(default=False, description="Taken without its words too, when no other slot wants the value.")
    keep: bool = Field(default=False, description="Kept from one flow to the next.")
    question: str = Field(default="", description="How it is asked for.")
    reask: Texts = Field(default_factory=list, description="How it is asked for again.")


class ReaskShape(_Shape):
    """When the agent gives up asking."""

    reasks: int = Field(default=2, ge=0, le=9, description="How often one question is asked again.")
    say: str = Field(
        default="I'm sorry, I'm not getting this right. Let me connect you with a colleague.",
        description="What is said then.",
    )
    transfer: str = Field(default="", description="Where the call goes then; empty: it ends politely.")


class SilenceShape(_Shape):
    """What is said to a caller who says nothing."""

    prompts: list[str] = Field(
        default=["Are you still there?", "Take your time. I'm still here."], description="First, second, … prompt."
    )
    goodbye: str = Field(
        default="I can't hear you, so I'll hang up now. Please call again any time. Goodbye.",
        description="Said before hanging up.",
    )


class WordsShape(_Shape):
    """The small sentences of every conversation."""

    ask_again: Texts = Field(default=["Sorry, I didn't catch that.", "I'm sorry, could you say that another way?"])
    clarify: str = "Just to check: do you want to {label}?"
    what_then: str = "All right. What can I do for you?"
    anything_else: str = "Is there anything else?"
    goodbye: str = "Goodbye, and thanks for calling."
    stopped: str = "Of course. I'm listening."
    cancelled: str = "All right, I've left everything as it was. What else can I do?"
    cannot: str = "I'm afraid I can't help with that here."
    help: str = "Just tell me in your own words what you need."
    hello: str = "Hello! What can I do for you?"
    again: str = "Sure."
    trouble: str = "I'm sorry, I can't reach our system at the moment."
    confirm_again: str = "Just so I get it right: yes or no?"
    first_heard: str = "Just to be sure."
    what_change: str = "Okay, I won't do that. What would you like instead?"
    later: str = "Of course. I'll keep it for you."
    left: str = "You left it as it was."
    passed_on: str = "A colleague was asked to take over."
    unverified: str = "I'm sorry, I couldn't make sure that it's you, so a colleague has to help with that."
    overdue: str = "I'm sorry, that is later than we promised."
    not_mine: str = "That's something I'm not allowed to do on my own, so a colleague has to help with it."
    limit: str = "I'm afraid that's more than I may do on my own, so a colleague has to help with it."
    not_known: str = (
        "I'm sorry, our system hasn't told me whether that went through. Please don't do it again: we'll find out, and let"
        " you know."
    )


class ThresholdShape(_Shape):
    """How sure the agent must be of what was meant (0 to 1)."""

    accept: float = Field(default=0.35, ge=0, le=1, description="Act on it from here.")
    ask: float = Field(
        default=0.22, ge=0, le=1, description='Ask "do you want to …?" from here; below, ask what was meant.'
    )


class ConditionShape(_Shape):
    """A test of one value; every key given must hold."""

    value: str
    equals: str | int | float | bool | None = None
    above: float | None = None
    below: float | None = None
    known: bool | None = None
    one_of: list[str] | None = None


class SayStep(_Shape):
    """Say something."""

    say: str
    interruptible: bool = True


class AskStep(_Shape):
    """Ask for a slot, unless it is known."""

    ask: str
    question: str = ""
    reask: Texts = Field(default_factory=list)
    unsure: str = Field(default="", description="Label to go to when the caller does not know.")


class ListenStep(_Shape):
    """Say something and take whatever comes."""

    listen: str
    expect: Literal["open", "yes_no", "code", "digits", "date", "time", "number", "choice", "name", "spelling"] = "open"
    length: tuple[int, int] | None = None
    options: list[str] = Field(default_factory=list)
    slot: str = Field(default="", description="The slot that is asked for, if it is one.")
    name: str = Field(default="", alias="as")


class ReadStep(_Shape):
    """Run a tool that only reads."""

    read: str
    arguments: dict[str, str | int | float | bool] = Field(default_factory=dict, alias="with")
    name: str = Field(default="", alias="as")
    errors: dict[str, list[object]] = Field(
        default_factory=dict, description="Steps by the tool's error code; `any` for the rest."
    )


class WriteStep(_Shape):
    """Run a tool that changes something."""

    write: str
    arguments: dict[str, str | int | float | bool] = Field(default_factory=dict, alias="with")
    name: str = Field(default="", alias="as")
    meanwhile: str = Field(default="", description="Said at once, before the tool has answered.")
    errors: dict[str, list[object]] = Field(default_factory=dict)


class PrepareStep(_Shape):
    """Ask a person for a tool that only they may use."""

    prepare: str
    arguments: dict[str, str | int | float | bool] = Field(default_factory=dict, alias="with")
    reason: str = Field(description="Why, in a sentence for the person who decides.")
    name: str = Field(default="", alias="as")
    errors: dict[str, list[object]] = Field(default_factory=dict)


class UndoStep(_Shape):
    """Take back what a writing tool of this conversation did last."""

    undo: str
    errors: dict[str, list[object]] = Field(default_factory=dict)


class IfStep(_Shape):
    """Go one way or the other."""

    when: ConditionShape = Field(alias="if")
    then: list[object] = Field(default_factory=list)
    otherwise: list[object] = Field(default_factory=list, alias="else")


class ChangeShape(_Shape):
    """What a caller may correct in the answer to a confirmation."""

    slots: list[str]
    goto: str


class ChooseStep(_Shape):
    """Offer the items of a list one by one until the caller takes one."""

    choose: str = Field(description="Path of the list.")
    name: str = Field(alias="as")
    offer: str = Field(description="Said for the first item; `{option…}` is the item.")
    more: str = Field(default="", description="Said for each further item; by default as `offer`.")
    by: dict[str, str] = Field(default_factory=dict, description="Slot and the field of an item that it picks by.")
    confirms: bool = Field(
        default=False, description="The offer is a read-back: a yes to it confirms the write that follows."
    )
    change: ChangeShape | None = None
    none: list[object] = Field(default_factory=list, description="Steps when nothing (more) can be offered.")


class ConfirmStep(_Shape):
    """Read back what will be done and wait for a yes."""

    confirm: str
    change: ChangeShape | None = None
    declined: list[object] = Field(default_factory=list, description="Steps after a plain no.")


class SetStep(_Shape):
    """Keep values under names."""

    set: dict[str, str | int | float | bool]


class ForgetStep(_Shape):
    """Drop slots and values."""

    forget: Texts


class LabelStep(_Shape):
    """A place to go to."""

    label: str


class GotoStep(_Shape):
    """Go on at a label of this flow, or at the beginning of another flow."""

    goto: str


class TransferStep(_Shape):
    """Connect the caller to somebody."""

    transfer: str
    say: str = ""
    open: bool = Field(default=False, description="What it is about stays open, and is brought up at the next contact.")


class PromiseStep(_Shape):
    """Say something that we owe from now on."""

    promise: str
    within_hours: float | None = Field(default=None, gt=0, description="Until when it is owed.")


class OutcomeStep(_Shape):
    """Keep in a sentence what came of it."""

    outcome: str


class EndStep(_Shape):
    """Say goodbye and hang up."""

    end: str


class DoneStep(_Shape):
    """The flow is finished: say this and ask what else there is."""

    done: str


class FlowShape(_Shape):
    """What happens, step by step."""

    steps: list[object] = Field(min_length=1)


class TextShape(_Shape):
    """What is said otherwise where it is read: in chats, text messages and e-mails."""

    greeting: str = ""
    greeting_known: str = ""
    greeting_thread: str = ""
    greeting_waiting: str = ""
    goodbye: str = ""


class FlowsFile(_Shape):
    """The whole file."""

    include: Texts = Field(default_factory=list, description="Files that are read first, relative to this one.")
    business: str = Field(default="", description="The name for `{business}`.")
    greeting: str = Field(default="", description="The first words.")
    greeting_known: str = Field(default="", description="The first words to a known customer.")
    greeting_thread: str = Field(
        default="Hi {customer.first_name}. Are you {contact} {thread.title} {thread.talked} {thread.when}?",
        description="The first words to a customer with an open thread.",
    )
    greeting_waiting: str = Field(
        default="Hi {customer.first_name}. About {thread.title} {thread.talked} {thread.when}: that is still with us."
        " {thread.promise} What can I do for you?",
        description="The first words to a customer whose newest thread waits for us.",
    )
    text: TextShape = Field(default_factory=TextShape, description="The same for channels whose sentences are read.")
    start: str = Field(default="", description="A flow that runs from the start, before the caller says anything.")
    any_time: bool = Field(default=True, description="Whether intents like repeat, human and goodbye work at any time.")
    intents: dict[str, IntentShape] = Field(default_factory=dict)
    slots: dict[str, SlotShape] = Field(default_factory=dict)
    flows: dict[str, FlowShape] = Field(default_factory=dict, description="What happens, by name.")
    verify: FlowShape | None = Field(
        default=None, description="How it is made sure who the customer is, before a private tool runs."
    )
    limits: ReaskShape = Field(default_factory=ReaskShape)
    silence: SilenceShape = Field(default_factory=SilenceShape)
    words: WordsShape = Field(default_factory=WordsShape)
    thresholds: ThresholdShape = Field(default_factory=ThresholdShape)
    keys: dict[str, str] = Field(
        default_factory=dict, description='A key that stands for an intent at any time ("0": human).'
    )


STEPS: dict[str, type[_Shape]] = {
    "say": SayStep,
    "ask": AskStep,
    "listen": ListenStep,
    "read": ReadStep,
    "write": WriteStep,
    "prepare": PrepareStep,
    "undo": UndoStep,
    "if": IfStep,
    "choose": ChooseStep,
    "confirm": ConfirmStep,
    "set": SetStep,
    "forget": ForgetStep,
    "label": LabelStep,
    "goto": GotoStep,
    "transfer": TransferStep,
    "promise": PromiseStep,
    "outcome": OutcomeStep,
    "end": EndStep,
    "done": DoneStep,
}
"""By the key that says what a step does."""
