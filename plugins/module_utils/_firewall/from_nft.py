# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what nft lists as JSON (libnftables-json(5)): the rules that the kernel has, of every program."""

from __future__ import annotations

import ipaddress
import json
import typing as t

from .host import FirewallError, run
from .rules import Network
from .walk import ACCEPT, DROP, GO_ON, GOTO, JUMP, RETURN, UNKNOWN, Chain, Condition, Rule, telling

Json = t.Any
#: Elements of a named set or map by family, table and name; ``None`` for those that come and go by themselves.
Sets = dict[str, t.Optional[list[t.Any]]]

#: Hooks that see what comes in for this host, and those that see what it sends.
INCOMING, OUTGOING = ("prerouting", "input"), ("output", "postrouting")
_VERDICTS = {"accept": ACCEPT, "drop": DROP, "reject": DROP, "return": RETURN, "jump": JUMP, "goto": GOTO}
#: Statements that decide nothing.
_SILENT = ("counter", "log", "mangle", "notrack", "ct helper", "secmark")
_UNKNOWN = Condition("unknown")
_FAMILIES = {"ip": 4, "ip6": 6, "ipv4": 4, "ipv6": 6}
#: By what is compared: the field of a condition.
_META = {
    "l4proto": "protocol",
    "nfproto": "family",
    "protocol": "family",
    **dict.fromkeys(("iif", "iifname", "oif", "oifname"), "interface"),
}
_PAYLOAD = {
    **{(protocol, "dport"): "port" for protocol in ("tcp", "th")},
    **{(protocol, "saddr"): "source" for protocol in ("ip", "ip6")},
    ("ip", "protocol"): "protocol",
    ("ip6", "nexthdr"): "protocol",
}
_CT = {"state": "state", "status": "diverted"}
#: By what is looked up in the routing table, and for which address.
_FIB = {("type", "daddr"): "destination type", ("oif", "saddr"): "spoofed"}
#: The one value that is understood; false is how nft writes "missing".
_SINGLE: dict[str, t.Any] = {"diverted": "dnat", "spoofed": False}
_OTHER_PROTOCOLS = ("udp", "udplite", "icmp", "icmpv6", "igmp", "sctp", "dccp", "esp", "ah", "comp")


def list_ruleset(hooks: t.Collection[str] = INCOMING) -> list[Chain]:
    """The chains of all tables.

    nft 1.0 may list a table with a flag as broken JSON. Then each table is asked for by itself.

    :param hooks: those whose chains count as hooked.
    """
    try:
        return list_chains("ruleset", hooks=hooks)
    except FirewallError:
        tables = [line.split()[1:] for line in run("nft", "list", "tables").stdout.splitlines()]
    chains = []
    for table in tables:
        try:
            chains += list_chains("table", *table, hooks=hooks)
        except FirewallError:
            continue
    return chains


def list_chains(*what: str, hooks: t.Collection[str] = INCOMING) -> list[Chain]:
    """The chains that ``nft list`` shows.

    :raises FirewallError: nft failed, or its answer cannot be read.
    """
    answer = run("nft", "--json", "list", *what)
    if answer.returncode:
        raise FirewallError(f"nft list {' '.join(what)}: {answer.stderr.strip()}")
    try:
        return read_chains(json.loads(answer.stdout)["nftables"], hooks)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise FirewallError(f"nft list {' '.join(what)}: its JSON cannot be read") from error


def read_chains(objects: t.Iterable[t.Mapping[str, Json]], hooks: t.Collection[str] = INCOMING) -> list[Chain]:
    """The chains of a listing. Those of a table that is switched off, or may be, are left out."""
    items = [item for one in objects for item in one.items()]
    off = [_table(value, "name") for kind, value in items if kind == "table" and _may_be_off(value.get("flags", []))]
    sets = {f"{_table(value)} @{value['name']}": _elements(value) for kind, value in items if kind in ("set", "map")}
    rules: dict[tuple[str, str], list[Rule]] = {}
    for kind, value in items:
        if kind == "rule":
            rules.setdefault((_table(value), value["chain"]), []).extend(_rules(value["expr"], _table(value), sets))
    return [
        Chain(
            _table(value),
            value["name"],
            tuple(rules.get((_table(value), value["name"]), ())),
            hooked=value.get("type") == "filter" and value.get("hook") in hooks,
            policy=value.get("policy", RETURN),
        )
        for kind, value in items
        if kind == "chain" and _table(value) not in off
    ]


def _table(value: t.Mapping[str, Json], name: str = "table") -> str:
    return f"{value['family']} {value[name]}"


def _may_be_off(flags: list[str] | str) -> bool:
    """Whether a table is switched off (dormant). nft 1.0 writes any text in place of a single flag."""
    return "dormant" in flags if isinstance(flags, list) else flags not in ("owner", "persist")


