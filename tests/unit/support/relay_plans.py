# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans of the role relay for tests: make one from a few variables, and look up its parts."""

from __future__ import annotations

import typing as t

from ansible_collections.mailops.smtp.plugins.module_utils._relay.plan import make_plan

#: A relay with a listener on each mail port, a user, and an upstream with a login.
LOGINS: dict[str, t.Any] = {
    "listeners": [{"port": 25}, {"port": 465, "from": ["192.0.2.0/24", "2001:db8::/32"]}, {"port": 587}],
    "users": [{"name": "deploy", "password": "pw", "senders": ["deploy@a.test", "@b.test"]}],
    "upstream": {"host": "smtp.p.test", "port": 587, "username": "me@p.test", "password": "secret word"},
}
#: A relay for domains still to be named.
MX: dict[str, t.Any] = {"listeners": [{"port": 25}], "upstream": {}}


def options(**changes: t.Any) -> dict[str, t.Any]:
    """Return what the plan is made from: the defaults of the role, with an upstream and these changes."""
    defaults: dict[str, t.Any] = {
        "hostname": "relay.a.test",
        "domain": "a.test",
        "names": ["relay"],
        "listeners": [],
        "networks": [],
        "users": [],
        "upstream": {"host": "smtp.p.test"},
        "routes": [],
        "domains": [],
        "strangers": {},
        "aliases": {},
        "rewrites": {},
        "limits": {},
        "tls": {},
        "verify": {},
        "firewall": {},
        "settings": {},
        "services": [],
        "bans": {},
        "hardening": {"disable_vrfy_command": "yes", "biff": "no"},
        "since": {},
        "ssh_port": 22,
        "heading": "Ansible managed",
        "postfix": {"version": "3.10.5", "map_types": ["lmdb"]},
    }
    return {**defaults, **changes}


def plan(**changes: t.Any) -> dict[str, t.Any]:
    """Return the plan with its secrets; fail if there are problems."""
    made = make_plan(options(**changes), secrets=True)
    assert made["problems"] == []
    return made


def problems_of(**changes: t.Any) -> list[str]:
    """Return the problems of these variables."""
    return list(make_plan(options(**changes))["problems"])


def service(made: dict[str, t.Any], name: str) -> dict[str, str]:
    """Return the options of a service of master.cf."""
    return next(dict(service["options"]) for service in made["services"] if service["line"].split()[0] == name)


def firewall_rules(made: dict[str, t.Any]) -> list[str]:
    """Return the rules with a port, as written for nftables."""
    (text,) = (file["content"] for file in made["firewall_files"]["nftables"] if file["path"].endswith(".nft"))
    return [line.strip() for line in text.splitlines() if "dport" in line]


def table(made: dict[str, t.Any], name: str) -> list[str]:
    """Return the lines of a lookup table; none if it is not written."""
    found = [one for one in made["tables"] + made["secret_files"] if one["path"] == f"/etc/postfix/{name}"]
    return [line for one in found for line in (one.get("content") or one["secret"]).splitlines()]


def users(made: dict[str, t.Any]) -> str:
    """Return Dovecot's passwd-file."""
    return next(str(one["secret"]) for one in made["secret_files"] if one["path"] == "/etc/dovecot/relay_users")
