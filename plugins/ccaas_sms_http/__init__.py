"""Short messages through any gateway that speaks HTTP: what it wants and what it says is described in the YAML."""
