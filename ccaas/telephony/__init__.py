"""The network: calls, legs, and what may happen to them. Pure; the adapter to Asterisk is `ccaas.asterisk`."""
