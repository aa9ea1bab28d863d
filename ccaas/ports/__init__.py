"""Protocols and plain data between the core and what is plugged into it. No logic lives here."""
