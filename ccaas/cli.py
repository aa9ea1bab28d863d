"""The command line. Whatever goes wrong, an admin reads one sentence; a traceback goes to a file that it names."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated

import typer

from ccaas import __version__
from ccaas.commands.campaigns import campaign_app
from ccaas.commands.outreach import contacts_app, event_app, plays_app
from ccaas.commands.people import agents_app, queues, reload
from ccaas.commands.scorecard import scorecard
from ccaas.commands.trial import evaluate, try_agent
from ccaas.commands.users import user_app
from ccaas.errors import CcaasError

if TYPE_CHECKING:
    from ccaas.commands.journey import JourneyCommands

app = typer.Typer(
    help="A contact centre in which the network and the AI are one stack.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
asterisk_app = typer.Typer(no_args_is_help=True, help="The managed Asterisk.")
call_app = typer.Typer(no_args_is_help=True, help="One call.")
journey_app = typer.Typer(no_args_is_help=True, help="Customers, and what has happened between them and us.")
app.add_typer(asterisk_app, name="asterisk")
app.add_typer(call_app, name="call")
app.add_typer(journey_app, name="journey")
app.add_typer(contacts_app, name="contacts")
app.add_typer(event_app, name="event")
app.add_typer(plays_app, name="plays")
app.add_typer(campaign_app, name="campaign")
app.add_typer(user_app, name="user")
app.command("try")(try_agent)
app.command("eval")(evaluate)
app.add_typer(agents_app, name="agents")
app.command()(queues)
app.command()(reload)
app.command()(scorecard)

File = Annotated[
    Path, typer.Argument(envvar="CCAAS_CONFIG", help="The installation's YAML file.", show_default="ccaas.yaml")
]
HERE = Path("ccaas.yaml")
EXIT_CODE = 2
"""For everything that a person can mend."""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ccaas {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    pass


@app.command()
def check(file: File = HERE) -> None:
    """Find what is wrong with a YAML file, and with this machine for it, without starting anything."""
    from ccaas.checking import check as checked

    settings = checked(file).settings
    typer.echo(f"{file} is fine: plug-ins {', '.join(settings.plugins)}; entries {', '.join(settings.entries)}")


@app.command()
def up(file: File = HERE) -> None:
    """Start Asterisk and the controller, and keep them running until Ctrl-C (twice: at once)."""
    from ccaas.checking import ready_machine
    from ccaas.config.configuration import load
    from ccaas.dialling import what_to_dial
    from ccaas.guard import up as guard_up
    from ccaas.logs import configure_logs
    from ccaas.web.accounts.demo import demo_accounts

    configuration = load(file)
    ready_machine(configuration)
    configure_logs(configuration.settings.log, configuration.site.state_dir / "log", "guard")
    for line in [*what_to_dial(configuration), *demo_accounts(configuration)]:
        typer.echo(line)
    raise typer.Exit(guard_up(configuration))


@app.command()
def demo(
    script: Annotated[Path, typer.Argument(help="What the caller says, and what is shown.")] = Path(
        "examples/airline/demo.yaml"
    ),
) -> None:
    """Let a SIP caller ring an installation of its own, and show what happens."""
    from ccaas.demo import demo as play

    raise typer.Exit(play(script))


@app.command()
def drain(file: File = HERE) -> None:
    """Take no new calls; those that are up go on."""
    from ccaas.config.configuration import load
    from ccaas.remote import ask

    calls = ask(load(file), "POST", "/drain")["calls"]
    typer.echo(f"no new calls are taken; {calls} {'is' if calls == 1 else 'are'} up")


@app.command()
def plugins(
    file: Annotated[Path | None, typer.Argument(help="Show what the plug-ins of this YAML offer.")] = None,
) -> None:
    """List the plug-ins that are installed, or with a YAML file those that it loads and what they offer."""
    from ccaas.config.configuration import load
    from ccaas.config.picks import load_plugins
    from ccaas.implementations import available

    if file is None:
        for name, point in sorted(available().items()):
            package = f"{point.dist.name} {point.dist.version}" if point.dist else ""
            typer.echo(f"{name:16} {point.value:32} {package}")
        return
    host = load_plugins(load(file))
    for name in host.plugins:
        offers = [
            f"{offers.kind} {offer.name}" for offers in host.offers for offer in offers.values() if offer.plugin == name
        ]
        typer.echo(f"{name:16} {', '.join(offers + list(host.hooks_of(name)))}")


@app.command()
def models(
    names: Annotated[list[str] | None, typer.Argument(help="Models; none: those of the default configuration.")] = None,
    into: Annotated[Path, typer.Option(help="Folder of the models.")] = Path(".cache/models"),
    everything: Annotated[bool, typer.Option("--all", help="The optional ones too.")] = False,
) -> None:
    """Fetch model files and check every byte; what is there already is left alone."""
    from ccaas.models import chosen, fetch

    fetch(chosen(names or [], everything), into, typer.echo)


@app.command()
def calls(
    file: File = HERE, count: Annotated[int, typer.Option("-n", min=1, help="How many of the newest calls.")] = 20
) -> None:
    """List calls, newest last."""
    from rich.console import Console

    from ccaas.commands.call_view import show_calls
    from ccaas.config.configuration import load
    from ccaas.journal.reading import past_calls

    show_calls(
        Console(width=max(Console().width, 130)), past_calls(load(file).site.state_dir / "journal.sqlite", count)
    )


@call_app.command()
def show(call_id: Annotated[str, typer.Argument(help="The call's id, or its beginning.")], file: File = HERE) -> None:
    """Show what was said in a call, how fast, and what was done."""
    from rich.console import Console

    from ccaas.commands.call_view import show_call
    from ccaas.config.configuration import load
    from ccaas.journal.reading import call_record

    state = load(file).site.state_dir
    record = call_record(state / "journal.sqlite", call_id)
    recording = next((state / "recordings").glob(f"{record.call.call_id}*.wav"), None)
    show_call(Console(), record, recording)


@call_app.command()
def start(
    endpoint: Annotated[str, typer.Argument(help="Whom to call: PJSIP/6001, PJSIP/number@trunk.")],
    entry: Annotated[str, typer.Option(help="The entry whose agent speaks.")],
    caller_id: Annotated[str, typer.Option(help="What the called phone shows.")] = "",
    purpose: Annotated[str, typer.Option(help="service, transactional or marketing: for the gate.")] = "service",
    file: File = HERE,
) -> None:
    """Call somebody and let an entry's agent speak."""
    from ccaas.config.configuration import load
    from ccaas.remote import ask

    body = {"endpoint": endpoint, "entry": entry, "caller_id": caller_id, "purpose": purpose}
    typer.echo(ask(load(file), "POST", "/calls", body)["id"])


