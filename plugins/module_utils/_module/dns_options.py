# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of ``mail_dns_info`` become a mail system, and the records that it should have."""

from __future__ import annotations

import typing as t

from .._dns.checks import PARTS
from .._dns.dkim import key_name, parse_given_key
from .._dns.dns_errors import InvalidName
from .._dns.mail_system import Certificates, MailSystem, Selector
from .._dns.names import (
    Address,
    is_address,
    normalize,
    parse_literal,
    require_fqdn,
    require_name,
)
from .._dns.scope import scope_of
from .._dns.sts import MAX_AGE
from .._dns.tlsa import read_chain
from .._dns.zone import Wishes
from .._evidence.dns_policy import StsMode
from .._x509.keys import PublicKey

Params = t.Mapping[str, t.Any]


#: The choices of the option ``checks``, and the order of the findings.
CHECK_NAMES = tuple(PARTS)

ARGUMENT_SPEC = {
    "domain": {"type": "str", "required": True},
    "hostname": {"type": "str"},
    "addresses": {"type": "list", "elements": "str", "default": []},
    "via": {"type": "list", "elements": "str", "default": []},
    "checks": {"type": "list", "elements": "str", "choices": list(CHECK_NAMES), "default": list(CHECK_NAMES)},
    "on_finding": {"type": "str", "choices": ["ignore", "warn", "fail"], "default": "warn"},
    "dkim": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "selector": {"type": "str", "required": True},
            "domain": {"type": "str"},
            "public_key": {"type": "str", "no_log": False},
        },
    },
    "certificates": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "host": {"type": "str", "required": True},
            "port": {"type": "int", "default": 25},
            "chain": {"type": "str", "required": True},
        },
    },
    "certificate_authority": {"type": "str"},
    "blocklists": {"type": "list", "elements": "str", "default": []},
    "domain_blocklists": {"type": "list", "elements": "str", "default": []},
    "wanted": {
        "type": "dict",
        "options": {
            "dmarc_policy": {"type": "str", "choices": ["none", "quarantine", "reject"], "default": "quarantine"},
            "report_address": {"type": "str"},
            "mta_sts_mode": {"type": "str", "choices": ["enforce", "testing", "none"]},
            "mta_sts_max_age": {"type": "int", "default": 604800},
            "mta_sts_addresses": {"type": "list", "elements": "str", "default": []},
        },
    },
    "nameservers": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "float", "default": 5.0},
    "retries": {"type": "int", "default": 2},
    "ca_file": {"type": "path"},
}


class InvalidOption(ValueError):
    """An option with an invalid value. The text names the option."""


_HOST = "a host name such as mail.example.com"
_AUTHORITY = "a name such as letsencrypt.org"
_MAX_PORT = 65535
_MAX_TIMEOUT = 3600
#: Each waits twice as long as the one before.
_MAX_RETRIES = 10


def mail_system(params: Params) -> MailSystem:
    """Read the options about the mail system. Raises :class:`InvalidOption`."""
    hostname = params["hostname"] or ""
    if not 0 < params["timeout"] <= _MAX_TIMEOUT:
        expected = f"more than 0 seconds, and at most {_MAX_TIMEOUT}"
        raise InvalidOption(f"timeout: {params['timeout']:g} is not valid; expected {expected}")
    if not 0 <= params["retries"] <= _MAX_RETRIES:
        raise InvalidOption(f"retries: {params['retries']} is not valid; expected 0 to {_MAX_RETRIES}")
    authority = params["certificate_authority"]
    domain = _name("domain", params["domain"] or "", require_fqdn, "a name such as example.com")
    return MailSystem(
        domain=domain,
        # A server may also say an address with EHLO, or a name of one label. The checks judge that.
        hostname=hostname if is_address(hostname) or not hostname else _name("hostname", hostname, require_name, _HOST),
        addresses=tuple(dict.fromkeys(map(_address, params["addresses"]))),
        via=tuple(map(_upstream, params["via"])),
        selectors=_selectors(params["dkim"], domain),
        certificates=tuple(map(_certificates, params["certificates"])),
        blocklists=_zones(params, "blocklists"),
        domain_blocklists=_zones(params, "domain_blocklists"),
        certificate_authority=_name("certificate_authority", authority, require_name, _AUTHORITY) if authority else "",
    )


