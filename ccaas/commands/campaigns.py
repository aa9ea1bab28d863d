"""The commands on campaigns. They work on the store beside a running controller, or without one; a pause counts at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from ccaas.config.configuration import Configuration
    from ccaas.dialler.importing import Bad
    from ccaas.dialler.records import Row
    from ccaas.dialler.state import CampaignStep
    from ccaas.dialler.store import CampaignStore

T = TypeVar("T")

campaign_app = typer.Typer(no_args_is_help=True, help="Campaigns: lists of people who are called.")

File = Annotated[
    Path, typer.Argument(envvar="CCAAS_CONFIG", help="The installation's YAML file.", show_default="ccaas.yaml")
]
HERE = Path("ccaas.yaml")
Name = Annotated[str, typer.Argument(help="One of `dialler.campaigns`.")]
Agent = Annotated[str, typer.Option(help="Your login: the call comes to you.")]
SHOWN_BAD = 20
"""Bad rows that are told one by one."""


@campaign_app.command("import")
def import_records(
    name: Name,
    records: Annotated[Path, typer.Argument(help="CSV with a column `phone`; the others are the record's own.")],
    file: File = HERE,
    start: Annotated[bool, typer.Option("--start", help="Call them at once, as `resume` does.")] = False,
) -> None:
    """Take in records from a CSV file: all good rows or, where it breaks off, none. Bad rows are named and left out."""
    from ccaas.dialler.records import Row, stepping, taking_in
    from ccaas.dialler.state import CampaignStep

    configuration = _campaign(file, name)
    rows = _read(configuration, records)
    good = [(line, row) for line, row in rows if isinstance(row, Row)]
    bad = [row for _, row in rows if not isinstance(row, Row)]

    async def work(store: CampaignStore) -> list[int]:
        known = await store.write(taking_in(name, [row for _, row in good], time.time()))
        if start:
            await store.write(stepping(name, CampaignStep.RESUME, time.time()))
        return known

    known = _store(configuration, work)
    for one in bad[:SHOWN_BAD]:
        typer.echo(f"{records}:{one.line}: {one.why}; left out", err=True)
    if len(bad) > SHOWN_BAD:
        typer.echo(f"{records}: {len(bad) - SHOWN_BAD} more bad rows were left out", err=True)
    for place in known[:SHOWN_BAD]:
        typer.echo(f"{records}:{good[place][0]}: {good[place][1].key} is in {name} already; left out", err=True)
    if len(known) > SHOWN_BAD:
        typer.echo(f"{records}: {len(known) - SHOWN_BAD} more were in {name} already", err=True)
    taken = len(good) - len(known)
    begin = "" if start else f"; `ccaas campaign resume {name}` calls them"
    typer.echo(f"{taken} records taken into {name}, {len(bad)} bad, {len(known)} known before{begin}")
    raise typer.Exit(0 if taken or not bad else 1)


@campaign_app.command("list")
def list_campaigns(file: File = HERE) -> None:
    """List every campaign: whether it calls, how far it is, and what came of its calls."""
    from rich.console import Console
    from rich.table import Table

    from ccaas.config.configuration import load
    from ccaas.dialler.records import figures

    configuration = load(file)
    since = time.time() - configuration.settings.outreach.abandonment.days * 86_400
    found = {one.name: one for one in _store(configuration, lambda store: store.read(figures(since)))}
    table = Table("campaign", "state", "records", "waiting", "up", "done", "attempts", "people", "abandoned", box=None)
    for name in [
        *configuration.settings.dialler.campaigns,
        *(set(found) - set(configuration.settings.dialler.campaigns)),
    ]:
        one = found.get(name)
        if one is None:
            table.add_row(name, "empty", *["0"] * 7)
            continue
        share = f"{one.abandoned / one.answered:.1%}" if one.answered else "none"
        numbers = (
            sum(one.states.values()),
            one.states.get("waiting", 0),
            one.states.get("dialling", 0),
            one.states.get("done", 0),
        )
        state = f"{one.state.value} ({one.note})" if one.note else one.state.value
        table.add_row(name, state, *(str(number) for number in numbers), str(one.attempts), str(one.answered), share)
    console = Console()
    console.width = max(console.width, 120)
    console.print(table)


@campaign_app.command("show")
def show_campaign(
    name: Name,
    file: File = HERE,
    count: Annotated[int, typer.Option("-n", min=1, help="How many of the newest attempts.")] = 50,
) -> None:
    """Show a campaign's outcomes, and its newest attempts with what came of each."""
    from rich.console import Console
    from rich.table import Table

    from ccaas.dialler.records import figures, listed
    from ccaas.dialler.store import CampaignError

    configuration = _campaign(file, name)
    since = time.time() - configuration.settings.outreach.abandonment.days * 86_400
    one = next(
        (one for one in _store(configuration, lambda store: store.read(figures(since))) if one.name == name), None
    )
    if one is None:
        raise CampaignError(f"nothing was imported into {name} yet; `ccaas campaign import {name} FILE` does it")
    console = Console(highlight=False)
    console.width = max(console.width, 120)
    records = ", ".join(f"{number} {state}" for state, number in one.states.items()) or "no records"
    console.print(f"{name}: {one.state.value}; {records}", markup=False)
    for outcome, number in sorted(one.outcomes.items(), key=lambda item: -item[1]):
        console.print(f"  {number} {outcome}", markup=False)
    table = Table("at", "record", "number", "came to", "talked", "why", box=None)
    for attempt in _store(configuration, lambda store: store.read(listed(name, count))):
        at = datetime.fromtimestamp(attempt["at"], UTC).strftime("%Y-%m-%d %H:%M:%S")
        both = attempt["answered"] and attempt["ended"]
        talked = f"{attempt['ended'] - attempt['answered']:.0f} s" if both else ""
        came_to = attempt["disposition"] or "up"
        table.add_row(at, attempt["key"], attempt["number"], came_to, talked, attempt["words"])
    console.print(table)


