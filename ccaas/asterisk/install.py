"""Asterisk 22 LTS from Debian's packages, in a folder of its own: `python3 -m ccaas.asterisk.install PREFIX`.

Standard library only: this runs before any virtual environment exists.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from ccaas.debian import PackageSet, Prefix, install
from ccaas.debian.apt import Progress
from ccaas.errors import AsteriskError, CcaasError

PROGRAM = "usr/sbin/asterisk"

SUITE = "forky"
"""Debian 12 and 13 carry no Asterisk; this release carries 22 LTS."""

ASTERISK = PackageSet(
    packages=("asterisk", "asterisk-modules", "asterisk-config", "asterisk-core-sounds-en-wav"),
    suite=SUITE,
    leave_out=(
        # What only maintainer scripts run.
        *(r"perl-base", r"perl-modules-.*", r"libperl5.*", r"libgdbm.*", r"debconf", r"libdebconfclient0", r"adduser"),
        *(r"passwd", r"base-passwd", r"login\.defs", r"libaudit.*", r"libpam.*", r"libselinux1", r"libsemanage.*"),
        *(r"libsepol2", r"libcap-ng0", r"libdb5.*", r"libacl1", r"readline-common", r"libpcre2-8-0", r"tzdata"),
        *(r"gnupg.*", r"gpg.*", r"dirmngr", r"pinentry-.*", r"libksba8", r"libnpth0.*", r"libassuan9", r"libgpg.*"),
        # What only modules need that our modules.conf does not load (directories, databases, sound cards, fax, …).
        *(r"libcurl4.*", r"libldap2", r"libsasl2.*", r"libkrb5.*", r"libk5crypto3", r"libgssapi-.*", r"libcom-err2"),
        *(r"libkeyutils1", r"libssh2.*", r"libnghttp.*", r"libngtcp2.*", r"libbrotli1", r"libpsl5.*", r"libidn2-0"),
        *(r"libunistring5", r"libglib2.*", r"libgmime.*", r"libffi8", r"libblkid1", r"libmount1", r"libatomic1"),
        *(r"libgcrypt20", r"libgnutls.*", r"libnettle8.*", r"libhogweed6.*", r"libp11-kit0", r"libtasn1-6"),
        *(
            r"libgmp10",
            r"libreadline8.*",
            r"libncursesw6",
            r"libicu\d+",
            r"libical3.*",
            r"libiksemel3",
            r"libsamplerate0",
        ),
        *(r"libjack-.*", r"libasound2.*", r"libportaudio2", r"liblua5.*", r"libntlm0", r"libneon27.*", r"libltdl7"),
        *(r"libodbc2", r"libopencore-.*", r"libvo-amrwbenc0", r"libcodec2-.*", r"libopusenc0", r"libopusfile0"),
        *(r"libogg0", r"libvorbis.*", r"libpq5", r"libradcli4", r"libresample1", r"libnl-.*", r"libudev1", r"pci\.ids"),
        *(r"libpci3", r"libsensors.*", r"libwrap0", r"libsnmp.*", r"libtiff6", r"libjpeg62.*", r"libwebp7"),
        *(r"libsharpyuv0", r"libdeflate0", r"libjbig0", r"liblerc4", r"liblzma5", r"libbz2-.*", r"libspandsp2.*"),
        *(r"libspeex.*", r"freetds-common", r"libsybdb5", r"libevent-.*", r"libunbound8", r"libjwt2", r"libb64-.*"),
        *(r"libpopt0", r"gcc-\d+-base", r"libc-gconv-modules-extra", r"openssl-provider-legacy"),
    ),
)


def install_asterisk(prefix: Path, cache: Path, progress: Progress) -> bool:
    """Put Asterisk into `prefix`. Returns False if it was there already.

    Raises:
        SetupError: it could not be fetched or unpacked.
        AsteriskError: what was unpacked does not run.
    """
    fresh = install(ASTERISK, prefix, cache, progress)
    if fresh:
        progress(f"{version(Prefix(prefix.absolute()))} is in {prefix}")
    return fresh


def version(prefix: Prefix) -> str:
    """What `asterisk -V` says, e.g. "Asterisk 22.10.1".

    Raises:
        SetupError: it is not there.
        AsteriskError: it does not run.
    """
    done = subprocess.run(prefix.command(PROGRAM, "-V"), text=True, capture_output=True, check=False)
    if done.returncode or not done.stdout.startswith("Asterisk "):
        reason = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
        raise AsteriskError(
            f"Asterisk in {prefix.path} does not run: {reason}; delete that folder and run `make setup`"
        )
    return done.stdout.split("~")[0].split("+")[0].strip()


def main() -> int:
    """Install into the folder named on the command line, printing progress."""
    parser = argparse.ArgumentParser(description="Install Asterisk from Debian's packages into a private folder.")
    parser.add_argument("prefix", type=Path)
    parser.add_argument("--cache", type=Path, help="where package files are kept (default: debian, beside the prefix)")
    options = parser.parse_args()
    try:
        if not install_asterisk(options.prefix, options.cache or options.prefix.parent / "debian", _print):
            _print(f"already in {options.prefix}")
    except CcaasError as error:
        print(f"asterisk: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _print(line: str) -> None:
    if sys.stdout.isatty():
        print(f"\r\033[Kasterisk: {line}", end="" if line.startswith("downloading") else "\n", flush=True)
    else:
        print(f"asterisk: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
