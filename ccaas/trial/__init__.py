"""Talking to an installation's agents without telephones: in a terminal, or by scripted customers with a verdict."""
