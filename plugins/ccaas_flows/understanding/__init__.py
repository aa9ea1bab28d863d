"""From a caller's words to an intent and slot values: MiniLM and TF-IDF for intents, rules for acts and values."""
