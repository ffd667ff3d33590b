# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ufw: rules above all others, marked with a comment.

ufw keeps its rules in files of its own, which only its command changes. So the role writes the rules that it wants
into a file beside them, and the commands follow from the difference. Only rules of a port that differs are changed.
"""

from __future__ import annotations

import os
import re
import typing as t

from .host import FirewallError, as_comment, is_installed, must, read_lines, run, succeeds
from .rules import PortRule

RULES_FILE = "/etc/ufw/relay.rules"
#: Comment that marks the rules of this role in ufw.
COMMENT = "mailops.smtp relay"

#: Files of ufw with the rules of an address family, and how they write all addresses of it.
_LIVE_FILES = (("/etc/ufw/user.rules", "0.0.0.0/0"), ("/etc/ufw/user6.rules", "::/0"))

_HEAD = """\
# The mail ports of this host, and nothing else: what the role gives to ufw, one command a line. ufw itself does not
# read this file. "ufw show added" shows these rules, above all others.
"""
_LINE = re.compile(r"(?P<verdict>\S+) proto tcp from (?P<source>\S+) to any port (?P<ports>\S+)")
#: A rule in a file of ufw.
_TUPLE = re.compile(
    r"### tuple ### (?P<verdict>\S+) \S+ (?P<ports>\S+) \S+ \S+ (?P<source>\S+) .*comment=(?P<comment>\S+)"
)

#: By how ufw writes all addresses of a family: the program that lists what the kernel has.
_LISTERS = {"0.0.0.0/0": "iptables-save", "::/0": "ip6tables-save"}
#: In what it prints: a rule of the role, and the jumps by which a new connection comes to it.
_KERNEL_RULE = re.compile(
    r"-A ufw6?-user-input (?:-s (?P<source>\S+) )?-p tcp -m multiport --dports (?P<ports>(\d+),\3)"
    r" -j (?P<verdict>ACCEPT|REJECT)\b.*"
)
_KERNEL_JUMPS = re.compile(r"-A (?:INPUT -j ufw6?-before-input|ufw6?-before-input -j ufw6?-user-input)")
_VERDICTS = {"ACCEPT": "allow", "REJECT": "reject"}


class UfwRule(t.NamedTuple):
    """One rule of the role; ``any`` is the source of a rule for all clients.

    The port is written twice (``25,25``), so that to ufw the rule is not the same as an administrator's for that port:
    ufw skips a rule that exists already, and deletes by port without regard to the comment.
    """

    verdict: str
    source: str
    ports: str

    @classmethod
    def of(cls, rule: PortRule) -> UfwRule:
        return cls("allow" if rule.accept else "reject", rule.address or "any", f"{rule.port},{rule.port}")

    @property
    def line(self) -> str:
        return f"{self.verdict} proto tcp from {self.source} to any port {self.ports}"

    @property
    def words(self) -> list[str]:
        return self.line.split()


class Ufw:
    """See :class:`.backends.Backend`."""

    paths = (RULES_FILE,)
    programs = ("ufw",)
    own_chains = ("ip filter ufw-", "ip6 filter ufw6-")

    def write(self, rules: t.Iterable[PortRule], heading: str) -> dict[str, str]:
        lines = "".join(f"{UfwRule.of(rule).line}\n" for rule in rules)
        return {RULES_FILE: f"{as_comment(heading)}{_HEAD}{lines}"}

    def validate(self, stage: str) -> None:
        for rule in read_rules(read_lines(stage + RULES_FILE)):
            must("ufw", "--dry-run", "prepend", *rule.words)

    def at_work(self) -> bool:
        return "ENABLED=yes" in read_lines("/etc/ufw/ufw.conf") and is_installed("ufw")

    def agrees(self) -> bool:
        return not any(stale or missing for stale, missing in self._differences()) and self._enforced()

    def apply(self) -> None:
        for stale, missing in self._differences():
            for rule in stale:
                must("ufw", "delete", *rule.words)
            for rule in reversed(missing):
                must("ufw", "prepend", *rule.words, "comment", COMMENT)
        if not self._enforced():
            must("ufw", "reload")  # others have emptied the kernel's chains, which ufw does not notice
        if not self._enforced():
            _restore_jumps()
        if not self.agrees():
            raise FirewallError("ufw did not take all rules of the mail ports, and gave no reason")

    def _enforced(self) -> bool:
        """Whether the kernel has the rules of ufw's files, and asks for them."""
        if not os.path.exists(RULES_FILE) or not self.at_work():
            return True
        for path, every in self._used_files():
            kept = read_live_rules(read_lines(path), every)
            if read_kernel(run(_LISTERS[every]).stdout.splitlines()) != kept:
                return False
        return True

    def _differences(self) -> t.Iterator[tuple[list[UfwRule], list[UfwRule]]]:
        """By port, so that other ports are left alone: rules to delete, and rules to put on top in this order."""
        wanted = read_rules(read_lines(RULES_FILE))
        live = {every: read_live_rules(read_lines(path), every) for path, every in self._used_files()}
        ports = {rule.ports for rules in (wanted, *live.values()) for rule in rules}
        for port in sorted(ports):
            yield compare_rules(
                [rule for rule in wanted if rule.ports == port],
                {every: [rule for rule in rules if rule.ports == port] for every, rules in live.items()},
            )

    def _used_files(self) -> tuple[tuple[str, str], ...]:
        """Without IPv6 enabled, ufw admits none of it and keeps no rules for it."""
        return _LIVE_FILES if "IPV6=yes" in read_lines("/etc/default/ufw") else _LIVE_FILES[:1]


