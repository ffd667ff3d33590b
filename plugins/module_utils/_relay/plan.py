# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: the role's variables turned into parameters, services, lookup tables and firewall rules."""

from __future__ import annotations

import typing as t

from .._firewall.backends import write_all
from .._firewall.rules import make_rules
from .bridges import plan_oauth, secret_files
from .dkim import CLIENTS, milter_clients, milter_parameters
from .inputs import Inputs, read_inputs
from .limits import room_for
from .listeners import User
from .reader import Network, Options, as_bool
from .scram import decoy, has_own_salt, scram_decoy, scram_sha256, user_salt
from .senders import proof_sender
from .services import all_services, is_line
from .shapes import find_misshapen, find_misspelled
from .tables import postfix_tables, stranger_restrictions
from .transports import DIRECTORY, Transport, name_transports
from .upstreams import Upstream
from .versions import compatibility_level, fit, parse_version

#: Directory of caches in Postfix's data directory.
_CACHES = "relay"


def make_plan(options: Options, secrets: bool = False) -> dict[str, t.Any]:
    """Return everything the role writes, or only ``problems`` if a variable is not valid.

    :param options: the role's variables without their prefix; ``hardening``, the parameters of every relay;
        ``since``, the versions that introduced some of them; ``postfix``, version and map types of the host's Postfix;
        ``heading``, the comment at the top of a file; ``spec``, the options of the role's argument specification, and
        ``variables``, all variables of the host that begin with ``relay_``.
        ``relays``, ``hostname`` and ``certificate`` of the relays that upstreams name.
    :param secrets: whether to return ``secret_files`` as well: the logins for upstreams, and those of users, whose
        hashes are slow by design. Without it, the plan contains no secrets.
    """
    unset = [name for name, value in options.items() if value is None]
    if unset:
        return {"problems": [f"relay_{name}: has no value; expected one, or remove the variable" for name in unset]}
    misshapen = _misshapen(options)
    if misshapen:
        return {"problems": misshapen}
    inputs = read_inputs(options)
    if inputs.problems:
        return {"problems": list(inputs.problems)}
    transports = name_transports(inputs.upstreams, DIRECTORY)
    tables = postfix_tables(inputs, transports)
    version, since = parse_version(options["postfix"].get("version", "")), options["since"]
    certificate = _certificate(inputs, options["tls"])
    main = {
        **options["hardening"],
        "compatibility_level": compatibility_level(version),
        **_identity(inputs),
        **certificate,
        **_routing(inputs, transports),
        **_caches(inputs, options["postfix"].get("map_types", ())),
        "smtpd_relay_restrictions": stranger_restrictions(inputs),
        **{name: value for table in tables for name, value in table.parameters.items()},
        **{name: value for one in transports.values() for name, value in one.parameters.items()},
        **_limits(inputs),
        **milter_parameters(inputs.dkim, DIRECTORY),
    }
    services = all_services(inputs.listeners, transports.values(), inputs.services, bool(inputs.dkim))
    plan: dict[str, t.Any] = {
        "problems": [],
        "self_signed": "self-signed.pem" in certificate.get("smtpd_tls_chain_files", ""),
        **_logins(inputs),
        "bans": inputs.bans,
        "certificate": inputs.certificate,
        "dkim": inputs.dkim,
        "main": {**fit(main, version, since), **inputs.settings},
        "services": [{"line": one.line, "options": fit(one.options, version, since)} for one in services],
        "tables": [{"path": f"{DIRECTORY}/{table.name}", **table.file} for table in tables if not table.secret],
        "cache_directory": f"{inputs.settings.get('data_directory', '/var/lib/postfix')}/{_CACHES}",
        "ports": [{"port": one.port, "from": list(map(str, one.sources))} for one in inputs.listeners],
        "other_ports": [{"port": port, "from": []} for port in inputs.certificate["open_ports"]],
        "firewall_files": _firewall_files(inputs, options["heading"]),
        "upstream_trials": [
            {"transport": transport.name, "nexthop": server.nexthop}
            for transport in transports.values()
            for server in transport.upstream.servers
            if server.username
        ],
        "oauth": plan_oauth(transports.values(), inputs.hostname),
        "proof_sender": proof_sender(inputs),
        "upstream_hosts": [server.host for server in inputs.upstream.servers] if inputs.upstream else [],
    }
    if inputs.dkim:
        content = milter_clients(inputs.networks)
        plan["tables"].append({"path": f"{DIRECTORY}/{CLIENTS}", "content": content})
    if secrets:
        plan["secret_files"] = [{"path": f"{DIRECTORY}/{table.name}", **table.file} for table in tables if table.secret]
        plan["secret_files"] += secret_files(transports.values())
        if plan["logins"]:
            plan["secret_files"].append(_users_file(inputs))
    plan["problems"] = [
        f"{text!r} contains a control character; expected one line of text"
        for text in _texts(plan["main"], plan["services"])
    ]
    return plan


def _misshapen(options: Options) -> list[str]:
    """Return what is wrong with the names and shapes of the variables."""
    spec = options.get("spec", {})
    values = {f"relay_{name}": value for name, value in options.items()}
    state = values.get("relay_state", "present")
    wrong = [] if state == "present" else [f"relay_state: {str(state)!r} is not valid; expected present or absent"]
    return [*find_misspelled(options.get("variables", ()), spec), *find_misshapen(spec, values), *wrong]


