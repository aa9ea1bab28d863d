"""The embedded reasoner: conversations written in YAML, understood on this machine."""
