# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps an authority from this host, by what the programs of the host say of its addresses."""

from __future__ import annotations

import subprocess
import typing as t

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._renewal import examining

OURS, OURS_6 = "192.0.2.10", "2001:db8::10"
ADDRESSES = f"2: eth0    inet {OURS}/24 brd 192.0.2.255\n2: eth0    inet6 {OURS_6}/64 scope global\n"
#: Addresses of the name; relay_dns.addresses; what is told, empty if nothing is.
LEADS: list[tuple[list[str], list[str], str]] = [
    ([OURS], [], ""),
    ([OURS, OURS_6], [], ""),
    ([OURS, "192.0.2.11"], [], ""),
    (["127.0.1.1"], [], ""),
    (["127.0.1.1", "::1", OURS], [], ""),
    ([], [], "has no address in the DNS"),
    (["192.0.2.11"], [], "leads to 192.0.2.11, which is not an address of this host"),
    ([OURS, "2001:db8::99"], [], "leads to 2001:db8::99, which is not an address of this host"),
    (["192.0.2.11", OURS_6], [], "leads to 192.0.2.11, which is not an address of this host"),
    (["192.0.2.11", "2001:db8::99"], [], "leads to 192.0.2.11, 2001:db8::99, which"),
    (["198.51.100.1", OURS_6], ["198.51.100.1"], ""),
    (["2001:db8::99"], ["2001:DB8:0:0::99"], ""),
    ([OURS], ["outside"], ""),
]


@pytest.mark.parametrize(("found", "outer", "told"), LEADS)
def test_each_family_of_a_name_leads_to_this_host(
    monkeypatch: pytest.MonkeyPatch, found: list[str], outer: list[str], told: str
) -> None:
    said = {"ip": ADDRESSES, "getent": "".join(f"{one}  STREAM relay.example.com\n" for one in found)}

    def run(*argv: str, **_options: t.Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(argv, 0, said[argv[0]], "")

    monkeypatch.setattr(examining, "run", run)
    acme = {"challenge": "http-01", "names": ["relay.example.com"]}
    sentences = list(examining._elsewhere({"acme": acme, "addresses": outer}))
    assert len(sentences) == bool(told)
    assert told in "".join(sentences)
    assert list(examining._elsewhere({"acme": {**acme, "challenge": "dns-01"}, "addresses": []})) == []
