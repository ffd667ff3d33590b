# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures by DKIM (``relay_dkim``): domains, selectors and keys, and what Postfix must know of the signer."""

from __future__ import annotations

import re
import typing as t

from .reader import Options, Reader, as_address, as_bool, as_list
from .transports import DIRECTORY
from .upstreams import Route

#: The socket of the signer, as Postfix names it.
MILTER = "unix:/run/relay-dkim/milter.sock"
#: Table of the clients whose mail is signed without a login, in Postfix's directory.
CLIENTS = "relay_signed_clients"
#: What a value of the user must contain, so that mail still reaches the signer.
_NEEDED: t.Mapping[str, str] = {"non_smtpd_milters": MILTER, "smtpd_milter_maps": f"cidr:{DIRECTORY}/{CLIENTS}"}
#: Parameter -> value of the user that breaks what relay_dkim promises, and why.
_SPOILING: t.Mapping[str, tuple[str, str]] = {
    "milter_default_action": (
        "accept",
        (
            "is accept, so that mail would leave unsigned while the signer is down; expected tempfail, and"
            " default_action=accept in braces at a milter of your own in smtpd_milters"
        ),
    ),
    "disable_mime_output_conversion": (
        "no",
        "is no, so that 8-bit mail would be converted after it is signed; expected yes",
    ),
}
_DIRECTORY = "/etc/relay-dkim"
_KEYS = f"{_DIRECTORY}/keys"
_SELECTOR = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*\Z")
#: Ends the selector of an Ed25519 key, which is in a record of its own (RFC 8463 section 3).
_ED25519 = "-ed"
#: Of a name in the DNS (RFC 1035 section 2.3.4).
_LONGEST_NAME = 253

# Scripts with the path in the stage and the one on the host.
_KEEP_OR = 'mkdir -p "${1%/*}" && if test -s "$2"; then cp -- "$2" "$1"; else openssl genpkey -out "$1"'
_MAKE: t.Mapping[str, str] = {
    "rsa": f"{_KEEP_OR} -algorithm RSA -pkeyopt rsa_keygen_bits:2048 2>/dev/null; fi",
    "ed25519": f"{_KEEP_OR} -algorithm ED25519 2>/dev/null; fi",
}
#: rspamd reads an Ed25519 key as its bare seed.
_SEED = 'openssl pkey -in "${1%.seed}.key" -outform DER | tail -c 32 | base64 >"$1"'


def read_dkim(reader: Reader, dkim: Options) -> dict[str, t.Any]:
    """Read ``relay_dkim``, and return what the signer needs to know; nothing if no mail is to be signed."""
    given = as_list(dkim.get("domains"))
    if not given:
        for name in sorted(name for name, value in dkim.items() if name != "domains" and value is not None):
            reader.problem(f"relay_dkim.{name}", "has no effect without domains; expected a domain with a selector")
        return {}
    domains = [_read_domain(reader, index, item) for index, item in enumerate(given)]
    names = [domain["domain"] for domain in domains]
    for name in sorted({name for name in names if names.count(name) > 1}):
        reader.problem("relay_dkim.domains", f"{name} is listed more than once; expected one entry for it")
    servers = [str(one) for one in as_list(dkim.get("nameservers"))]
    for server in servers:
        if not as_address(server):
            reader.problem(
                "relay_dkim.nameservers", f"{server!r} is not an IP address; expected one such as 192.0.2.53"
            )
    keys = [key for domain in domains for selector in domain["selectors"] for key in selector]
    return {
        "build": [step for key in keys for step in _build(key)],
        "domains": domains,
        "sign_now": str(dkim.get("sign") or "") == "now",
        "nameservers": servers,
        "ed25519": any(key["kind"] == "ed25519" for key in keys),
    }


def _read_domain(reader: Reader, index: int, item: Options) -> dict[str, t.Any]:
    variable = f"relay_dkim.domains[{index}]"
    domain = reader.domain(f"{variable}.domain", item["domain"])
    given = [str(one).strip() for one in as_list(item.get("selectors"))]
    selectors = [one.lower() for one in given]
    if not selectors:
        reader.problem(f"{variable}.selectors", "is empty; expected at least one selector, such as r202611")
    with_ed25519 = item.get("ed25519") is not None and as_bool(item["ed25519"])
    for selector in given:
        _judge_selector(reader, f"{variable}.selectors", domain, selector, with_ed25519)
    for selector in sorted({one for one in selectors if selectors.count(one) > 1}):
        reader.problem(f"{variable}.selectors", f"{selector} is listed more than once; expected each once, newest last")
    kinds = ("rsa", "ed25519") if with_ed25519 else ("rsa",)
    return {"domain": domain, "selectors": [[_key(domain, one, kind) for kind in kinds] for one in selectors]}


