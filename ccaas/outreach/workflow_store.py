"""Where the workflows of plays are kept: a SQLite file beside the cases, or PostgreSQL."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sqlite3
from collections.abc import Collection

import sqlalchemy
from dbos import DBOSClient, DBOSConfig

from ccaas.errors import SetupError
from ccaas.outreach.play_settings import PASSWORD_ENV, ProactiveSettings
from ccaas.ports.site import Site

APP = "ccaas-plays"
VERSION = "1"
"""Of the order of the workflows' steps. Another one leaves what an earlier version began to that version."""


def workflow_store(settings: ProactiveSettings, site: Site, machine: str) -> DBOSConfig:
    """What the library is started with. `machine`: whose cut-off workflows are gone on with. Raises SetupError."""
    config: DBOSConfig = {
        "name": APP,
        "log_level": "ERROR",
        "executor_id": machine,
        "application_version": VERSION,
    }
    if settings.is_postgres:
        url = sqlalchemy.make_url(settings.store).set(drivername="postgresql+psycopg")
        password = _password(settings, site)
        config["system_database_url"] = (url.set(password=password) if password else url).render_as_string(
            hide_password=False
        )
        return config
    sqlite = f"sqlite:///{site.state_dir.absolute() / settings.store}"
    config["system_database_url"] = sqlite
    if importlib.util.find_spec("pysqlite3"):
        # The standard library's SQLite is too old on some systems.
        newer = importlib.import_module("pysqlite3.dbapi2")
        config["system_database_engine"] = sqlalchemy.create_engine(sqlite, module=newer)
    return config


def machine_of(db: sqlite3.Connection) -> str:
    """The name under which the controllers of this store go on with each other's workflows; it stays with the cases."""
    return str(db.execute("SELECT name FROM machine").fetchone()["name"])


def forget(settings: ProactiveSettings, site: Site, case_ids: Collection[str]) -> None:
    """Delete the workflows of a person's cases, with what they were told; beside a controller that runs, or without one.

    Raises SetupError: the store cannot be opened.
    """
    if not case_ids or not (settings.is_postgres or (site.state_dir / settings.store).exists()):
        return
    config = workflow_store(settings, site, "")
    try:
        client = DBOSClient(
            system_database_url=config["system_database_url"],
            system_database_engine=config.get("system_database_engine"),
        )
        try:
            found = client.list_workflows(workflow_id_prefix=[f"{case_id}:" for case_id in case_ids], load_output=False)
            if found:
                client.delete_workflows([one.workflow_id for one in found])
        finally:
            client.destroy()
    except (sqlalchemy.exc.SQLAlchemyError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise SetupError(f"proactive.store: {settings.store} cannot be opened ({reason}); mend it") from error


def _password(settings: ProactiveSettings, site: Site) -> str | None:
    if not settings.password_file:
        return os.environ.get(PASSWORD_ENV)
    file = site.path(settings.password_file)
    try:
        return file.read_text(encoding="utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SetupError(f"{file}: proactive.password_file cannot be read ({reason}); mend it") from None
