"""Programs from Debian's own packages, unpacked into a private folder without root.

Standard library only: this runs before any virtual environment exists.
"""

from ccaas.debian.apt import PackageSet
from ccaas.debian.prefix import Prefix, install

__all__ = ["PackageSet", "Prefix", "install"]