def _firewall_files(inputs: Inputs, heading: str) -> dict[str, list[dict[str, str]]]:
    """Return the files of each backend, since the backend is chosen later, on the host."""
    others: dict[int, tuple[Network, ...]] = dict.fromkeys(inputs.certificate["open_ports"], ())
    rules = make_rules({**others, **{listener.port: listener.sources for listener in inputs.listeners}})
    return {
        backend: [{"path": path, "content": content} for path, content in files.items()]
        for backend, files in write_all(rules, heading).items()
    }


def _texts(*values: t.Any) -> t.Iterator[str]:
    """Yield each text with a control character, at any depth; a second check after that of the readers."""
    for value in values:
        if isinstance(value, dict):
            yield from _texts(*value.values())
        elif isinstance(value, list):
            yield from _texts(*value)
        elif isinstance(value, str) and not is_line(value):
            yield value


def _identity(inputs: Inputs) -> dict[str, str]:
    return {
        "myhostname": inputs.hostname,
        "mydomain": inputs.domain,
        "myorigin": "$mydomain",
        "mynetworks": " ".join(["127.0.0.0/8", "[::1]/128", *map(_postfix_network, inputs.networks)]),
        "inet_interfaces": "all" if inputs.listeners else "loopback-only",
    }


def _certificate(inputs: Inputs, tls: Options) -> dict[str, str]:
    if all(listener.tls == "none" for listener in inputs.listeners):
        return {}
    parameters = {"smtpd_tls_chain_files": inputs.certificate["file"], "smtpd_tls_security_level": "may"}
    if tls.get("old_clients") is not None and as_bool(tls["old_clients"]):
        parameters["smtpd_tls_mandatory_exclude_ciphers"] = "aNULL, MD5"  # TLS_README, submission
    return parameters


def _routing(inputs: Inputs, transports: t.Mapping[Upstream, Transport]) -> dict[str, str]:
    """Return the default route, and the domains for which mail is accepted from any client."""
    parameters = {}
    if inputs.upstream:
        parameters["default_transport"] = transports[inputs.upstream].route
    if inputs.domains:
        parameters["relay_domains"] = ", ".join(domain.name for domain in inputs.domains)
    # addresses at the host's own name are aliases, unless it is one of relay_domains
    is_elsewhere = inputs.hostname in [domain.name for domain in inputs.domains]
    parameters["virtual_alias_domains"] = "" if is_elsewhere else "$myhostname"
    if inputs.rewrites.masquerade:
        parameters["masquerade_domains"] = ", ".join(inputs.rewrites.masquerade)
    return parameters


def _caches(inputs: Inputs, map_types: t.Collection[str]) -> dict[str, str]:
    """Return the caches of postscreen(8) and verify(8): lmdb, as Berkeley DB is going away (NON_BERKELEYDB_README).

    verify(8) makes its cache readable by all, so both are in a directory that only Postfix can enter.
    """
    kind = "lmdb" if "lmdb" in map_types else "btree"
    parameters = {}
    if any(listener.postscreen for listener in inputs.listeners):
        parameters["postscreen_cache_map"] = f"{kind}:$data_directory/{_CACHES}/postscreen_cache"
    if any(domain.recipients is None for domain in inputs.domains):
        parameters["address_verify_map"] = f"{kind}:$data_directory/{_CACHES}/verify_cache"
    return parameters


def _limits(inputs: Inputs) -> dict[str, str]:
    """Return the user's limits, and for size and warnings what the next servers and strangers make of them."""
    limits = dict(inputs.limits)
    # a message that a next server refuses for its size would have to be returned to a sender who may be forged
    sizes = [upstream.message_size for upstream in inputs.upstreams if upstream.message_size]
    if sizes:
        limits.setdefault("message_size_limit", str(min(sizes)))
    if inputs.domains:
        limits.setdefault("delay_warning_time", "0h")  # a warning would reach forged senders as well
    size = inputs.settings.get("message_size_limit", limits.get("message_size_limit", ""))
    if size.isdigit():
        limits["queue_minfree"] = room_for(int(size))
    return limits


def _logins(inputs: Inputs) -> dict[str, t.Any]:
    """Return what Dovecot's configuration needs to know of the users.

    A client uses the strongest mechanism that is offered, and no other, so every user must be able to use each one.
    A name that does not exist must look like one that does: Dovecot checks it against a hash of the same cost, and
    SCRAM shows a salt made in the same way. A hash from elsewhere has another salt, so it serves PLAIN and LOGIN only.
    """
    has_scram = all(
        not user.password_hash or has_own_salt(user.password_hash, inputs.hostname, user.name) for user in inputs.users
    )
    first = next((user.password_hash for user in inputs.users if not has_scram and user.password_hash), None)
    return {
        "logins": any(listener.login for listener in inputs.listeners),
        "mechanisms": ["plain", "login", *(["scram-sha-256"] if has_scram else [])],
        "user_names": [user.name for user in inputs.users],
        "decoy": decoy(first) if first else scram_decoy("%{salt}"),
    }


def _users_file(inputs: Inputs) -> dict[str, str]:
    """Return Dovecot's passwd-file, which Dovecot's own processes read."""
    users = "".join(f"{user.name}:{_hash(inputs.hostname, user)}\n" for user in inputs.users)
    return {"path": "/etc/dovecot/relay_users", "secret": users, "mode": "0640", "group": "dovecot"}


def _hash(hostname: str, user: User) -> str:
    return user.password_hash or scram_sha256(user.password or "", user_salt(hostname, user.name))


def _postfix_network(network: Network) -> str:
    return f"[{network.network_address}]/{network.prefixlen}" if network.version == 6 else str(network)
