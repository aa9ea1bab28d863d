"""Voice activity (Silero) and end of turn (smart-turn), from audio."""
