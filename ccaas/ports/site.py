"""Where things lie on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo


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


def _existing(value: str, info: ValidationInfo) -> str:
    beside = (info.context or {}).get("folder")
    if beside is not None:
        path = (beside / value).resolve()
        try:
            there = path.is_dir()
        except OSError as error:
            raise ValueError(f"{path} cannot be looked at ({error.strerror}); mend its rights, or correct it") from None
        if not there:
            raise ValueError(f"there is no folder {path}; make it, or correct the path")
    return value


ExistingFolder = Annotated[str, AfterValidator(_existing)]
"""A setting that names a folder (see `Site.path`), which must be there when the YAML is checked. Settings that are made without a
YAML are not looked at."""
