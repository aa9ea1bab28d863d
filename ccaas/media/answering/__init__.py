"""Tells who has answered: by the greeting's timing and words, and by tones. Pure: audio in, verdicts out."""