def _judge_selector(reader: Reader, variable: str, domain: str, selector: str, with_ed25519: bool) -> None:
    longest = f"{selector.lower()}{_ED25519 if with_ed25519 else ''}._domainkey.{domain}"
    labels = longest.split(".")
    if not _SELECTOR.match(selector.lower()) or len(longest) > _LONGEST_NAME or max(map(len, labels)) > 63:
        reader.problem(
            variable, f"{selector!r} is not a valid selector; expected letters, digits and hyphens, such as r202611"
        )
    elif selector.lower().endswith(_ED25519):
        reader.problem(
            variable,
            f"{selector} ends in {_ED25519}, as those of Ed25519 keys do; expected another one, such as r202611",
        )


def _key(domain: str, selector: str, kind: str) -> dict[str, str]:
    own = selector + (_ED25519 if kind == "ed25519" else "")
    return {
        "name": f"{own}._domainkey.{domain}",
        "selector": own,
        "kind": kind,
        "path": f"{_KEYS}/{domain}/{own}.key",
    }


def _build(key: t.Mapping[str, str]) -> list[dict[str, t.Any]]:
    """Return the steps that make a key in the stage of a transaction. One that the host has is taken over."""
    path = key["path"]
    steps = [_step(path, _MAKE[key["kind"]])]
    return [*steps, _step(path.replace(".key", ".seed"), _SEED)] if key["kind"] == "ed25519" else steps


def _step(path: str, script: str) -> dict[str, t.Any]:
    return {
        "command": ["sh", "-c", script, "sh", f"{{stage}}{path}", path],
        "source": f"{_DIRECTORY}/keys.txt",
        "creates": path,
    }


def judge_signed(
    reader: Reader, dkim: Options, generic: t.Mapping[str, str], sender: str, routes: t.Sequence[Route]
) -> None:
    """Report what replaces ``From`` of a signed domain after the mail is signed.

    :param sender: sender of all mail to the default upstream; empty if senders stay as they are.
    """
    own_routes = {one for route in routes for one in route.senders}
    for domain in [one["domain"] for one in dkim.get("domains", ())]:
        everyone = f"@{domain}"
        changes = {
            "relay_rewrites.generic": [old for old, new in generic.items() if _is_in(old, domain) and old != new]
        }
        changes["relay_upstream.sender"] = [everyone] if sender and everyone not in own_routes else []
        for index, route in enumerate(routes):
            new = route.upstream.sender if route.upstream else ""
            replaced = [old for old in route.senders if new and _is_in(old, domain) and old != new]
            changes[f"relay_routes[{index}].upstream.sender"] = replaced
        for variable, addresses in changes.items():
            if addresses:
                reader.problem(
                    variable,
                    f"replaces {', '.join(addresses)} in From after the mail is signed, so that receivers could not"
                    f" verify the signatures of {domain}; expected relay_rewrites.sender_canonical in its place, which"
                    f" comes before, or no {domain} in relay_dkim",
                )


def _is_in(address: str, domain: str) -> bool:
    return address.rpartition("@")[2] == domain


def judge_settings(reader: Reader, dkim: Options, settings: t.Mapping[str, str]) -> None:
    """Report parameters of the user that would take the place of the signer."""
    for name in sorted(set(_NEEDED) & set(settings)) if dkim else ():
        if _NEEDED[name] not in settings[name]:
            reader.problem(
                f"relay_settings.{name}",
                f"takes the place of the signer of relay_dkim, so that mail would leave unsigned; expected"
                f" {_NEEDED[name]} in it as well, or no relay_dkim",
            )
    for name, (value, wrong) in _SPOILING.items() if dkim else ():
        if settings.get(name, "").strip().lower() == value:
            reader.problem(f"relay_settings.{name}", f"{wrong}, or no relay_dkim")


def milter_parameters(dkim: Options, directory: str) -> dict[str, str]:
    """Return parameters of main.cf. Mail that cannot be signed waits; strangers' mail never reaches the signer."""
    if not dkim:
        return {}
    return {
        "smtpd_milter_maps": f"cidr:{directory}/{CLIENTS}",
        "non_smtpd_milters": MILTER,
        "milter_default_action": "tempfail",
        "milter_command_timeout": "60s",
        # bounces are signed, too; internal notices keep their way
        "internal_mail_filter_classes": "bounce",
        # a conversion on the way out would break the signature (MILTER_README)
        "disable_mime_output_conversion": "yes",
    }


def milter_clients(networks: t.Iterable[t.Any]) -> str:
    """Return the table of clients that may send without a login (cidr_table(5))."""
    clients = ("127.0.0.0/8", "::1/128", *networks)
    return "".join(f"{client} {MILTER}\n" for client in clients)
