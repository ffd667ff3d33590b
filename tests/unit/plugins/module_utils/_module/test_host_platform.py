# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entry of the role's own table of platforms for each host, by what hosts say in os-release(5)."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.mailops.smtp.plugins.module_utils._module.host_platform import Choice, choose

ROLE = Path(__file__).resolve().parents[5] / "roles/relay"
TABLE = yaml.safe_load((ROLE / "vars/main/platforms.yml").read_text())["__relay_platforms"]


def ask(host: str, platform: str = "auto") -> Choice:
    """Choose for ``ID VERSION_ID ID_LIKE...``; a minus sign is a host without a version."""
    name, version, *like = host.split()
    version = version.strip("-")
    fields = {"id": name, "like": like, "version": version, "major": version.partition(".")[0]}
    return choose({**fields, "name": f"{name.capitalize()} {version}".strip()}, TABLE, platform)


@pytest.mark.parametrize(
    ("host", "entry"),
    [
        ("debian 11", "Debian-11"),
        ("debian 12", "Debian-12"),
        ("debian 13", "Debian-13"),
        ("debian -", "Debian-testing"),
        ("ubuntu 22.04 debian", "Ubuntu-22.04"),
        ("ubuntu 24.04 debian", "Ubuntu-24.04"),
        ("ubuntu 26.04 debian", "Ubuntu-26.04"),
        ("rhel 9.6 fedora", "RedHat-9"),
        ("almalinux 9.7 rhel centos fedora", "RedHat-9"),
        ("ol 9.6 fedora", "RedHat-9"),
        ("rocky 10.0 rhel centos fedora", "RedHat-10"),
        ("centos 10 rhel fedora", "RedHat-10"),
        ("fedora 43", "Fedora-43"),
        ("fedora 44", "Fedora-44"),
        ("amzn 2023 fedora", "Amazon-2023"),
    ],
)
@pytest.mark.parametrize("platform", ["auto", "Debian-12", "RedHat-9"])
def test_a_host_that_is_known_has_its_own_entry_whatever_relay_platform_says(
    host: str, entry: str, platform: str
) -> None:
    assert ask(host, platform) == Choice(entry)


UNKNOWN = [
    ("debian 14", "Debian-testing"),
    ("ubuntu 25.10 debian", "Ubuntu-26.04"),
    ("linuxmint 22 ubuntu debian", "Ubuntu-24.04"),
    ("kali 2026.3 debian", "Debian-testing"),
    ("raspbian 13 debian", "Debian-13"),
    ("rocky 11.0 rhel centos fedora", "RedHat-10"),
    ("rhel 8.10 fedora", "RedHat-9"),
    ("fedora 45", "Fedora-44"),
    ("amzn 2 centos rhel fedora", "RedHat-9"),
]


@pytest.mark.parametrize(("host", "platform"), UNKNOWN)
def test_an_unknown_host_of_a_known_family_may_be_tried_on_purpose(host: str, platform: str) -> None:
    refused = ask(host)
    assert refused.entry == refused.warning == ""
    assert "is not supported" in refused.problem
    assert refused.problem.endswith(".")
    assert platform in refused.problem.partition("To try it anyway, set relay_platform to the one")[2]
    tried = ask(host, platform)
    assert (tried.entry, tried.problem) == (platform, "")
    assert f"and treats it as {platform}." in tried.warning


@pytest.mark.parametrize(
    ("host", "platform", "words"),
    [
        ("opensuse-leap 16.0 suse opensuse", "auto", "config.postfix"),
        ("opensuse-tumbleweed 20261120 opensuse suse", "RedHat-10", "zypper"),
        ("sles 15.7 suse", "Debian-13", "zypper"),
        ("almalinux 8.10 rhel centos fedora", "auto", "Python 3.6"),
        ("alpine 3.23", "Debian-13", "Alpine 3.23 is not supported"),
        ("arch -", "RedHat-10", "Arch is not supported"),
        ("linux -", "auto", "Linux is not supported"),
        ("linuxmint 22 ubuntu debian", "RedHat-9", "relay_platform: RedHat-9 has other packages than this host."),
        ("fedora 45", "Ubuntu-24.04", "relay_platform: Ubuntu-24.04 has other packages than this host."),
    ],
)
def test_another_host_is_refused_with_the_reason(host: str, platform: str, words: str) -> None:
    choice = ask(host, platform)
    assert choice.entry == choice.warning == ""
    assert words in choice.problem


def test_a_family_that_the_role_cannot_install_on_is_not_advised_to_try() -> None:
    assert "To try it" not in ask("opensuse-leap 16.0 suse opensuse").problem
    assert "To try it" not in ask("alpine 3.23").problem


def test_without_a_table_there_is_neither_entry_nor_problem() -> None:
    assert choose({"id": "debian", "like": [], "version": "13", "major": "13", "name": "Debian"}, {}) == Choice()


@pytest.mark.parametrize("platform", ["Debian-9", "debian-13", "Ubuntu", "RedHat-8", "SUSE", ""])
@pytest.mark.parametrize("host", ["debian 13", "linuxmint 22 ubuntu debian"])
def test_a_platform_that_the_role_does_not_have_is_a_problem_on_every_host(host: str, platform: str) -> None:
    choice = ask(host, platform)
    assert choice.problem.startswith(f"relay_platform: {platform!r} is not a valid platform; expected auto, Debian-11")
    assert choice.entry == choice.warning == ""


def test_the_page_of_the_role_names_every_platform() -> None:
    options = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    text = " ".join(options["relay_platform"]["description"])
    assert [name for name, entry in TABLE.items() if "unsupported" not in entry and f"V({name})" not in text] == []
