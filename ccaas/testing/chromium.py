"""Chromium for tests in a real browser: the machine's own, else Debian's, unpacked beside the models without root.

`python -m ccaas.testing.chromium PREFIX` unpacks it where the machine has none.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ccaas.debian import PackageSet, Prefix
from ccaas.errors import SetupError
from ccaas.testing.unpacking import unpack

PROGRAM = "usr/lib/chromium/chromium"

FLAGS = (
    "--no-sandbox",  # a machine's or a container's rules may forbid it, and only pages of ours are opened
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

CHROMIUM = PackageSet(
    packages=("chromium", "fonts-dejavu-core", "fonts-noto-color-emoji"),
    leave_out=(
        # The machine's own: a C library only works with the loader of its very version.
        *(r"libc6", r"libgcc-s1", r"gcc-\d+-base"),
        # What maintainer scripts and desktops need.
        *(r"perl.*", r"libperl.*", r"lib.*-perl", r"debconf", r"dpkg", r"tar", r"usrmerge", r"adduser", r"passwd"),
        *(r"systemd.*", r"libsystemd-shared", r"sysvinit-utils", r"init-system-helpers", r"lsb-base", r"mount"),
        *(r"dmsetup", r"procps", r"libpam.*", r"dbus.*", r"x11-.*", r"xdg-utils", r"adwaita-icon-theme"),
        *(r"hicolor-icon-theme", r"gtk-update-icon-cache", r"shared-mime-info", r"libgtk-3-common"),
        # Drivers of graphics cards; headless, it draws by itself.
        *(r"libgl1-mesa-dri", r"libllvm\d+", r"libz3-4", r"libglapi-mesa", r"libglx-mesa0", r"libdrm-.+\d"),
    ),
)


@dataclass(frozen=True, slots=True)
class Browser:
    """How to start it."""

    program: str
    environment: Mapping[str, str]
    """Instead of the process's own."""
    flags: tuple[str, ...] = FLAGS


def find(prefix: Path) -> Browser:
    """The machine's own Chromium, or the one unpacked into `prefix`.

    Raises:
        SetupError: there is none.
    """
    if own := shutil.which("chromium"):
        return Browser(own, dict(os.environ))
    unpacked = Prefix(prefix.absolute())
    if not unpacked.has(PROGRAM):
        raise SetupError(
            f"there is no chromium on this machine and none in {prefix}; run `make setup` for the tests again"
        )
    libraries = unpacked.library_dir
    folders = (libraries, unpacked.path / "lib" / libraries.name, libraries / "pulseaudio")
    environment = {
        **os.environ,
        "LD_LIBRARY_PATH": ":".join(str(folder) for folder in folders),
        "FONTCONFIG_PATH": str(unpacked.path / "etc/fonts"),
        "XDG_DATA_HOME": str(unpacked.path / "usr/share"),  # its fonts
    }
    return Browser(str(unpacked.path / PROGRAM), environment)


if __name__ == "__main__":
    sys.exit(unpack("chromium", CHROMIUM, there=bool(shutil.which("chromium")), otherwise="chromium"))
