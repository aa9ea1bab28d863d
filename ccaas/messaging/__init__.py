"""Conversations by text: what comes in, one conversation for each customer, what goes out."""
