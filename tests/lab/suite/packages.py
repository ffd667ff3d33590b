# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages that a host's own repository does not have: fetched on this machine, added to the repository."""

from __future__ import annotations

import subprocess
import typing as t
from pathlib import Path

from ansible_collections.mailops.smtp.tests.lab.suite.plays import BUILD, LAB

CODENAMES = {"12": "bookworm", "13": "trixie"}
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
MIRROR = ("apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(ORIGIN) $(COMPONENT)")
#: The source comes first, since apt takes the first of two packages with the same version.
ADD = r"""
set -eu
rm -rf /srv/offered
mv /root/offered /srv/offered
sed -i -e '/offered/d' -e '1i deb [trusted=yes] file:/srv/offered ./' /etc/apt/sources.list
apt-get update -qq
"""


def offer_packages(host: t.Any, name: str, packages: t.Sequence[str]) -> None:
    """Let the host install packages of its Debian release, unless it can do so already.

    :param name: the host's name for ssh.
    """
    if host.run(f"apt-get -qq --simulate --no-install-recommends install {' '.join(packages)}").succeeded:
        return
    folder = fetch(host.check_output("cut -d. -f1 /etc/debian_version"), packages)
    scp = ["scp", "-q", "-r", "-F", str(LAB / "ssh_config"), str(folder), f"{name}:/root/offered"]
    subprocess.run(scp, timeout=60, check=True)
    host.check_output(ADD)


def fetch(release: str, packages: t.Sequence[str]) -> Path:
    """Download the packages of a release from the mirror that this machine uses, once for all labs."""
    cache = BUILD / "-".join(["offered", release, *packages])
    debs = cache / "packages"
    if (debs / "Packages").exists():
        return debs
    for folder in (debs, cache / "lists/partial", cache / "cache/archives/partial"):
        folder.mkdir(parents=True, exist_ok=True)
    targets = subprocess.run(MIRROR, capture_output=True, text=True, check=True).stdout.splitlines()
    mirrors = [words[0] for words in map(str.split, targets) if words[2:] == ["Debian", "main"] and "-" not in words[1]]
    assert mirrors, "this machine's apt has no Debian mirror from which to fetch packages"
    (cache / "status").touch()
    (cache / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirrors[0]} {CODENAMES[release]} main\n")
    settings = {
        "Dir::Etc::sourcelist": cache / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": cache / "lists",
        "Dir::State::status": cache / "status",
        "Dir::Cache": cache / "cache",
    }
    apt = ["apt-get", "-qq", *(f"-o{key}={value}" for key, value in settings.items())]
    subprocess.run([*apt, "update"], timeout=300, check=True)
    subprocess.run([*apt, "download", *packages], cwd=debs, timeout=300, check=True)
    index = subprocess.run(["apt-ftparchive", "packages", "."], cwd=debs, capture_output=True, check=True).stdout
    (debs / "Packages").write_bytes(index)
    return debs