@journey_app.command("show")
def show_journey(
    who: Annotated[str, typer.Argument(help="A number, an e-mail address, sip:…, chat:…, or a customer's id.")],
    file: File = HERE,
    count: Annotated[int, typer.Option("-n", min=1, help="How many of the newest facts.")] = 200,
) -> None:
    """Show a customer: who they are, what is open, and what has happened."""
    from rich.console import Console

    console = Console()
    asyncio.run(_journey(file).show(console, who, count))


@journey_app.command("import")
def import_customers(
    customers: Annotated[Path, typer.Argument(help="A CSV file; docs/journey.md names the columns.")], file: File = HERE
) -> None:
    """Import customers; rows that are wrong are named and skipped. Doing it again doubles nothing."""
    from rich.console import Console
    from rich.progress import Progress

    from ccaas.journey.customers import count

    journey = _journey(file)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(customers.name, total=count(customers))
        done = asyncio.run(journey.take_in(customers, lambda more: progress.advance(task, more)))
    for bad in done.bad:
        typer.echo(f"{customers}:{bad.line}: {bad.reason}", err=True)
    typer.echo(f"customers imported: {done.customers}" + (f"; rows skipped: {len(done.bad)}" if done.bad else ""))
    raise typer.Exit(1 if done.bad else 0)


@journey_app.command("export")
def export_journey(
    who: Annotated[str, typer.Argument(help="A number, an address or a customer's id.")],
    file: File = HERE,
    out: Annotated[Path | None, typer.Option(help="File to write; left out, it is the terminal.")] = None,
) -> None:
    """Write everything that is kept of a customer as JSON lines."""
    journey = _journey(file)
    if out is None:
        asyncio.run(journey.export(who, sys.stdout))
        return
    count = asyncio.run(journey.export_to(who, out))
    typer.echo(f"{count} lines in {out}")


