"""Accounts with passwords, their sessions, and what each of them did: one SQLite file below the state folder."""
