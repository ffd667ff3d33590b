# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""nftables: a table of its own, loaded by a systemd unit of its own."""

from __future__ import annotations

import os
import re
import typing as t

from .from_nft import list_chains
from .host import FirewallError, as_comment, must, read_lines, run, succeeds
from .rules import PortRule, read_network
from .walk import ACCEPT, Chain, Condition, Rule

TABLE = "relay"
UNIT = "relay-firewall.service"
RULES_FILE = "/etc/nftables.d/relay.nft"
UNIT_FILE = f"/etc/systemd/system/{UNIT}"

#: The link by which systemd starts the unit at boot.
_LINK = f"/etc/systemd/system/multi-user.target.wants/{UNIT}"
#: How nftables writes a version of the Internet Protocol.
_FAMILIES: t.Mapping[int, str] = {4: "ip", 6: "ip6"}

# Declaring and deleting the table first makes one transaction of nft(8): no moment passes without rules.
_RULES = """\
{heading}# The mail ports of this host, and nothing else. Loaded by {unit}.
table inet {table}
delete table inet {table}
table inet {table} {{
  chain input {{
    type filter hook input priority filter; policy accept;
    iifname "lo" accept
    ct state established,related accept
{rules}  }}
}}
"""

_SERVICE = """\
{heading}[Unit]
Description=Firewall rules of the mail ports
# Like nftables.service: before the network is up, and before any unit that waits for it.
DefaultDependencies=no
Before=network-pre.target shutdown.target
Wants=network-pre.target
Conflicts=shutdown.target
# Reloading or restarting nftables.service flushes the ruleset; these bindings load the rules again.
After=nftables.service
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f {file}
ExecReload=/usr/sbin/nft -f {file}
# nft of Debian 12 does not have "destroy", and a flush of the ruleset has deleted the table already.
ExecStop=-/usr/sbin/nft delete table inet {table}

[Install]
WantedBy=multi-user.target
"""


class Nftables:
    """See :class:`.backends.Backend`."""

    paths = (RULES_FILE, UNIT_FILE)
    programs = ("nft",)
    own_chains = (f"inet {TABLE} ",)

    def write(self, rules: t.Iterable[PortRule], heading: str) -> dict[str, str]:
        lines = "".join(f"    {_statement(rule)}\n" for rule in rules)
        comment = as_comment(heading)
        return {
            RULES_FILE: _RULES.format(heading=comment, unit=UNIT, table=TABLE, rules=lines),
            UNIT_FILE: _SERVICE.format(heading=comment, file=RULES_FILE, table=TABLE),
        }

    def validate(self, stage: str) -> None:
        """nft tells everything it found, the first line with file and line."""
        argv = ("nft", "--check", "--file", stage + RULES_FILE)
        done = run(*argv)
        if done.returncode or done.stderr.strip():
            said = done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}"
            raise FirewallError(f"{' '.join(argv)}: {said}")

    def at_work(self) -> bool:
        return succeeds("nft", "list", "table", "inet", TABLE)

    def agrees(self) -> bool:
        if not os.path.exists(UNIT_FILE):
            return not self.at_work() and not os.path.lexists(_LINK)
        if not succeeds("systemctl", "is-active", "--quiet", UNIT) or not os.path.lexists(_LINK):
            return False
        try:
            return list_chains("table", "inet", TABLE) == [make_chain(read_statements(read_lines(RULES_FILE)))]
        except FirewallError:  # it is not there, or switched off
            return False

    def apply(self) -> None:
        if os.path.exists(UNIT_FILE):
            must("systemctl", "daemon-reload")
            must("systemctl", "enable", "--quiet", UNIT)
            must("systemctl", "reload-or-restart", UNIT)  # a reload leaves no moment without rules
        elif not self.agrees():
            run("systemctl", "stop", UNIT)  # systemd still knows the unit whose file is gone
            if os.path.lexists(_LINK):
                os.unlink(_LINK)
            must("systemctl", "daemon-reload")
            if self.at_work():
                must("nft", "delete", "table", "inet", TABLE)


#: A rule as :func:`_statement` writes it.
_STATEMENT = re.compile(r"\s*tcp dport (?P<port>\d+) (?:ip6? saddr (?P<source>\S+) )?(?P<verdict>accept|reject)\b.*")


def read_statements(lines: t.Iterable[str]) -> list[PortRule]:
    """The rules of the role's file."""
    found = filter(None, map(_STATEMENT.fullmatch, lines))
    return [PortRule(int(one["port"]), one["verdict"] == "accept", read_network(one["source"])) for one in found]


def make_chain(rules: t.Iterable[PortRule]) -> Chain:
    """The chain that the kernel has when the rules are loaded."""
    local = Rule(frozenset({Condition("interface", ("lo",))}), ACCEPT)
    known = Rule(frozenset({Condition("state", ("established", "related"))}), ACCEPT)
    return Chain(f"inet {TABLE}", "input", (local, known, *map(Rule.of, rules)), hooked=True, policy=ACCEPT)


def _statement(rule: PortRule) -> str:
    source = f"{_FAMILIES[rule.source.version]} saddr {rule.address} " if rule.source else ""
    return f"tcp dport {rule.port} {source}{'accept' if rule.accept else 'reject with tcp reset'}"
