# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay's certificate (``relay_tls``): where it comes from, and what the program on the host is told of it."""

from __future__ import annotations

import ipaddress
import posixpath
import re
import typing as t

from .._dns.scope import is_private_name, is_within
from .._renewal.judging import CONTROLLER, certificate_of, find_untimely
from .._renewal.places import JOINED, LIVE, Trouble
from .._x509.pair import find_pair_problem
from .listeners import Listener
from .reader import Options, Reader, as_list

#: Where Postfix reads key and chain, by the way in which they come to the host.
FILES: t.Mapping[str, str] = {
    "files": "/etc/postfix/relay.pem",
    "self_signed": "/etc/postfix/self-signed.pem",
    "path": str(JOINED),
    "acme": str(JOINED),
}

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
#: The port of HTTP-01 (RFC 8555 section 8.3).
HTTP_PORT = 80

#: Options of each way; the first one chooses it.
_WAYS: t.Mapping[str, tuple[str, ...]] = {
    "files": ("certificate", "key"),
    "path": ("path", "key_path"),
    "acme": ("acme",),
    "self_signed": ("fetch_to",),
}
#: Domains for which no authority of the Internet issues certificates, beside those of private networks (RFC 6761).
_EXAMPLES = ("example", "invalid", "example.com", "example.net", "example.org")
_PUBLIC_AUTHORITY = re.compile(r"https://[^/]*\.letsencrypt\.org(?:/|\Z)")
_DIRECTORY = re.compile(r"https://[A-Za-z0-9.:\[\]-]+/\S*\Z")
_ALGORITHMS = ("hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512")
_TSIG_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*\Z")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{8,}={0,2}\Z")
_PROFILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_A_NAME = "one in ASCII such as relay.example.com, without a wildcard"


def read_certificate(reader: Reader, tls: Options, hostname: str, listeners: t.Sequence[Listener]) -> dict[str, t.Any]:
    """Read ``relay_tls``, and return the way, the file of Postfix and what the program on the host needs to know.

    The result holds no secret.
    """
    _refuse_pasted(reader, tls)
    ways = [way for way, names in _WAYS.items() if any(tls.get(name) is not None for name in names)]
    if len(ways) > 1:
        given = " and ".join(next(name for name in _WAYS[way] if tls.get(name) is not None) for way in ways)
        reader.problem(
            "relay_tls", f"has {given}; expected certificate and key, or path, or acme, or none for a self-signed one"
        )
    way = ways[0] if ways else "self_signed"
    if bool(tls.get("certificate")) != bool(tls.get("key")):
        reader.problem(
            "relay_tls", "has only one of certificate and key; expected both, or neither for a self-signed certificate"
        )
    plan: dict[str, t.Any] = {
        "way": way,
        "file": FILES[way],
        "names": [hostname],
        "listeners": [{"port": one.port, "tls": one.tls} for one in listeners if one.tls != "none"],
        "source": {},
        "acme": {},
        "open_ports": [],
    }
    if way not in ("path", "acme"):
        return plan
    if not plan["listeners"]:
        reader.problem("relay_tls", "no listener uses TLS; expected one that does, such as port 587, or no relay_tls")
    if way == "path":
        return {**plan, "source": _read_path(reader, tls)}
    acme = _read_acme(reader, tls["acme"] or {}, hostname)
    if acme["challenge"] == "http-01":
        plan["open_ports"] = [HTTP_PORT]
        if any(one.port == HTTP_PORT for one in listeners):
            reader.problem(
                "relay_tls.acme.challenge",
                "http-01 needs port 80, which is a port of relay_listeners; expected another port there, or dns-01",
            )
    source = {"chain": f"{LIVE}/fullchain.pem", "key": f"{LIVE}/privkey.pem"}
    return {**plan, "names": acme["names"], "source": source, "acme": acme}


def find_file_problem(certificate: str, key: str) -> str:
    """Return what is wrong with files of the controller, as the option and the end of a sentence; empty if nothing."""
    if paired := find_pair_problem(certificate, key):
        return paired
    try:
        untimely = find_untimely(certificate_of(certificate, "certificate"), CONTROLLER)
    except Trouble as trouble:
        return str(trouble)
    return untimely and f"certificate: {untimely}"


def _refuse_pasted(reader: Reader, tls: Options) -> None:
    """Refuse a certificate or a key in place of its path. Its text is not shown."""
    acme = tls.get("acme")
    given = {**tls, "acme.ca_file": acme.get("ca_file") if isinstance(acme, dict) else None}
    for name in ("certificate", "key", "path", "key_path", "fetch_to", "acme.ca_file"):
        if "-----BEGIN" in str(given.get(name)):
            reader.problem(f"relay_tls.{name}", "is a text in PEM format; expected the path of a file that contains it")