def _elements(value: t.Mapping[str, Json]) -> list[Json] | None:
    """The elements of a set; ``None`` if programs or time change them."""
    flags = value.get("flags") or ()
    return None if "dynamic" in flags or "timeout" in flags else value.get("elem", [])


def _rules(expression: t.Iterable[t.Mapping[str, Json]], table: str, sets: Sets) -> t.Iterator[Rule]:
    """One rule; a verdict map becomes one for each of its entries."""
    conditions: set[Condition] = set()
    for statement in expression:
        ((kind, value),) = statement.items()
        if kind == "match":
            conditions |= _conditions(value["left"], value["right"], value["op"], table, sets)
        elif kind in _VERDICTS:
            yield Rule(telling(conditions), _VERDICTS[kind], (value or {}).get("target", ""))
            return
        elif kind == "vmap":
            entries = _look_up(value["data"], table, sets)
            for key, verdict in [("", {UNKNOWN: None})] if entries is None else entries:
                ((word, where),) = verdict.items()
                fitting = {_UNKNOWN} if entries is None else _conditions(value["key"], key, "==", table, sets)
                target = (where or {}).get("target", "")
                yield Rule(telling(conditions | fitting), _VERDICTS.get(word, UNKNOWN), target)
        elif (kind == "xt" and value.get("type") == "target") or kind in ("queue", "synproxy"):
            yield Rule(telling(conditions), UNKNOWN)
            return
        elif kind not in _SILENT:
            conditions.add(_UNKNOWN)  # limits, quotas, matches of iptables
    yield Rule(telling(conditions), GO_ON)


def _conditions(left: Json, right: Json, operator: str, table: str, sets: Sets) -> set[Condition]:
    """What one comparison asks of the packet."""
    implied, field = _field(left)
    values = _values(field, _look_up(right, table, sets))
    if field == "unknown" or operator not in ("==", "!=", "in") or values is None:
        return implied | {_UNKNOWN}
    condition = Condition(field, values, operator == "!=")
    return {condition} if field == "source" else implied | {condition}


def _field(left: Json) -> tuple[set[Condition], str]:
    """What the comparison implies, and the field that is compared."""
    if not isinstance(left, dict):
        return set(), "unknown"
    ((kind, value),) = left.items()
    if kind == "meta":
        return set(), _META.get(value["key"], "unknown")
    if kind == "ct":
        return set(), _CT.get(value["key"], "unknown")
    if kind == "exthdr":
        return set(), "source routed" if value["name"] == "rt" else "unknown"
    if kind == "fib":
        flags = value["flags"]
        return set(), _FIB.get((value["result"], flags if isinstance(flags, str) else flags[0]), "unknown")
    if kind != "payload" or "protocol" not in value:
        return set(), "unknown"
    protocol = value["protocol"]
    field = _PAYLOAD.get((protocol, value["field"]), "unknown")
    if protocol in _OTHER_PROTOCOLS:
        return {Condition("protocol", (protocol,))}, field
    if protocol in _FAMILIES:
        return {Condition("family", (_FAMILIES[protocol],))}, field
    return set(), field


def _look_up(right: Json, table: str, sets: Sets) -> list[Json] | None:
    """The values on the right: one, several, or those of a set."""
    if isinstance(right, str) and right.startswith("@"):
        return sets.get(f"{table} {right}")
    if isinstance(right, dict) and "set" in right:
        return _look_up(right["set"], table, sets) if isinstance(right["set"], str) else list(right["set"])
    return list(right) if isinstance(right, list) else [right]


def _values(field: str, found: list[Json] | None) -> tuple[t.Any, ...] | None:
    """The values as a condition has them; ``None`` if one is not understood."""
    if found is None:
        return None
    if field == "source routed":
        return ()
    if field in _SINGLE:
        return () if found == [_SINGLE[field]] else None
    plain = [one["elem"]["val"] if isinstance(one, dict) and "elem" in one else one for one in found]
    try:
        if field == "port":
            return tuple(tuple(one["range"]) if isinstance(one, dict) else (int(one), int(one)) for one in plain)
        if field == "source":
            return tuple(network for one in plain for network in _networks(one))
        if field == "family":
            return tuple(_FAMILIES[one] for one in plain)
        return tuple("tcp" if one == 6 else str(one) for one in plain)
    except (ValueError, LookupError, TypeError):
        return None


def _networks(value: Json) -> t.Iterable[Network]:
    if isinstance(value, dict) and "range" in value:
        first, last = map(ipaddress.ip_address, value["range"])
        return ipaddress.summarize_address_range(first, last)  # one family
    if isinstance(value, dict):
        return [ipaddress.ip_network(f"{value['prefix']['addr']}/{value['prefix']['len']}", strict=False)]
    return [ipaddress.ip_network(value)]
