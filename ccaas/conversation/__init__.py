"""The turn: when the caller has finished, what to say, and what happens when both speak."""
