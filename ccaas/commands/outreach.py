"""The commands on contacts that we begin. What they need is imported when they run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from ccaas.outreach.store import OutreachStore

T = TypeVar("T")

contacts_app = typer.Typer(no_args_is_help=True, help="Contacts that we begin, and what the gate decides on them.")

event_app = typer.Typer(no_args_is_help=True, help="Events from outside, which set off plays.")
plays_app = typer.Typer(no_args_is_help=True, help="What events have set off.")

File = Annotated[
    Path, typer.Argument(envvar="CCAAS_CONFIG", help="The installation's YAML file.", show_default="ccaas.yaml")
]
HERE = Path("ccaas.yaml")
Address = Annotated[str, typer.Argument(help="A number or an e-mail address.")]


@contacts_app.command("show")
def show_contacts(
    file: File = HERE,
    count: Annotated[int, typer.Option("-n", min=1, help="How many of the newest decisions.")] = 50,
    address: Annotated[str, typer.Option(help="Only those on this number or e-mail address.")] = "",
) -> None:
    """List what the gate has decided, newest last: who, by which rule, and why."""
    from rich.console import Console
    from rich.table import Table

    from ccaas.outreach.compliance_store import kept

    table = Table("at", "customer", "channel", "address", "purpose", "decision", "rule", "why", box=None)
    for one in _store(file, lambda store: store.read(kept(count, _spelled(file, address)))):
        at = datetime.fromtimestamp(one.at, UTC).strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(
            at, one.customer_id, one.channel, one.address, one.purpose, one.decision, one.rule, one.words or one.play
        )
    console = Console()
    console.width = max(console.width, 150)
    console.print(table)


@contacts_app.command("block")
def block_address(
    address: Address,
    file: File = HERE,
    why: Annotated[str, typer.Option(help="Kept with it.")] = "asked not to be contacted",
) -> None:
    """Never contact this address again, on any channel; it counts at once."""
    from ccaas.outreach.compliance_store import block

    spelled = _spelled(file, address)
    _store(file, lambda store: store.write(block([spelled], why, "command line")))
    typer.echo(f"{spelled} is not contacted any more")


@contacts_app.command("unblock")
def unblock_address(address: Address, file: File = HERE) -> None:
    """Take an address from this installation's own list."""
    from ccaas.outreach.compliance_store import unblock

    spelled = _spelled(file, address)
    found = _store(file, lambda store: store.write(unblock(spelled)))
    typer.echo(f"{spelled} {'may be contacted again' if found else 'was not on the list'}")
    raise typer.Exit(0 if found else 1)


@event_app.command("send")
def send_event(
    kind: Annotated[str, typer.Argument(metavar="TYPE", help="One of `proactive.events`: flight.cancelled.")],
    data: Annotated[str, typer.Argument(help="The event's data, as JSON.")],
    file: File = HERE,
    name: Annotated[str, typer.Option("--id", help="The event's id: the same again sets nothing off.")] = "",
) -> None:
    """Send an event to the running controller."""
    import json
    import secrets

    from ccaas.config.configuration import load
    from ccaas.errors import CcaasError
    from ccaas.remote import ask

    try:
        content = json.loads(data)
    except ValueError as error:
        raise CcaasError(f'this is no JSON ({error}); write \'{{"flight_number": "HAT170"}}\'') from None
    body = {"id": name or f"cli-{secrets.token_hex(8)}", "type": kind, "data": content}
    taken = ask(load(file), "POST", "/events", body)
    typer.echo(f"{taken['event']}{'' if taken['new'] else ': known before, nothing is done again'}")


@event_app.command("refused")
def refused_events(
    file: File = HERE, count: Annotated[int, typer.Option("-n", min=1, help="How many of the newest.")] = 50
) -> None:
    """List messages of a bus that were no events of ours, newest last: which, and why."""
    from rich.console import Console
    from rich.table import Table

    from ccaas.outreach.refusals import refused

    table = Table("at", "bus", "message", "subject", "event", "why", box=None)
    for one in _store(file, lambda store: store.read(refused(count))):
        at = datetime.fromtimestamp(one.at, UTC).strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(at, one.source, one.message, one.subject, one.event_id, one.why)
    console = Console()
    console.width = max(console.width, 150)
    console.print(table)


@plays_app.command("list")
def list_plays(file: File = HERE) -> None:
    """List every event, its play, and where its customers stand."""
    from rich.console import Console
    from rich.table import Table

    from ccaas.outreach.cases import counted

    table = Table("at", "event", "type", "play", "customers", box=None)
    for one in _store(file, lambda store: store.read(counted)):
        at = datetime.fromtimestamp(one["at"], UTC).strftime("%Y-%m-%d %H:%M:%S")
        stand = ", ".join(f"{count} {state}" for state, count in one["cases"].items())
        table.add_row(at, one["event_id"], one["type"], one["play"], stand or "none")
    Console().print(table)


@plays_app.command("show")
def show_play(event: Annotated[str, typer.Argument(help="The event's id.")], file: File = HERE) -> None:
    """Show each customer of an event: steps, answers and times."""
    from rich.console import Console

    from ccaas.errors import CcaasError
    from ccaas.proactive import PlayView

    found = _store(file, lambda store: PlayView(store).event(event))
    if not found:
        raise CcaasError(f"nothing is known of the event {event}; `ccaas plays list` shows those that are")
    console = Console(highlight=False)
    for case in found:
        console.print(f"[b]{case['customer']}[/b] {case['tier']}  {case['state']}  {case['channel']}")
        for step in case["steps"]:
            at = datetime.fromtimestamp(step["at"], UTC).strftime("%H:%M:%S.%f")[:-3]
            console.print(f"  {at}  {step['step']}: {step['words']}", markup=False)


def _store(file: Path, ask: Callable[[OutreachStore], Awaitable[T]]) -> T:
    from ccaas.config.configuration import load
    from ccaas.outreach.store import FILE, OutreachStore

    async def run() -> T:
        store = await OutreachStore.open(load(file).site.state_dir / FILE)
        try:
            return await ask(store)
        finally:
            await store.close()

    return asyncio.run(run())


def _spelled(file: Path, address: str) -> str:
    from ccaas.config.configuration import load
    from ccaas.journey.identity import read

    if not address:
        return ""
    return read(address, load(file).settings.journey.region).value
