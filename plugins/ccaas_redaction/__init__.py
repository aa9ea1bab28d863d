"""Finds what is private in texts, so that it need not leave this machine."""
