"""SQLite files with one owner thread, many changes to a transaction, and tables that only go forward."""

from ccaas.sqlite.file import SqliteFile
from ccaas.sqlite.store import Store
from ccaas.sqlite.worker import Job, Worker

__all__ = ["Job", "SqliteFile", "Store", "Worker"]