@journey_app.command("forget")
def forget_customer(
    who: Annotated[str, typer.Argument(help="A number, an address or a customer's id.")],
    file: File = HERE,
    why: Annotated[str, typer.Option(help="For the audit, without names.")] = "asked to be forgotten",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    here: Annotated[
        bool, typer.Option("--here", help="Only what this machine keeps: before the last of several.")
    ] = False,
) -> None:
    """Erase a customer: timeline, threads, identities, recordings, and their calls in the journal."""
    journey = _journey(file)
    if not yes:
        typer.confirm(f"erase {asyncio.run(journey.name(who))} for good?", abort=True)
    if here:
        typer.echo(f"{asyncio.run(journey.forget_here(who))} calls and conversations erased from this machine")
        return
    erased = asyncio.run(journey.forget(who, why))
    typer.echo(f"erased; facts: {erased.facts}, recordings: {erased.recordings}, receipt: {erased.receipt}")


@journey_app.command()
def merge(
    kept: Annotated[str, typer.Argument(help="Whose id stays.")],
    gone: Annotated[str, typer.Argument(help="Who is the same person.")],
    file: File = HERE,
    why: Annotated[str, typer.Option(help="For the audit.")] = "",
) -> None:
    """Make two customers one."""
    asyncio.run(_journey(file).merge(kept, gone, why))
    typer.echo(f"{gone} is {kept} from now on")


@journey_app.command()
def unmerge(
    gone: Annotated[str, typer.Argument(help="The id that was merged; `journey audit` shows it.")],
    file: File = HERE,
    why: Annotated[str, typer.Option(help="For the audit.")] = "",
) -> None:
    """Undo a merge: what belonged to the id before is its own again."""
    asyncio.run(_journey(file).unmerge(gone, why))
    typer.echo(f"{gone} is on its own again")


@journey_app.command()
def audit(
    file: File = HERE, count: Annotated[int, typer.Option("-n", min=1, help="How many of the newest rows.")] = 100
) -> None:
    """Show who merged, erased and exported whom, newest last."""
    from rich.console import Console

    asyncio.run(_journey(file).audit(Console(width=max(Console().width, 110)), count))


def _journey(file: Path) -> JourneyCommands:
    from ccaas.commands.journey import JourneyCommands
    from ccaas.config.configuration import load

    return JourneyCommands(load(file))


@asterisk_app.command()
def install(
    prefix: Annotated[Path, typer.Option(help="Folder for Asterisk.")] = Path(".cache/asterisk"),
    cache: Annotated[Path | None, typer.Option(help="Folder for package files.")] = None,
) -> None:
    """Unpack Asterisk 22 from Debian's packages into a private folder; needs no root."""
    from ccaas.asterisk.install import install_asterisk

    if not install_asterisk(prefix, cache or prefix.parent / "debian", typer.echo):
        typer.echo(f"already in {prefix}")


@asterisk_app.command()
def render(file: File = HERE) -> None:
    """Write Asterisk's configuration files from the YAML, and say where."""
    from ccaas.asterisk.managed import ManagedAsterisk
    from ccaas.asterisk.render import render as rendered
    from ccaas.asterisk.render import write
    from ccaas.config.configuration import load

    configuration = load(file)
    site = configuration.site
    managed = ManagedAsterisk(configuration.settings.asterisk, site.state_dir / "asterisk", site.config_dir)
    files = rendered(managed.settings, managed.secrets, managed.folder, managed.prefix, base=site.config_dir)
    write(managed.folder, files)
    typer.echo(f"{len(files)} files in {managed.folder.etc}")


@asterisk_app.command()
def shell(
    file: File = HERE,
    command: Annotated[str, typer.Option("-x", help="One command instead of a conversation.")] = "",
) -> None:
    """Open the console of the running Asterisk."""
    from ccaas.config.configuration import load

    console = load(file).site.state_dir / "asterisk/console"
    if not console.exists():
        raise CcaasError(f"no Asterisk has run with {file}; start one with `ccaas up {file}`")
    words = ["-rx", command] if command else ["-r"]
    raise typer.Exit(subprocess.run([console, *words], check=False).returncode)


def _unexpected(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """One line for the admin; the traceback, without secrets, goes to a file."""
    if issubclass(kind, KeyboardInterrupt):
        sys.stderr.write("\n")
        return
    from ccaas.logs import hide_credentials

    descriptor, name = tempfile.mkstemp(prefix="ccaas-fault-", suffix=".txt")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"ccaas {__version__}: {shlex.join(sys.argv)}\n")
        file.write(hide_credentials("".join(traceback.format_exception(kind, error, trace))))
    sys.stderr.write(f"ccaas: a fault of ours ({kind.__name__}: {error}); the details are in {name}\n")


def main() -> None:
    """Entry point."""
    sys.excepthook = _unexpected
    try:
        typer.main.get_command(app)()  # app() would put its own excepthook in place
    except CcaasError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(EXIT_CODE)


if __name__ == "__main__":
    main()
