# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the role's variables to what its templates write: parameters, services, table lines, firewall rules."""

from __future__ import annotations

import typing as t

from .firewall import firewall_rules
from .inputs import Inputs, Listener, Network, Options, User, read_inputs
from .scram import scram_sha256, user_salt

_POSTFIX = "/etc/postfix"


def make_plan(options: Options) -> dict[str, t.Any]:
    """Everything the role writes, or ``problems`` in place of it.

    :param options: the role's variables without their prefix, and ``hardening``, the parameters every relay gets.
    """
    inputs = read_inputs(options)
    if inputs.problems:
        return {"problems": list(inputs.problems)}
    plan: dict[str, t.Any] = {
        "problems": [],
        "self_signed": "self-signed.pem" in _certificate(inputs, options["tls"]).get("smtpd_tls_chain_files", ""),
        "logins": any(listener.login for listener in inputs.listeners),
        "main": {**options["hardening"], **_main(inputs), **_certificate(inputs, options["tls"]), **inputs.settings},
        "services": [_service(listener) for listener in inputs.listeners] or [_null_client_service()],
        "tables": _tables(inputs),
        "firewall": firewall_rules(inputs.listeners),
        "upstream_host": inputs.upstream.host if inputs.upstream else None,
    }
    plan["problems"] = [f"{text!r} would break out of its line" for text in _texts(plan["main"], plan["services"])]
    return plan


def _texts(*values: t.Any) -> t.Iterator[str]:
    """Every text with a control character in it, at any depth; the reader lets none through, this makes sure."""
    for value in values:
        if isinstance(value, dict):
            yield from _texts(*value.values())
        elif isinstance(value, list):
            yield from _texts(*value)
        elif isinstance(value, str) and any(character < " " or character == "\x7f" for character in value):
            yield value


def _main(inputs: Inputs) -> dict[str, str]:
    parameters = {
        "myhostname": inputs.hostname,
        "mydomain": inputs.domain,
        "myorigin": "$mydomain",
        "mynetworks": " ".join(["127.0.0.0/8", "[::1]/128", *map(_postfix_network, inputs.networks)]),
        "inet_interfaces": "all" if inputs.listeners else "loopback-only",
    }
    if inputs.users:
        parameters["smtpd_sender_login_maps"] = f"texthash:{_POSTFIX}/relay_senders"
    if inputs.upstream:
        parameters["relayhost"] = inputs.upstream.nexthop
        parameters["smtp_tls_policy_maps"] = f"texthash:{_POSTFIX}/relay_tls_policy"
        parameters["smtp_tls_connection_reuse"] = "yes"
        if inputs.upstream.username:
            parameters["smtp_sasl_auth_enable"] = "yes"
            parameters["smtp_sasl_password_maps"] = f"texthash:{_POSTFIX}/relay_sasl_passwd"
    return parameters


def _certificate(inputs: Inputs, tls: Options) -> dict[str, str]:
    if all(listener.tls == "none" for listener in inputs.listeners):
        return {}
    name = "relay.pem" if tls.get("certificate") else "self-signed.pem"
    return {"smtpd_tls_chain_files": f"{_POSTFIX}/{name}", "smtpd_tls_security_level": "may"}


#: What each TLS mode of a listener means to smtpd(8).
_TLS_OPTIONS: t.Mapping[str, t.Mapping[str, str]] = {
    "none": {"smtpd_tls_security_level": "none"},
    "opportunistic": {"smtpd_tls_security_level": "may"},
    "starttls": {"smtpd_tls_security_level": "encrypt"},
    "implicit": {"smtpd_tls_security_level": "encrypt", "smtpd_tls_wrappermode": "yes"},
}
#: A submission port: nothing without a login, and each login only its own senders (RFC 6409 sections 4.3 and 6.1).
_LOGIN_OPTIONS: t.Mapping[str, str] = {
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_client_restrictions": "permit_sasl_authenticated,reject",
    "smtpd_relay_restrictions": "permit_sasl_authenticated,reject",
    # the null sender belongs to no login
    "smtpd_sender_restrictions": "reject_authenticated_sender_login_mismatch,"
    " check_sender_access inline:{ {<> = 553 5.7.1 a login needs a sender address} }",
    # clients of submission ports pipeline carelessly, as Postfix's own master.cf allows for
    "smtpd_forbid_unauth_pipelining": "no",
}


#: What the TLS of an upstream means to smtp(8): secure checks the certificate against the host name.
_TLS_LEVELS: t.Mapping[str, str] = {"starttls": "secure", "none": "none"}


def _service(listener: Listener) -> dict[str, t.Any]:
    options = {"syslog_name": f"postfix/port{listener.port}", **_TLS_OPTIONS[listener.tls]}
    if listener.login:
        options.update(_LOGIN_OPTIONS)
    return {"name": str(listener.port), "options": options}


def _null_client_service() -> dict[str, t.Any]:
    return {"name": "25", "options": {}}


def _tables(inputs: Inputs) -> dict[str, str]:
    """The lookup tables: texthash (key, white space, value) for Postfix, a passwd-file for Dovecot."""
    owners: dict[str, list[str]] = {}
    for user in inputs.users:
        for sender in user.senders:
            owners.setdefault(sender, []).append(user.name)
    tables = {
        "senders": [f"{sender} {','.join(names)}" for sender, names in owners.items()],
        "dovecot_users": [_passwd_line(user, inputs.hostname) for user in inputs.users],
        "tls_policy": [],
        "sasl_passwd": [],
    }
    if inputs.upstream:
        tables["tls_policy"] = [f"{inputs.upstream.nexthop} {_TLS_LEVELS[inputs.upstream.tls]}"]
        if inputs.upstream.username:
            login = f"{inputs.upstream.username}:{inputs.upstream.password}"
            tables["sasl_passwd"] = [f"{inputs.upstream.nexthop} {login}"]
    return {name: "".join(f"{line}\n" for line in lines) for name, lines in tables.items()}


def _passwd_line(user: User, hostname: str) -> str:
    hashed = user.password_hash or scram_sha256(user.password or "", user_salt(hostname, user.name))
    return f"{user.name}:{hashed}"


def _postfix_network(network: Network) -> str:
    return f"[{network.network_address}]/{network.prefixlen}" if network.version == 6 else str(network)
