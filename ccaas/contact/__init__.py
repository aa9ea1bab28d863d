"""The humans: queues, agents, what they are handed, and who may do what. The calls themselves are `ccaas.telephony`."""
