"""Figures: printed and kept as JSON, never a pass or fail on time."""
