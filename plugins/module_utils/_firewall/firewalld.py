# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""firewalld: a policy of its own, asked before any zone.

A reload makes firewalld forget what others set for the run time only, such as bans of fail2ban. One reload is needed
to make the policy known; after that, rules change one by one. A policy without rules does nothing, so a removal needs
no reload.
"""

from __future__ import annotations

import json
import os
import re
import typing as t
from xml.etree import ElementTree

from .from_nft import list_chains
from .host import FirewallError, as_comment, is_installed, must, read_lines, run, succeeds
from .rules import PortRule, read_network
from .walk import ACCEPT, DROP, Rule, reached

POLICY = "relay"
POLICY_FILE = f"/etc/firewalld/policies/{POLICY}.xml"

_CONFIG = "/etc/firewalld/firewalld.conf"
_TABLE = ("inet", "firewalld")
_CHAIN = f"inet firewalld filter_IN_policy_{POLICY}"
#: Where the kernel has the rules of the policy.
_CHAINS = frozenset({_CHAIN, *(f"{_CHAIN}_{part}" for part in ("pre", "log", "deny", "allow", "post"))})
_BUS = "org.fedoraproject.FirewallD1"
#: How firewalld writes a version of the Internet Protocol.
_FAMILIES: t.Mapping[int, str] = {4: "ipv4", 6: "ipv6"}

_FILE = """\
<?xml version="1.0" encoding="utf-8"?>
{heading}<!-- The mail ports of this host, and nothing else. Asked before any zone; a zone decides about the rest. -->
<policy priority="-100" target="CONTINUE">
  <short>Mail relay</short>
  <ingress-zone name="ANY"/>
  <egress-zone name="HOST"/>
{rules}</policy>
"""


class Firewalld:
    """See :class:`.backends.Backend`."""

    paths = (POLICY_FILE,)
    programs = ("firewall-offline-cmd",)
    #: Its tables in nftables, or with FirewallBackend=iptables the chains that a packet goes on to.
    own_chains = ("inet firewalld ", "ip firewalld ", "ip6 firewalld ", "ip filter INPUT_", "ip6 filter INPUT_")

    def write(self, rules: t.Iterable[PortRule], heading: str) -> dict[str, str]:
        comment = as_comment(heading.replace("--", "- -"), "<!--\n -", " -", " -\n-->")  # XML forbids -- in a comment
        return {POLICY_FILE: _FILE.format(heading=comment, rules="".join(map(_element, rules)))}

    def validate(self, stage: str) -> None:
        """firewalld does not start with a policy that it cannot read."""
        must("firewall-offline-cmd", "--system-config", f"{stage}/etc/firewalld", "--check-config")

    def at_work(self) -> bool:
        return succeeds("systemctl", "is-active", "--quiet", "firewalld.service")

    def agrees(self) -> bool:
        wanted = self._wanted()
        if not self.at_work():
            return not wanted
        return (self._live() or set()) == wanted and self._enforced(wanted)

    def apply(self) -> None:
        wanted = self._wanted()
        if not self.at_work():
            if wanted:
                raise FirewallError("firewalld is not running")
            return
        live = self._live()
        if live is None:
            if wanted:
                must("firewall-cmd", "--reload")
            return
        if not self._enforced(live):
            must("firewall-cmd", "--reload")  # others have emptied the kernel's chains, which firewalld does not notice
            return
        # additions first: a port that stays open is not closed in between
        for option, rules in (("--add-rich-rule", wanted - live), ("--remove-rich-rule", live - wanted)):
            if rules:
                must("firewall-cmd", f"--policy={POLICY}", *(f"{option}={rule}" for rule in sorted(rules)))

    def _wanted(self) -> set[str]:
        """The rules of the file; none if it does not exist."""
        if not os.path.exists(POLICY_FILE):
            return set()
        with open(POLICY_FILE, "rb") as file:
            return read_policy(file.read())

    def _enforced(self, rules: t.Collection[str]) -> bool:
        """Whether the kernel has these rules. Those of FirewallBackend=iptables are not read.

        :raises FirewallError: nft is not installed.
        """
        if not rules or "FirewallBackend=iptables" in read_lines(_CONFIG):
            return True
        if not is_installed("nft"):
            raise FirewallError("nft is not installed, and the rules that firewalld has put in force cannot be read")
        try:
            chains = [chain for chain in reached(list_chains("table", *_TABLE)) if chain.label in _CHAINS]
        except FirewallError:  # there is no table
            return False
        found = {rule for chain in chains for rule in chain.rules if rule.verdict in (ACCEPT, DROP)}
        return found == set(map(read_rich_rule, rules))

    def _live(self) -> set[str] | None:
        """The rules in force; ``None`` if firewalld does not know the policy yet."""
        path = f"/{_BUS.replace('.', '/')}"
        question = ("call", _BUS, path, f"{_BUS}.policy", "getPolicySettings", "s", POLICY)
        answer = run("busctl", "--auto-start=no", "--json=short", *question)
        if "INVALID_POLICY" in answer.stderr:
            return None
        if answer.returncode:
            raise FirewallError(f"firewalld does not answer: {answer.stderr.strip()}")
        try:
            settings = json.loads(answer.stdout)["data"][0]
            return set(settings["rich_rules"]["data"]) if "rich_rules" in settings else set()
        except (ValueError, LookupError, TypeError) as error:
            raise FirewallError(f"firewalld gave an answer that cannot be read: {answer.stdout!r}") from error


def _element(rule: PortRule) -> str:
    """A rule of the policy file. The one for all clients has the default priority 0, and is thus asked last."""
    priority = ' priority="-1"' if rule.accept else ""
    family = f' family="{_FAMILIES[rule.source.version]}"' if rule.source else ""
    source = f'    <source address="{rule.address}"/>\n' if rule.source else ""
    verdict = "accept" if rule.accept else "reject"
    port = f'    <port port="{rule.port}" protocol="tcp"/>\n'
    return f"  <rule{priority}{family}>\n{source}{port}    <{verdict}/>\n  </rule>\n"


def read_policy(content: bytes) -> set[str]:
    """The rules of a policy file, each in one line, as firewalld itself writes a rich rule (firewalld.richlanguage(5)).

    :raises FirewallError: it is not XML.
    """
    try:
        policy = ElementTree.fromstring(content)  # noqa: S314 - only root and the role write this file
    except ElementTree.ParseError as error:
        raise FirewallError(f"{POLICY_FILE} is not valid XML: {error}. Delete it and run the role again.") from error
    return {_rich_rule(rule) for rule in policy.iter("rule")}


#: A rich rule as :func:`_rich_rule` writes it.
_RICH_RULE = re.compile(
    r'rule .*?(?:source address="(?P<source>[^"]+)" )?port port="(?P<port>\d+)" .* (?P<verdict>\w+)'
)


def read_rich_rule(text: str) -> Rule | None:
    """The rule that the kernel has for a line of the policy; ``None`` for one that the role does not write."""
    found = _RICH_RULE.fullmatch(text)
    if not found:
        return None
    return Rule.of(PortRule(int(found["port"]), found["verdict"] == "accept", read_network(found["source"])))


def _rich_rule(rule: ElementTree.Element) -> str:
    words = ["rule", *(f'{key}="{rule.get(key)}"' for key in ("priority", "family") if rule.get(key))]
    for element in rule:
        attributes = (f'{key}="{element.get(key)}"' for key in ("address", "port", "protocol") if element.get(key))
        words += [element.tag, *attributes]
    return " ".join(words)
