"""Short messages by SIP MESSAGE (RFC 3428), through the switch that also carries the calls."""
