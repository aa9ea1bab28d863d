"""Speech recognition in English by Moonshine models."""