def _read_path(reader: Reader, tls: Options) -> dict[str, str]:
    """Read the files of the host that are followed."""
    if not tls.get("path"):
        reader.problem("relay_tls", "has key_path and no path; expected path, the file with the certificate, as well")
        return {}
    found = {}
    for part, name in (("chain", "path"), ("key", "key_path")):
        value = str(tls.get(name) or tls["path"])
        if "-----BEGIN" in value:
            continue
        found[part] = reader.path(f"relay_tls.{name}", value)
        if found[part] != posixpath.normpath(found[part]):  # systemd follows no other
            reader.problem(
                f"relay_tls.{name}", f"{value} is not in its shortest form; expected a path without . and .."
            )
        if f"{found[part]}/".startswith(f"{LIVE}/"):
            reader.problem(
                f"relay_tls.{name}",
                f"{value} is of a certificate that this role orders and removes; expected acme, or another file",
            )
        elif found[part] == FILES["path"]:
            reader.problem(f"relay_tls.{name}", f"{value} is what the role writes; expected the file to make it from")
    return found


def _read_acme(reader: Reader, acme: Options, hostname: str) -> dict[str, t.Any]:
    """Read ``relay_tls.acme``."""
    place = "relay_tls.acme"
    names = [reader.qualified_name(f"{place}.names", one, _A_NAME) for one in as_list(acme.get("names")) or [hostname]]
    if hostname not in names:
        reader.problem(f"{place}.names", f"does not have {hostname}, which clients connect to; expected it as well")
    directory = str(acme.get("directory") or LETS_ENCRYPT)
    if not _DIRECTORY.match(directory):
        reader.problem(f"{place}.directory", f"{directory!r} is not valid; expected a URL such as {LETS_ENCRYPT}")
    for name in names if _PUBLIC_AUTHORITY.match(directory) else ():
        if is_private_name(name) or is_within(name, _EXAMPLES):
            reader.problem(
                f"{place}.names",
                f"{name} is not a name of the public DNS, so Let's Encrypt cannot issue a certificate for it; expected"
                " a public name, or directory, the URL of your own authority",
            )
    challenge = str(acme.get("challenge") or "http-01")
    dns = acme.get("dns") or {}
    if (challenge == "dns-01") != bool(dns):
        wrong = "needs dns, the name server to update" if challenge == "dns-01" else "does not use dns"
        reader.problem(f"{place}.challenge", f"{challenge} {wrong}; expected dns-01 with dns, or http-01 without it")
    return {
        "names": list(dict.fromkeys(names)),
        "directory": directory,
        "email": reader.address(f"{place}.email", acme["email"]) if acme.get("email") else "",
        "challenge": challenge,
        "key_type": str(acme.get("key_type") or "ecdsa"),
        "profile": _matching(reader, f"{place}.profile", acme.get("profile"), _PROFILE, "a name such as tlsserver"),
        "ca_file": reader.path(f"{place}.ca_file", acme["ca_file"]) if acme.get("ca_file") else "",
        "dns": _read_dns(reader, f"{place}.dns", dns) if dns else {},
    }


def _read_dns(reader: Reader, place: str, dns: Options) -> dict[str, t.Any]:
    """Read the name server to update (RFC 2136) and its TSIG key (RFC 8945), without the secret."""
    server = str(dns.get("server") or "")
    try:
        ipaddress.ip_address(server)
    except ValueError:
        reader.problem(f"{place}.server", f"{server!r} is not an address; expected one such as 192.0.2.53")
    secret = "".join(str(dns.get("secret") or "").split())
    if not _BASE64.match(secret):
        reader.problem(
            f"{place}.secret", "is not in Base64; expected the secret of the TSIG key, as tsig-keygen(8) writes it"
        )
    algorithm = str(dns.get("algorithm") or "hmac-sha256").lower()
    if algorithm not in _ALGORITHMS:
        reader.problem(f"{place}.algorithm", f"{algorithm!r} is not valid; expected one of {', '.join(_ALGORITHMS)}")
    wait = reader.number(f"{place}.propagation", dns.get("propagation"), 0, 3600)
    return {
        "server": server,
        "port": reader.number(f"{place}.port", dns.get("port"), 1, 65535) or 53,
        "key_name": _matching(reader, f"{place}.key_name", dns.get("key_name"), _TSIG_NAME, "the name of the TSIG key"),
        "algorithm": algorithm,
        "propagation": 60 if wait is None else wait,
    }


def _matching(reader: Reader, variable: str, given: t.Any, pattern: re.Pattern[str], expected: str) -> str:
    """Read a word; empty if none is given."""
    value = "" if given is None else str(given)
    if given is not None and not pattern.match(value):
        reader.problem(variable, f"{value!r} is not valid; expected {expected}")
    return value
