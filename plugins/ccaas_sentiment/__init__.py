"""How callers feel, live: their words against examples, their voice against their own first turns."""
