# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on the relay: lets the firewall follow the files of the transaction ``relay_firewall``, of whichever backend.

Files that are there mean rules, files that are gone mean none. So one command serves a change, its undo, another
backend and the removal, and nothing of it has to stay on the host: it comes as ``python3 -c PROGRAM WORD``.

- ``choose BACKEND`` prints as JSON which backend it is, and what speaks against it.
- ``validate STAGE`` lets the firewall's own program judge staged files.
- ``check`` compares what is in force with the files; ``apply`` makes it so.

Rules of others are never touched: each backend has a place of its own for ours, and the mail ports are all they name.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import typing as t
from xml.etree import ElementTree

NAME = "relay"
UNIT = "relay-firewall.service"
UNIT_FILE = f"/etc/systemd/system/{UNIT}"
POLICY_FILE = f"/etc/firewalld/policies/{NAME}.xml"
UFW_FILE = f"/etc/ufw/{NAME}.rules"
#: By this ufw's rules of ours are known.
UFW_COMMENT = "mailops.smtp relay"
CAP_NET_ADMIN = 12


class Problem(Exception):
    """A sentence about what is wrong."""


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    """A program that is missing has failed like any other."""
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return subprocess.CompletedProcess(argv, 127, "", f"{argv[0]} is not installed")


def succeeds(*argv: str) -> bool:
    return run(*argv).returncode == 0


def must(*argv: str) -> None:
    """:raises Problem: it failed; with the last line it said, which names the cause."""
    done = run(*argv)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").splitlines()
        raise Problem(f"{' '.join(argv)}: {said[-1]}")


