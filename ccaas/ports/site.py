"""Where things lie on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Site:
    """Folders of one installation. Handed to every factory, so that no plug-in guesses a path."""

    config_dir: Path
    """Folder of the YAML file: relative paths in settings start here."""
    state_dir: Path
    """Databases, recordings, run-time files; kept over restarts."""
    models_dir: Path
    """Model files that the set-up step unpacked, one folder per model."""
    cache_dir: Path
    """What can be made again: synthesised phrases, embeddings."""

    def path(self, value: str) -> Path:
        """A path from the YAML: absolute, or relative to the YAML file's folder."""
        return (self.config_dir / value).resolve()
