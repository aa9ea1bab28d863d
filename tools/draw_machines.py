"""Draw the state machines into docs/machines.md, from their own tables.

python tools/draw_machines.py            # writes the file
python tools/draw_machines.py --check    # exit code 1 when the file is not what would be written
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from ccaas.contact import state as contact
from ccaas.contact import text_state as texts
from ccaas.contact.handoff import Stage
from ccaas.conversation.settings import ConversationSettings
from ccaas.conversation.state import Event, Hangup, State, Understood
from ccaas.dialler import state as dialler
from ccaas.ports.contact import AgentState
from ccaas.telephony.state import TRANSITIONS, CallState, Step
from ccaas.testing.turns import explore

DOCUMENT = Path(__file__).parent.parent / "docs" / "machines.md"


def drawing() -> str:
    """The whole of docs/machines.md."""
    return f"""\
# The state machines

Drawn by `python tools/draw_machines.py` from the tables in the code; a test fails when this file is not what it draws.

## A call

`ccaas/telephony/state.py`. Every step that is not drawn raises `TransitionError` and changes nothing.

{_call()}

## A human agent

`ccaas/contact/state.py`. As with a call, what is not drawn cannot be done.

{_agent()}

## A written conversation that wants a person

`ccaas/contact/text_state.py`. An agent who has some stays available. Handed back to the AI, finished, or ended by the customer,
it is none any more: from every state.

{_text()}

## A record of a campaign

`ccaas/dialler/state.py`: a customer and their numbers. What is shown and released is so in preview.

{_record()}

## A campaign

{_campaign()}

## A turn

`ccaas/conversation/state.py`. The arrows are what is reached when everything that can happen in a conversation happens
in every order; what is reported and changes no state (a judgement that was overtaken, a second key) is left out. From
every state a hang-up leads to `ended`.

{_turn()}
"""


def _call() -> str:
    arrows: dict[tuple[CallState, CallState], list[Step]] = {}
    for (state, step), following in TRANSITIONS.items():
        arrows.setdefault((state, following), []).append(step)
    lines = [f"[*] --> {CallState.OFFERED.value}", f"[*] --> {CallState.DIALLING.value}"]
    for (state, following), steps in arrows.items():
        lines.append(f"{state.value} --> {following.value}: {', '.join(step.value for step in steps)}")
    lines.append(f"{CallState.ENDED.value} --> [*]")
    return _diagram(lines)


def _agent() -> str:
    arrows: dict[tuple[AgentState, AgentState], list[contact.AgentStep]] = {}
    for (state, step), following in contact.TRANSITIONS.items():
        arrows.setdefault((state, following), []).append(step)
    lines = [f"[*] --> {AgentState.OFFLINE.value}"]
    for (state, following), steps in arrows.items():
        names = ", ".join(step.value for step in steps)
        lines.append(f"{_one_word(state)} --> {_one_word(following)}: {names}")
    return _diagram(lines)


def _text() -> str:
    lines = [f"[*] --> {Stage.WAITING.value}"]
    for (stage, step), following in texts.TRANSITIONS.items():
        lines.append(f"{stage.value} --> {following.value}: {step.value}")
    return _diagram(lines)


def _record() -> str:
    lines = [f"[*] --> {dialler.RecordState.WAITING.value}"]
    for (state, step), following in dialler.RECORD.items():
        lines.append(f"{state.value} --> {following.value}: {step.value}")
    return _diagram(lines)


def _campaign() -> str:
    lines = [f"[*] --> {dialler.CampaignState.PAUSED.value}"]
    for (state, step), following in dialler.CAMPAIGN.items():
        lines.append(f"{state.value} --> {following.value}: {step.value}")
    return _diagram(lines)


def _one_word(state: AgentState) -> str:
    """Mermaid's names have no blanks and no hyphens."""
    return state.value.replace(" ", "_").replace("-", "_")


def _turn() -> str:
    arrows: dict[tuple[State, State], list[type[Event]]] = {}
    for (state, kind), reached in explore(ConversationSettings()).items():
        for following in reached - {state}:
            if kind is not Hangup:
                arrows.setdefault((state, following), []).append(kind)
    order = list(State)
    lines = [f"[*] --> {State.THINKING.value}"]
    for (state, following), kinds in sorted(arrows.items(), key=lambda arrow: [order.index(s) for s in arrow[0]]):
        names = sorted({_words(kind) for kind in kinds})
        lines.append(f"{state.value} --> {following.value}: {', '.join(names)}")
    lines.append(f"{State.ENDED.value} --> [*]")
    return _diagram(lines)


def _words(kind: type[Event]) -> str:
    """ "voice started" of VoiceStarted."""
    name = "Judged" if kind is Understood else kind.__name__
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _diagram(lines: list[str]) -> str:
    return "\n".join(["```mermaid", "stateDiagram-v2", *(f"    {line}" for line in lines), "```"])


def main(arguments: list[str]) -> int:
    """Write the file, or with --check compare it."""
    if "--check" in arguments:
        same = DOCUMENT.is_file() and DOCUMENT.read_text() == drawing()
        if not same:
            print(f"{DOCUMENT.name} is not what the tables say; run python tools/draw_machines.py", file=sys.stderr)
        return 0 if same else 1
    DOCUMENT.write_text(drawing())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
