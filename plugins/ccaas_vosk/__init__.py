"""Speech recognition by Vosk models, one per language."""