@campaign_app.command("resume")
def resume_campaign(name: Name, file: File = HERE) -> None:
    """Call, where it was paused or is new."""
    from ccaas.dialler.state import CampaignStep

    _step(name, file, CampaignStep.RESUME)


@campaign_app.command("pause")
def pause_campaign(name: Name, file: File = HERE) -> None:
    """Begin no further call, from this moment on; calls that are up go on."""
    from ccaas.dialler.state import CampaignStep

    _step(name, file, CampaignStep.PAUSE)


@campaign_app.command("stop")
def stop_campaign(name: Name, file: File = HERE) -> None:
    """End it: no further call, and what rings is taken back; conversations go on. `recycle` begins it again."""
    from ccaas.dialler.state import CampaignStep

    _step(name, file, CampaignStep.STOP)


@campaign_app.command("recycle")
def recycle_campaign(
    name: Name,
    file: File = HERE,
    outcome: Annotated[list[str] | None, typer.Option(help="Only records with this outcome; may be repeated.")] = None,
) -> None:
    """Begin done records anew: all but those that were answered or refused, or those with the outcomes that you name."""
    from ccaas.dialler.records import recycling

    configuration = _campaign(file, name)
    many = _store(configuration, lambda store: store.write(recycling(name, outcome or (), time.time())))
    typer.echo(f"{many} records of {name} are called again")


@campaign_app.command("next")
def next_record(name: Name, agent: Agent, file: File = HERE) -> None:
    """Preview: show the next record and keep it for you for five minutes; `dial`, `skip` or `put-back` decides."""
    from ccaas.dialler.pages import SHOWN_S
    from ccaas.dialler.records import showing

    configuration = _campaign(file, name)
    now = time.time()
    one = _store(configuration, lambda store: store.write(showing(name, agent, now, now + SHOWN_S)))
    if one is None:
        typer.echo(f"nobody of {name} is due")
        raise typer.Exit(1)
    typer.echo(f"record {one.record_id}: {', '.join(one.numbers)}")
    for column, value in one.data.items():
        typer.echo(f"  {column}: {value}")
    if one.tries:
        typer.echo(f"  tried before: {one.tries}, last {one.outcome}")


Record = Annotated[int, typer.Argument(help="The record's number, as `next` shows it.")]


@campaign_app.command("dial")
def dial_record(name: Name, record: Record, file: File = HERE) -> None:
    """Preview: call this record now."""
    _decide(name, record, "release", file)


@campaign_app.command("skip")
def skip_record(name: Name, record: Record, file: File = HERE) -> None:
    """Preview: do not call this record."""
    _decide(name, record, "skip", file)


@campaign_app.command("put-back")
def put_back_record(name: Name, record: Record, file: File = HERE) -> None:
    """Preview: leave this record to somebody else."""
    _decide(name, record, "put back", file)


def _decide(name: str, record: int, step: str, file: Path) -> None:
    from ccaas.dialler.records import deciding
    from ccaas.dialler.state import RecordStep

    work = deciding(name, record, RecordStep(step), time.time())
    _store(_campaign(file, name), lambda store: store.write(work))
    typer.echo(f"record {record} of {name}: {step}")


def _step(name: str, file: Path, step: CampaignStep) -> None:
    from ccaas.dialler.records import stepping

    state = _store(_campaign(file, name), lambda store: store.write(stepping(name, step, time.time())))
    typer.echo(f"{name} is {state.value}")


def _campaign(file: Path, name: str) -> Configuration:
    """The configuration. Raises CampaignError for a campaign that it does not name."""
    from ccaas.config.configuration import load
    from ccaas.dialler.store import CampaignError
    from ccaas.spelling import nearest

    configuration = load(file)
    campaigns = configuration.settings.dialler.campaigns
    if name not in campaigns:
        mend = nearest(name, campaigns) if campaigns else "add it to dialler.campaigns"
        raise CampaignError(f"{file}: there is no campaign {name}; {mend}")
    return configuration


def _read(configuration: Configuration, file: Path) -> list[tuple[int, Row | Bad]]:
    from rich.progress import Progress

    from ccaas.dialler.importing import read_csv

    settings = configuration.settings
    phones = [phone.name for phone in settings.asterisk.phones]
    with Progress(transient=True) as progress:
        bar = progress.add_task(f"reading {file.name}", total=file.stat().st_size if file.is_file() else None)
        return list(read_csv(file, settings.journey.region, phones, lambda size: progress.advance(bar, size)))


def _store(configuration: Configuration, ask: Callable[[CampaignStore], Awaitable[T]]) -> T:
    from ccaas.dialler.store import FILE, CampaignStore

    async def run() -> T:
        store = await CampaignStore.open(configuration.site.state_dir / FILE)
        try:
            return await ask(store)
        finally:
            await store.close()

    return asyncio.run(run())
