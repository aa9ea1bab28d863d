"""ccaas: a contact centre in which the network and the AI are one stack."""

__version__ = "0.1.0"
