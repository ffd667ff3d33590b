# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what iptables-save prints: its legacy form, which nft does not see, and matches that nft does not name."""

from __future__ import annotations

import ipaddress
import shlex
import typing as t

from .host import read_lines, run
from .walk import ACCEPT, DROP, GO_ON, GOTO, JUMP, RETURN, UNKNOWN, Chain, Condition, Rule, telling

#: By version of IP: programs that list its rules, and the kernel's list of the legacy tables that are in use.
_PROGRAMS = {
    4: ("iptables-nft-save", "iptables-legacy-save", "/proc/net/ip_tables_names"),
    6: ("ip6tables-nft-save", "ip6tables-legacy-save", "/proc/net/ip6_tables_names"),
}
#: Chains that see what comes in for this host, and those that see what it sends.
INCOMING, OUTGOING = ("PREROUTING", "INPUT"), ("OUTPUT", "POSTROUTING")
_VERDICTS = {"ACCEPT": ACCEPT, "DROP": DROP, "REJECT": DROP, "RETURN": RETURN}
#: Targets after which the next rule is asked.
_SILENT = (
    "LOG",
    "NFLOG",
    "ULOG",
    "MARK",
    "CONNMARK",
    "TCPMSS",
    "TRACE",
    "AUDIT",
    "SECMARK",
    "CT",
    "NOTRACK",
    "SET",
    "",
)
_FIELDS = {
    "-p": "protocol",
    "-s": "source",
    "-i": "interface",
    "-o": "interface",
    "--state": "state",
    "--ctstate": "state",
    "--dst-type": "destination type",
    "--dport": "port",
    "--dports": "port",
}
_STATES = frozenset({"new", "established", "related", "invalid", "untracked", "dnat", "snat"})
#: Options of the match rpfilter, which by itself asks for a source address that leads back.
_RPFILTER = ("--loose", "--validmark", "--accept-local", "--invert")
#: Options that ask nothing of the packet, with the number of words that follow.
_NO_CONDITION = {"-m": 1, "--comment": 1}


def list_tables(hooks: t.Collection[str] = INCOMING) -> list[list[Chain]]:
    """The chains of all tables, by program. The legacy ones are only asked for if they are in use.

    :param hooks: names of the chains that count as hooked.
    """
    found = []
    for version, (program, legacy, names) in _PROGRAMS.items():
        commands = [program, *([legacy] if any(read_lines(names)) else [])]
        for command in commands:
            answer = run(command)
            if answer.returncode == 127 and command == program:  # before the two forms had programs of their own
                answer = run(command.replace("-nft", ""))
            found.append(read_save(answer.stdout.splitlines(), version, hooks))
    return found


def read_save(lines: t.Iterable[str], version: int, hooks: t.Collection[str] = INCOMING) -> list[Chain]:
    """The chains in the form of iptables-save(8).

    :param version: of IP; iptables and ip6tables have tables of their own.
    :param hooks: names of the chains that count as hooked.
    """
    table = ""
    policies: dict[tuple[str, str], str] = {}
    rules: dict[tuple[str, str], list[Rule]] = {}
    for line in lines:
        if line.startswith("*"):
            table = f"{'ip' if version == 4 else 'ip6'} {line[1:].strip()}"
        elif line.startswith(":"):
            name, policy = line[1:].split()[:2]
            policies[table, name] = _VERDICTS.get(policy, RETURN)
        elif line.startswith("-A "):
            rules.setdefault((table, line.split()[1]), []).append(_read_rule(line))
    return [
        Chain(
            *key,
            rules=tuple(rules.get(key, ())),
            hooked=key[1] in hooks and not key[0].endswith(" nat"),
            policy=policy,
        )
        for key, policy in policies.items()
    ]


def _read_rule(line: str) -> Rule:
    try:
        return _rule(shlex.split(line)[2:])
    except (ValueError, IndexError):  # not in the form of iptables-save
        return Rule(frozenset({Condition("unknown")}), UNKNOWN)


def _rule(words: list[str]) -> Rule:
    conditions: set[Condition] = set()
    negated, verdict, target = False, GO_ON, ""
    while words:
        option = words.pop(0)
        if option == "!":
            negated = True
            continue
        if option in ("-j", "-g"):
            target, words = words[0], []  # what follows belongs to the target
            verdict = GOTO if option == "-g" else _verdict(target)
        elif option in _FIELDS:
            conditions.add(_condition(_FIELDS[option], words.pop(0), negated))
        elif option == "-m" and words[0] == "rpfilter":
            rest = [word for word in words[1:] if word in _RPFILTER]
            conditions.add(Condition("spoofed", negated="--invert" not in rest))
            words = [word for word in words[1:] if word not in _RPFILTER]
        elif option == "--rt-type":
            conditions.add(Condition("source routed", negated=negated))
            words.pop(0)
        elif option in _NO_CONDITION:
            del words[: _NO_CONDITION[option]]
        elif option.startswith("-"):
            conditions.add(Condition("unknown"))
        negated = False
    return Rule(telling(conditions), verdict, target if verdict in (JUMP, GOTO) else "")


def _verdict(target: str) -> str:
    """What a target does; one that is not known here is a chain, or an extension that :mod:`.walk` does not find."""
    return _VERDICTS.get(target) or (GO_ON if target in _SILENT else JUMP)


def _condition(field: str, text: str, negated: bool) -> Condition:
    values: tuple[t.Any, ...] = tuple(text.split(","))
    try:
        if field == "port":
            values = tuple(_ports(one) for one in values)
        elif field == "source":
            values = (ipaddress.ip_network(text, strict=False),)
        elif field == "destination type":
            values = tuple(one.lower() for one in values)
        elif field == "state":
            values = tuple(one.lower() for one in values)
            if not _STATES.issuperset(values):
                return Condition("unknown")
        elif field == "protocol":
            values = tuple("tcp" if one in ("6", "all") else one for one in values)
    except ValueError:
        return Condition("unknown")
    return Condition(field, values, negated)


def _ports(text: str) -> tuple[int, int]:
    first, _colon, last = text.partition(":")
    return int(first), int(last or first)
