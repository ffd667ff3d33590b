# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host does with mail now, and would no longer do with the configuration of a relay.

A Postfix as its package leaves it does nothing that could stop: no mail has arrived, and no administrator has set
anything. What the role sets in every case (the host's name, TLS, the next server) is not listed either.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
from dataclasses import dataclass, field

from .config import MasterEntry, split_words

#: The services that Postfix and its packages bring along (master.cf of Debian and RHEL).
_OWN_SERVICES = frozenset(
    (
        *("smtp", "pickup", "cleanup", "qmgr", "tlsmgr", "rewrite", "bounce", "defer", "trace"),
        *("verify", "flush", "proxymap", "proxywrite", "relay", "showq", "error", "retry", "discard"),
        *("local", "virtual", "lmtp", "anvil", "scache", "postlog"),
        *("maildrop", "uucp", "ifmail", "bsmtp", "scalemail-backend", "mailman"),
    )
)
_LOCAL = "local delivery"
#: Parameters of main.cf and options of master.cf, and what they do if they have a value, by a pattern of
#: ``name = value``. The first row that matches counts.
_PARAMETERS: tuple[tuple[str, str], ...] = (
    (r"(alias_maps|proxy_\w+_maps) =", ""),  # aliases are looked at one by one
    (r'mailbox_command = \S*procmail -a "[^"]*"\Z', ""),  # what Debian's package writes
    (r"(home_mailbox|luser_relay|(mailbox_command|(mailbox|fallback)_transport)(_maps)?) =", _LOCAL),
    (r"virtual_(mailbox_(domains|maps|base)|transport) =", "virtual mailboxes"),
    (r"\w*smtpd_milters =", "milters"),
    (r"(content_filter|smtpd_proxy_filter) =", "content filters"),
    (r"(always_bcc|\w+_bcc_maps) =", "copies of mail"),
    (r"(relay|virtual_alias)_domains =", "mail of other domains"),
    (r"\w+_(maps|checks|access_list) =", "lookup tables"),
    (r"\w+_restrictions = .*\bcheck_policy_service\s", "policy services"),
    (r"\w+_restrictions = .*\b(check_\w+_access\s|\w+:[/$])", "lookup tables"),
)
#: Transports of mail that is not delivered.
_NO_DELIVERY = ("error", "discard", "retry")
#: Tables of aliases whose text can be read in a file.
_ALIAS_FILE = re.compile(r"(?:proxy:)?(?:hash|btree|lmdb|cdb|dbm|texthash):(/.+)")
#: Names in a phrase; more are only counted.
_SHOWN = 5


@dataclass(frozen=True)
class MailOfHost:
    """What a host has of mail.

    :param main: the parameters that main.cf sets, with ``$name`` expanded.
    :param services: the entries of master.cf.
    :param options: the parameters that a service sets with ``-o``, by its name and type.
    :param aliases: the aliases of local(8), each with its value.
    :param mailboxes: paths of local mailboxes with mail in them.
    :param forwards: paths of ``.forward`` files.
    :param protocols: protocols that Dovecot serves.
    """

    main: t.Mapping[str, str] = field(default_factory=dict)
    services: t.Sequence[MasterEntry] = ()
    options: t.Mapping[tuple[str, str], t.Mapping[str, str]] = field(default_factory=dict)
    aliases: t.Mapping[str, str] = field(default_factory=dict)
    mailboxes: t.Sequence[str] = ()
    forwards: t.Sequence[str] = ()
    protocols: t.Sequence[str] = ()


def find_what_stops(host: MailOfHost) -> list[str]:
    """Return what the Postfix of this host does that a relay does not, one phrase each."""
    found = [
        phrase("other Postfix instances", split_words(host.main.get("multi_instance_directories", ""))),
        *(_local_delivery(host) if _delivers_locally(host.main) else ()),
        *_parameters(host),
        phrase("clients that may send", _clients(host)),
        phrase("services of master.cf", _services(host.services)),
    ]
    return list(filter(None, found))


def find_what_stops_with_logins(host: MailOfHost) -> list[str]:
    """Return what the Dovecot of this host does, which only checks logins on a relay."""
    return list(filter(None, [phrase("mailboxes that Dovecot serves", [name.upper() for name in host.protocols])]))


def phrase(what: str, names: t.Sequence[str]) -> str:
    """Return ``what (name, name)``, or an empty text without names."""
    shown = [*names[:_SHOWN], *([f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else [])]
    return f"{what} ({', '.join(shown)})" if names else ""


def _delivers_locally(main: t.Mapping[str, str]) -> bool:
    nowhere = main.get("local_transport", "").partition(":")[0] in _NO_DELIVERY
    return not nowhere and bool(split_words(main.get("mydestination", "localhost")))


def _local_delivery(host: MailOfHost) -> t.Iterator[str]:
    yield phrase("local mailboxes", host.mailboxes)
    yield phrase("aliases", [f"{name}: {target}" for name, target in _active_aliases(host.aliases)])
    _files, others = alias_tables(host.main)
    yield phrase("tables of aliases", others)
    yield phrase("mail that users forward", host.forwards)


def _active_aliases(aliases: t.Mapping[str, str]) -> t.Iterator[tuple[str, str]]:
    """Yield the aliases that lead out of the host, or to a program or a file (aliases(5)).

    Others end at a mailbox, where they can be seen if mail has arrived. A command is not shown, since it may contain a
    password.
    """
    for name, value in aliases.items():
        for item in re.findall(r'"[^"]*"|[^",\s][^",]*', value):
            target = item.strip().strip('"').strip()
            if target.startswith("|"):
                yield name, "a program"
            elif target.startswith(("/", ":include:")) and target != "/dev/null":
                yield name, target.replace(":include:", "")
            elif re.search(r"@(?!localhost(\.localdomain)?\Z)", target):
                yield name, target


def _parameters(host: MailOfHost) -> t.Iterator[str]:
    """Yield a phrase for each kind of parameter that is set."""
    found: dict[str, dict[str, None]] = {kind: {} for _pattern, kind in _PARAMETERS}
    for settings in (host.main, *host.options.values()):
        for name, value in settings.items():
            found[_kind(name, value)][name] = None
    for kind, names in found.items():
        if kind and (kind != _LOCAL or _delivers_locally(host.main)):
            yield phrase(kind, list(names))


def _kind(name: str, value: str) -> str:
    """Return what a parameter does, or an empty text."""
    setting = f"{name} = {value}"
    return next((kind for pattern, kind in _PARAMETERS if value and re.match(pattern, setting)), "")


def _clients(host: MailOfHost) -> list[str]:
    """Return how clients other than the host itself get the right to send."""
    others = [word for word in split_words(host.main.get("mynetworks", "")) if not _is_loopback(word)]
    style = host.main.get("mynetworks_style", "")
    widened = [f"mynetworks_style: {style}"] if style not in ("", "host") and "mynetworks" not in host.main else []
    options = [host.main, *host.options.values()]
    logins = any(one.get("smtpd_sasl_auth_enable") == "yes" for one in options)
    return [*others, *widened, *(["logins"] if logins else [])]


def _is_loopback(word: str) -> bool:
    try:
        network = ipaddress.ip_network(word.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        return False
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    return network.is_loopback or bool(mapped and mapped.is_loopback)


def _services(services: t.Iterable[MasterEntry]) -> list[str]:
    """Return the services that an administrator has added."""
    return [
        f"{one.name} {one.type}"
        for one in services
        if one.name not in _OWN_SERVICES or (one.type == "inet" and one.name != "smtp")
    ]


def alias_tables(main: t.Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return the files of aliases that local(8) reads, and its other tables."""
    words = split_words(main.get("alias_maps", "hash:/etc/aliases"))
    files = [match[1] for match in map(_ALIAS_FILE.fullmatch, words) if match]
    return files, [word for word in words if not _ALIAS_FILE.fullmatch(word)]


def parse_aliases(text: str) -> dict[str, str]:
    """Parse a file of aliases(5): each name with its value, with the lines that continue it."""
    joined = re.sub(r"\n[ \t]+", " ", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    pairs = (line.partition(":") for line in joined.splitlines() if ":" in line)
    return {name.strip().strip('"'): value.strip() for name, _colon, value in pairs}