def lines_of(path: str) -> list[str]:
    """Of a file that need not be there."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return []


class Nftables:
    """A table of our own, loaded by a unit of our own."""

    @staticmethod
    def at_work() -> bool:
        return succeeds("nft", "list", "table", "inet", NAME)

    def agrees(self) -> bool:
        if not os.path.exists(UNIT_FILE):
            return not self.at_work() and not os.path.lexists(self._link)
        return succeeds("systemctl", "is-active", "--quiet", UNIT) and os.path.lexists(self._link) and self.at_work()

    def apply(self) -> None:
        if os.path.exists(UNIT_FILE):
            must("systemctl", "daemon-reload")
            must("systemctl", "enable", "--quiet", UNIT)
            must("systemctl", "reload-or-restart", UNIT)  # a reload leaves no moment without rules
        elif not self.agrees():
            run("systemctl", "stop", UNIT)  # systemd still knows the unit whose file is gone
            if os.path.lexists(self._link):
                os.unlink(self._link)
            must("systemctl", "daemon-reload")
            if self.at_work():
                must("nft", "delete", "table", "inet", NAME)

    _link = f"/etc/systemd/system/multi-user.target.wants/{UNIT}"


class Firewalld:
    """A policy of our own. A reload would drop what others set for the run time only, so rules change one by one.

    It takes a reload to make the policy known, once. One without rules is as good as none.
    """

    _bus = "org.fedoraproject.FirewallD1"

    @staticmethod
    def at_work() -> bool:
        return succeeds("systemctl", "is-active", "--quiet", "firewalld.service")

    def agrees(self) -> bool:
        wanted = self._wanted()
        if not self.at_work():
            return not wanted
        return (self._live() or set()) == wanted

    def apply(self) -> None:
        wanted = self._wanted()
        if not self.at_work():
            if wanted:
                raise Problem("firewalld is not running")
            return
        live = self._live()
        if live is None:
            if wanted:
                must("firewall-cmd", "--reload")
            return
        # what is let in comes first: no port is closed in between that stays open
        for option, rules in (("--add-rich-rule", wanted - live), ("--remove-rich-rule", live - wanted)):
            if rules:
                must("firewall-cmd", f"--policy={NAME}", *(f"{option}={rule}" for rule in sorted(rules)))

    def validate(self, stage: str) -> None:
        """:raises Problem: firewalld could not read the policy, and would not start with it."""
        must("firewall-offline-cmd", "--system-config", f"{stage}/etc/firewalld", "--check-config")

    def _wanted(self) -> set[str]:
        """The rules of the file, as firewalld writes them in one line."""
        if not os.path.exists(POLICY_FILE):
            return set()
        return {self._line(rule) for rule in ElementTree.parse(POLICY_FILE).getroot().iter("rule")}  # noqa: S314 (ours)

    @staticmethod
    def _line(rule: ElementTree.Element) -> str:
        words = ["rule", *(f'{key}="{rule.get(key)}"' for key in ("priority", "family") if rule.get(key))]
        for element in rule:
            attributes = (f'{key}="{element.get(key)}"' for key in ("address", "port", "protocol") if element.get(key))
            words += [element.tag, *attributes]
        return " ".join(words)

    def _live(self) -> set[str] | None:
        """The rules in force; ``None`` when the policy is not known yet."""
        path = f"/{self._bus.replace('.', '/')}"
        question = ("call", self._bus, path, f"{self._bus}.policy", "getPolicySettings", "s", NAME)
        answer = run("busctl", "--auto-start=no", "--json=short", *question)
        if "INVALID_POLICY" in answer.stderr:
            return None
        if answer.returncode:
            raise Problem(f"firewalld does not answer: {answer.stderr.strip()}")
        settings = json.loads(answer.stdout)["data"][0]
        return set(settings["rich_rules"]["data"]) if "rich_rules" in settings else set()


class UfwRule(t.NamedTuple):
    """One of our rules; the source is ``any`` for everybody. The port stands there twice.

    To ufw that is another rule than the one a person writes for the same port, which it would take for ours: it does
    nothing where an equal one exists, and deletes it for a comment's sake.
    """

    verdict: str
    source: str
    ports: str

    def words(self) -> list[str]:
        return [self.verdict, "proto", "tcp", "from", self.source, "to", "any", "port", self.ports]


class Ufw:
    """Rules of our own among the others, above them, and known by their comment."""

    #: Its rules by address family, and what that calls everybody.
    _files = (("/etc/ufw/user.rules", "0.0.0.0/0"), ("/etc/ufw/user6.rules", "::/0"))

    @staticmethod
    def at_work() -> bool:
        return "ENABLED=yes" in lines_of("/etc/ufw/ufw.conf") and shutil.which("ufw") is not None

    def agrees(self) -> bool:
        return not any(stale or missing for stale, missing in self._differences())

    def apply(self) -> None:
        for stale, missing in self._differences():
            for rule in stale:
                must("ufw", "delete", *rule.words())
            for rule in reversed(missing):
                must("ufw", "prepend", *rule.words(), "comment", UFW_COMMENT)
        if not self.agrees():
            raise Problem("ufw did not take all rules of the mail ports, and did not say why")

    def validate(self, stage: str) -> None:
        """:raises Problem: ufw would not take one of the rules."""
        for rule in read_ufw_rules(lines_of(stage + UFW_FILE)):
            must("ufw", "--dry-run", "prepend", *rule.words())

    def _differences(self) -> t.Iterator[tuple[list[UfwRule], list[UfwRule]]]:
        """By port, so that no other port notices: rules to delete, and rules to put on top in this order."""
        wanted = read_ufw_rules(lines_of(UFW_FILE))
        live = [(everybody, read_live_ufw_rules(lines_of(path), everybody)) for path, everybody in self._used_files()]
        ports = {rule.ports for rules in (wanted, *(rules for _everybody, rules in live)) for rule in rules}
        for port in sorted(ports):
            yield compare_ufw_rules(
                [rule for rule in wanted if rule.ports == port],
                {everybody: [rule for rule in rules if rule.ports == port] for everybody, rules in live},
            )

    def _used_files(self) -> tuple[tuple[str, str], ...]:
        """Without IPv6, ufw lets none of it in, and keeps no rules for it."""
        return self._files if "IPV6=yes" in lines_of("/etc/default/ufw") else self._files[:1]


def read_ufw_rules(lines: t.Iterable[str]) -> list[UfwRule]:
    """Of our file: a comment, or the words of a command."""
    words = [line.split() for line in lines if line and not line.startswith("#")]
    return [UfwRule(verdict=line[0], source=line[4], ports=line[8]) for line in words]


def read_live_ufw_rules(lines: t.Iterable[str], everybody: str) -> list[UfwRule]:
    """Ours among those that ufw keeps: ``### tuple ### VERDICT PROTOCOL PORT TO PORT FROM DIRECTION comment=HEX``."""
    comment = f"comment={UFW_COMMENT.encode().hex()}"
    words = [line.split() for line in lines if line.startswith("### tuple ###") and line.endswith(comment)]
    return [UfwRule(line[3], "any" if line[8] == everybody else line[8], line[5]) for line in words]


