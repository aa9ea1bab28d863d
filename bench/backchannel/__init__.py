"""How the weights of `ccaas/conversation/backchannel.py` were made: render, describe, train."""
