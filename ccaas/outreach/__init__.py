"""Contacts that we begin: the compliance gate, and what contacts for a reason (events, plays, holds)."""