def compare_ufw_rules(
    wanted: list[UfwRule], live: t.Mapping[str, list[UfwRule]]
) -> tuple[list[UfwRule], list[UfwRule]]:
    """For one port: what is to be deleted, and what is missing.

    The first rule that matches decides, so whom others let in must stand above the word that refuses all others; below
    a new one of those nothing can stay.

    :param live: by address family.
    """
    present = {rule for rules in live.values() for rule in rules}
    stale = sorted(present - set(wanted))
    missing = [
        rule
        for rule in wanted
        if any(rule not in rules for everybody, rules in live.items() if _belongs(rule, everybody))
    ]
    refused_too_early = any(rule.verdict == "reject" for rules in live.values() for rule in rules[:-1])
    if refused_too_early or any(rule.verdict == "reject" for rule in missing):
        return sorted(present), wanted
    return stale, missing


def _belongs(rule: UfwRule, everybody: str) -> bool:
    """Whether it is a rule for this family of addresses."""
    return rule.source == "any" or (":" in rule.source) == (":" in everybody)


BACKENDS: dict[str, t.Any] = {"firewalld": Firewalld(), "ufw": Ufw(), "nftables": Nftables()}


def choose(wanted: str) -> dict[str, str]:
    """The backend, and a sentence on what speaks against it, or an empty one."""
    others = [name for name in ("firewalld", "ufw") if BACKENDS[name].at_work()]
    backend = (others or ["nftables"])[0] if wanted == "auto" else wanted
    return {"backend": backend, "problem": problem_of(backend, others)}


def problem_of(backend: str, at_work: list[str]) -> str:
    """:param at_work: firewalls that decide about all ports of this host."""
    if not may_change_firewalls():
        return (
            "This host lets nobody change its firewall (CAP_NET_ADMIN is missing, as in many containers, and for all"
            " but root). Protect it from outside, and set relay_firewall.backend to none."
        )
    if backend in ("firewalld", "ufw") and backend not in at_work:
        return (
            f"relay_firewall.backend is {backend}, and {backend} is not active on this host. The role turns no firewall"
            " on, since that decides about every port, that of SSH among them. Do so first, or leave it at auto."
        )
    for other in at_work:
        if other != backend:
            return (
                f"{other} is active on this host, and what it closes the backend {backend} cannot open. Set"
                f" relay_firewall.backend to {other}, or leave one firewall only."
            )
    for chain in dropping_chains(run("nft", "list", "chains").stdout):
        if not (backend == "ufw" and chain in ("ip filter INPUT", "ip6 filter INPUT")):
            return (
                f"The nftables chain {chain!r} drops what it does not know, and no backend of the role can open a port"
                " in it. Set relay_firewall.backend to none and open the ports there."
            )
    return ""


def may_change_firewalls() -> bool:
    """capabilities(7)"""
    effective = next((line for line in lines_of("/proc/self/status") if line.startswith("CapEff:")), "CapEff: 0")
    return bool(int(effective.split()[1], 16) >> CAP_NET_ADMIN & 1)


def dropping_chains(chains: str) -> list[str]:
    """From ``nft list chains``: family, table and name of chains that see all input and drop by policy."""
    found, table, chain = [], "", ""
    for line in chains.splitlines():
        if header := re.match(r"table (\S+ \S+) \{", line):
            table = header[1]
        elif header := re.match(r"\s+chain (\S+) \{", line):
            chain = header[1]
        elif "hook input" in line and "policy drop" in line:
            found.append(f"{table} {chain}")
    return found


def apply_all() -> None:
    """:raises Problem: one backend or more could not follow its files; the others have, as an undo needs them to."""
    problems = []
    for backend in BACKENDS.values():
        try:
            backend.apply()
        except Problem as problem:
            problems.append(str(problem))
    if problems:
        raise Problem("; ".join(problems))


def main(word: str, *rest: str) -> int:
    """An exit code; sentences go to standard error."""
    try:
        if word == "choose":
            sys.stdout.write(json.dumps(choose(*rest)))
        elif word == "validate":
            BACKENDS[rest[0]].validate(rest[1])
        elif word == "apply":
            apply_all()
        else:
            wrong = [name for name, backend in BACKENDS.items() if not backend.agrees()]
            if wrong:
                raise Problem(f"what is in force in {' and '.join(wrong)} is not what the files say")
    except Problem as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
