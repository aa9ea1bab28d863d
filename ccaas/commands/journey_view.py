"""A customer's journey for people: who they are, what is open, and the timeline by day and conversation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from itertools import groupby

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ccaas.ports.journey import Fact, FactKind, JourneyContext, Json, Thread, ThreadState

_STYLES = {
    FactKind.CONTACTED: "bold",
    FactKind.SAID: "",
    FactKind.ASKED: "cyan",
    FactKind.OFFERED: "blue",
    FactKind.PROMISED: "yellow",
    FactKind.DONE: "green",
    FactKind.FELT: "magenta",
    FactKind.NOTED: "dim",
}
_WHEN = "%a %-d %b %Y, %H:%M"


def show_journey(
    console: Console, context: JourneyContext, threads: Sequence[Thread], facts: Sequence[Fact], zone: tzinfo
) -> None:
    """Print it; times are those of `zone`."""
    console.print(Panel(Group(*_head(context, zone)), title=_name(context), title_align="left", border_style="dim"))
    _section(console, "Open", _open(context, threads, zone))
    titles = {thread.id: thread.title for thread in threads}
    days = groupby(facts, key=lambda fact: datetime.fromtimestamp(fact.at, zone).date())
    for day, of_day in days:
        console.rule(f"{day:%A %-d %B %Y}", align="left", style="dim")
        for (channel, conversation), together in groupby(of_day, key=lambda fact: (fact.channel, fact.conversation_id)):
            if channel or conversation:
                console.print(Text.assemble((channel or "—", "bold"), ("  " + conversation, "dim")))
            console.print(Padding(_lines(together, titles, zone), (0, 0, 0, 2)))
    if not facts:
        console.print("nothing on the timeline yet", style="dim")


def show_audit(console: Console, rows: Iterable[Json], zone: tzinfo) -> None:
    """Who asked for what, newest last."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("when", "what", "customer", "other", "facts", "by", "why"):
        table.add_column(name, justify="right" if name == "facts" else "left", overflow="fold")
    for row in reversed(list(rows)):
        at = row["at"]
        assert isinstance(at, float)
        when = datetime.fromtimestamp(at, zone).strftime(_WHEN)
        rest = (str(row[key] or "") for key in ("what", "customer", "other", "facts", "by", "why"))
        table.add_row(when, *(Text(cell) for cell in rest))
    console.print(table if table.row_count else "nothing was merged, erased, exported or swept yet")


def _name(context: JourneyContext) -> Text:
    profile = context.profile
    name = f"{profile.first_name} {profile.last_name}".strip() or "a customer without a name"
    return Text.assemble((name, "bold"), f"  {profile.tier}" if profile.tier else "", ("  " + profile.id, "dim"))


def _head(context: JourneyContext, zone: tzinfo) -> Iterator[RenderableType]:
    profile = context.profile
    if context.identities:
        yield Text(", ".join(identity.value for identity in context.identities))
    known = [profile.timezone, profile.language, *(f"{key}: {value}" for key, value in profile.preferences.items())]
    if profile.lifetime_value_cents:
        known.append(f"worth {profile.lifetime_value_cents / 100:,.2f}")
    if any(known):
        yield Text(" · ".join(one for one in known if one), style="dim")
    for consent in context.consents:
        word, style = ("allows", "green") if consent.granted else ("forbids", "red")
        since = datetime.fromtimestamp(consent.at, zone).strftime("%-d %b %Y")
        yield Text.assemble((word, style), f" {consent.purpose} by {consent.channel} ", (f"since {since}", "dim"))
    if context.last_contact_at is not None:
        when = datetime.fromtimestamp(context.last_contact_at, zone).strftime(_WHEN)
        yield Text(f"last contact {when}, by {context.last_channel or 'unknown'}")
    if context.last_outcome:
        yield Text(f"last outcome: {context.last_outcome}")


def _open(context: JourneyContext, threads: Sequence[Thread], zone: tzinfo) -> Iterator[Text]:
    for thread in threads:
        if thread.state is not ThreadState.CLOSED:
            missing = f", still to be told: {', '.join(thread.missing)}" if thread.missing else ""
            since = datetime.fromtimestamp(thread.updated_at, zone).strftime(_WHEN)
            yield Text.assemble(
                (thread.title or thread.goal, "bold"), f"  {thread.state.value}{missing}", (f"  {since}", "dim")
            )
    for promise in context.promises:
        due = promise.data.get("due")
        until = datetime.fromtimestamp(due, zone).strftime(_WHEN) if isinstance(due, int | float) else "some time"
        yield Text.assemble(("promised ", "yellow"), promise.text, (f"  until {until}", "dim"))
    for case in context.cases:
        yield Text.assemble(("case ", "red"), case.title)


def _section(console: Console, title: str, lines: Iterable[Text]) -> None:
    found = list(lines)
    if found:
        console.print(Panel(Group(*found), title=title, title_align="left", border_style="dim"))


def _lines(facts: Iterable[Fact], titles: dict[str, str], zone: tzinfo) -> Table:
    table = Table.grid(padding=(0, 2))
    for width in (8, 10, 12):
        table.add_column(no_wrap=True, min_width=width)
    table.add_column(ratio=1)
    for fact in facts:
        at = datetime.fromtimestamp(fact.at, zone).strftime("%H:%M:%S")
        text = Text(fact.text or (f"{fact.data['score']}" if "score" in fact.data else ""))
        if title := titles.get(fact.thread_id, ""):
            text.append(f"  [{title}]", "dim")
        if fact.recording:
            text.append(f"  {fact.recording}", "dim")
        table.add_row(Text(at, "dim"), Text(fact.kind.value, _STYLES[fact.kind]), Text(fact.source, "dim"), text)
    return table