def _restore_jumps() -> None:
    """Let packets come to ufw's chains again, in ufw's order: it adds these jumps only when it makes the chains."""
    for program, prefix in (("iptables", "ufw"), ("ip6tables", "ufw6")):
        for hook in ("INPUT", "FORWARD", "OUTPUT"):
            for part in ("before-logging", "before", "after", "after-logging", "reject", "track"):
                jump = (hook, "-j", f"{prefix}-{part}-{hook.lower()}")
                if not succeeds(program, "-C", *jump):
                    run(program, "-A", *jump)


def read_rules(lines: t.Iterable[str]) -> list[UfwRule]:
    """The rules of the role's file.

    :raises FirewallError: a line is neither a comment nor a rule as :class:`UfwRule` writes it.
    """
    rules = []
    for number, line in enumerate(lines, start=1):
        if line and not line.startswith("#"):
            match = _LINE.fullmatch(line)
            if not match:
                raise FirewallError(
                    f"{RULES_FILE}, line {number}: {line!r} is not a rule of the role; expected one such as"
                    f" {UfwRule('allow', 'any', '25,25').line!r}. Delete the file and run the role again."
                )
            rules.append(UfwRule(**match.groupdict()))
    return rules


def read_live_rules(lines: t.Iterable[str], every: str) -> list[UfwRule]:
    """The rules of the role among those that ufw keeps.

    Such a line reads ``### tuple ### VERDICT PROTOCOL PORT TO PORT FROM DIRECTION comment=HEX``.

    :param every: how ufw writes all addresses of this family.
    """
    found = []
    for match in filter(None, map(_TUPLE.fullmatch, lines)):
        if match["comment"] == COMMENT.encode().hex():
            source = "any" if match["source"] == every else match["source"]
            found.append(UfwRule(match["verdict"], source, match["ports"]))
    return found


def read_kernel(lines: t.Sequence[str]) -> list[UfwRule]:
    """The role's rules from iptables-save; none if the chain with them is not asked for new connections."""
    found = list(filter(None, map(_KERNEL_RULE.fullmatch, lines)))
    if sum(bool(_KERNEL_JUMPS.fullmatch(line)) for line in lines) < 2:
        return []
    return [UfwRule(_VERDICTS[rule["verdict"]], _short(rule["source"] or "any"), rule["ports"]) for rule in found]


def _short(source: str) -> str:
    """The source as ufw keeps it: a single address without prefix length."""
    address, _slash, length = source.partition("/")
    return address if length == ("128" if ":" in address else "32") else source


def compare_rules(wanted: list[UfwRule], live: t.Mapping[str, list[UfwRule]]) -> tuple[list[UfwRule], list[UfwRule]]:
    """Of one port, list the rules to delete and the rules that are missing.

    The first match decides, so the rules that admit a client must stand above the one that rejects all others. If that
    one has to be added, it goes on top; so all rules of the port are written anew.

    :param live: by address family.
    """
    present = {rule for rules in live.values() for rule in rules}
    stale = sorted(present - set(wanted))
    missing = [
        rule for rule in wanted if any(rule not in rules for every, rules in live.items() if _belongs(rule, every))
    ]
    rejected_too_early = any(rule.verdict == "reject" for rules in live.values() for rule in rules[:-1])
    if rejected_too_early or any(rule.verdict == "reject" for rule in missing):
        return sorted(present), wanted
    return stale, missing


def _belongs(rule: UfwRule, every: str) -> bool:
    """Whether the rule is one of this address family."""
    return rule.source == "any" or (":" in rule.source) == (":" in every)
