"""The command line. Whatever goes wrong, an admin reads one sentence; a traceback goes to a file that it names."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from types import TracebackType
from typing import Annotated

import typer

from ccaas import __version__
from ccaas.errors import CcaasError

app = typer.Typer(
    help="A contact centre in which the network and the AI are one stack.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
asterisk_app = typer.Typer(no_args_is_help=True, help="The managed Asterisk.")
call_app = typer.Typer(no_args_is_help=True, help="One call.")
app.add_typer(asterisk_app, name="asterisk")
app.add_typer(call_app, name="call")

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
    from ccaas.asterisk import check as asterisk_check
    from ccaas.asterisk.folder import RunFolder
    from ccaas.asterisk.pid import running_pid
    from ccaas.config.configuration import load
    from ccaas.config.document import raise_all
    from ccaas.config.picks import load_plugins, pick

    configuration = load(file)
    pick(configuration, load_plugins(configuration))
    site, settings = configuration.site, configuration.settings
    running = bool(running_pid(RunFolder(site.state_dir / "asterisk")))
    faults = asterisk_check.faults(settings.asterisk, site.config_dir, running=running)
    raise_all(configuration.document.error(fault.steps, fault.problem, fault.mend) for fault in faults)
    typer.echo(f"{file} is fine: plug-ins {', '.join(settings.plugins)}; entries {', '.join(settings.entries)}")


@app.command()
def up(file: File = HERE) -> None:
    """Start Asterisk and the controller, and keep them running until Ctrl-C (twice: at once)."""
    from ccaas.config.configuration import load
    from ccaas.dialling import what_to_dial
    from ccaas.guard import up as guard_up
    from ccaas.logs import configure_logs

    configuration = load(file)
    configure_logs(configuration.settings.log, configuration.site.state_dir / "log", "guard")
    for line in what_to_dial(configuration):
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

    from ccaas.call_view import show_calls
    from ccaas.config.configuration import load
    from ccaas.journal.reading import past_calls

    show_calls(
        Console(width=max(Console().width, 130)), past_calls(load(file).site.state_dir / "journal.sqlite", count)
    )


@call_app.command()
def show(call_id: Annotated[str, typer.Argument(help="The call's id, or its beginning.")], file: File = HERE) -> None:
    """Show what was said in a call, how fast, and what was done."""
    from rich.console import Console

    from ccaas.call_view import show_call
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
    file: File = HERE,
) -> None:
    """Call somebody and let an entry's agent speak."""
    from ccaas.config.configuration import load
    from ccaas.remote import ask

    body = {"endpoint": endpoint, "entry": entry, "caller_id": caller_id}
    typer.echo(ask(load(file), "POST", "/calls", body)["id"])


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