def wishes(params: Params) -> Wishes:
    """Read the option ``wanted``. Raises :class:`InvalidOption`."""
    wanted = params["wanted"] or {}
    mode = wanted.get("mta_sts_mode")
    addresses = wanted.get("mta_sts_addresses") or []
    age = wanted.get("mta_sts_max_age")
    age = Wishes.sts_max_age if age is None else age
    if not 0 <= age <= MAX_AGE:
        raise InvalidOption(f"wanted.mta_sts_max_age: {age} is not valid; expected 0 to {MAX_AGE} seconds")
    return Wishes(
        dmarc_policy=wanted.get("dmarc_policy") or "quarantine",
        report_address=_report_address(wanted.get("report_address") or ""),
        sts_mode=StsMode(mode) if mode else None,
        sts_max_age=age,
        sts_addresses=tuple(dict.fromkeys(str(_literal("wanted.mta_sts_addresses", one)) for one in addresses)),
    )


def _report_address(text: str) -> str:
    local, at, domain = text.strip().rpartition("@")
    if text and (not (local and at) or set(text.strip()) & set(' ,;!<>"')):
        raise InvalidOption(f"wanted.report_address: {text!r} is not a mail address such as dmarc@example.com")
    return f"{local}@{_name('wanted.report_address', domain, require_name, 'a mail address')}" if text else ""


def _zones(params: Params, option: str) -> tuple[str, ...]:
    return tuple(_name(option, one, require_name, "a name such as zen.spamhaus.org") for one in params[option])


def _selectors(given: t.Iterable[Params], domain: str) -> tuple[Selector, ...]:
    selectors = tuple(dict.fromkeys(_selector(one, domain) for one in given))
    names = [key_name(one) for one in selectors]
    twice = next((name for name in names if names.count(name) > 1), "")
    if twice:
        raise InvalidOption(f"dkim: {twice} is there twice, with different keys; expected one key for each selector")
    return selectors


def _selector(given: Params, domain: str) -> Selector:
    name, option = given["selector"].strip().rstrip("."), "dkim"
    _name(f"{option}.selector", name, require_name, "a selector such as s2026")
    if "_domainkey" in name.lower().split("."):
        expected = "the part before ._domainkey alone, such as s2026"
        raise InvalidOption(f"{option}.selector: {name!r} is the name of a key record; expected {expected}")
    signing = given.get("domain") or domain
    return Selector(
        name=name.lower(),
        domain=_name(f"{option}.domain", signing, require_name, "a name such as example.com"),
        key=_public_key(name, given.get("public_key")),
    )


def _public_key(selector: str, text: str | None) -> PublicKey | None:
    if not (text or "").strip():
        return None
    try:
        return parse_given_key(t.cast("str", text))
    except ValueError as error:
        expected = "expected a public key in PEM, the value of p=, or the whole record"
        raise InvalidOption(
            f"dkim: public_key of the selector {selector} cannot be used: {error}; {expected}"
        ) from None


def _certificates(given: Params) -> Certificates:
    host = _name("certificates.host", given["host"], require_name, _HOST)
    if not 0 < given["port"] <= _MAX_PORT:
        raise InvalidOption(f"certificates: {given['port']} is not a valid port")
    try:
        return Certificates(host, given["port"], read_chain(given["chain"]))
    except ValueError as error:
        expected = "expected the certificates of the server in PEM, its own first"
        raise InvalidOption(f"certificates: the chain of {host} cannot be used: {error}; {expected}") from None


def _name(option: str, text: str, require: t.Callable[[str], None], expected: str) -> str:
    text = text.strip()
    try:
        require(text)
    except InvalidName as error:
        raise InvalidOption(f"{option}: {error}; expected {expected}") from error
    return normalize(text)


def _upstream(text: str) -> str:
    """Read the name or the address of an upstream, which Postfix writes in brackets."""
    if is_address(text.strip()):
        return str(parse_literal(text.strip()))
    name = text.strip()
    bare = name[1:-1] if name[:1] + name[-1:] == "[]" else name
    return _name("via", bare, require_name, f"{_HOST}, or an IP address")


def _address(text: str) -> Address:
    address = _literal("addresses", text)
    scope = scope_of(address)
    if scope and not scope.domains:
        raise InvalidOption(
            f"addresses: {address} is {scope.name}, so no mail to other hosts leaves from it; {_EGRESS}"
        )
    return address


_EGRESS = "expected an IP address that mail leaves from, such as 192.0.2.25"


def _literal(option: str, text: str) -> Address:
    try:
        return parse_literal(text.strip())
    except ValueError as error:
        expected = _EGRESS if option == "addresses" else "expected an IP address such as 192.0.2.80"
        raise InvalidOption(f"{option}: {error}; {expected}") from error
