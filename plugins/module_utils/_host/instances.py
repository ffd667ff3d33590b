# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of each Postfix on the host, as Postfix itself reads it."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from .._evidence.host_config import Instance, Service
from .._postfix.config import MasterEntry, parse_main, parse_master, parse_options, split_words
from .._postfix.config_secrets import mask, secrets_in
from .host import Host

#: Words in the command of a service that starts a program (pipe(8), spawn(8)).
_COMMAND = re.compile(r"\bargv=\{?\s*(\S+)")
_USER = re.compile(r"\Auser=(\S+)")
#: Programs that take such a command.
_STARTERS = ("pipe", "spawn")
#: What postconf says of itself.
_OF_POSTCONF = ("process_id", "process_name")
_WARNING = re.compile(r"\S*postconf: warning: (.+)")


def find(host: Host) -> tuple[Instance, ...] | None:
    """The instances of Postfix, the first one first; none if it is not installed, ``None`` if it cannot be asked."""
    found: tuple[Instance, ...] | None = host.once("config", lambda: _find(host))
    return found


def _find(host: Host) -> tuple[Instance, ...] | None:
    code, output, complaints = host.run("postconf", "-d", "config_directory", "mail_version")
    if code == 127:
        return ()
    known = parse_main(output)
    if code or "config_directory" not in known:
        host.cannot("config", f"postconf failed: {_last(complaints)}")
        return None
    first = _instance(host, known["config_directory"], first=True)
    others = split_words((first.parameters or {}).get("multi_instance_directories", ""))
    return (first, *(_instance(host, directory) for directory in others))


def _instance(host: Host, directory: str, first: bool = False) -> Instance:
    postconf = ("postconf", "-c", directory)
    place = f"config.{directory}"
    code, set_here, warnings = host.run(*postconf, "-n")
    effective = host.ask(place, *postconf, "-x") if code == 0 else None
    if effective is None:
        if code:
            host.cannot(place, f"postconf cannot read {directory}/main.cf: {_last(warnings)}")
        return Instance(name="", group="", enabled=first, config_directory=directory)
    parameters, own = _parameters(effective), parse_main(set_here)
    master = host.ask(f"{place}.services", *postconf, "-M")
    options = parse_options(host.ask(f"{place}.services", *postconf, "-Px") or "")
    overridden = {key: _overridden(host, postconf, own_options) for key, own_options in options.items()}
    everything = [own, parameters, *options.values(), *overridden.values()]
    secrets = {secret for one in everything for secret in secrets_in(one)}
    hidden = {name: mask(value, secrets) for name, value in parameters.items()}
    services = [
        _service(
            entry, options.get((entry.name, entry.type), {}), overridden.get((entry.name, entry.type), {}), parameters
        )
        for entry in parse_master(master or "")
    ]
    return Instance(
        name=parameters.get("multi_instance_name", ""),
        group=parameters.get("multi_instance_group", ""),
        enabled=first or parameters.get("multi_instance_enable") == "yes",
        config_directory=directory,
        version=parameters.get("mail_version"),
        parameters=hidden,
        own=tuple(own),
        services=None if master is None else tuple(_masked(one, secrets) for one in services),
        complaints=tuple(dict.fromkeys(mask(one, secrets) for one in _WARNING.findall(warnings))),
    )


def _overridden(host: Host, postconf: tuple[str, ...], options: t.Mapping[str, str]) -> dict[str, str]:
    """All parameters as a service with these options sees them: others may refer to those that it sets.

    :param options: with every variable expanded, as -o does not know the name of the service.
    """
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    code, output, _complaints = host.run(*postconf, "-x", *words)
    return _parameters(output) if code == 0 else dict(options)


def _parameters(output: str) -> dict[str, str]:
    return {name: value for name, value in parse_main(output).items() if name not in _OF_POSTCONF}


def _service(
    entry: MasterEntry, options: t.Mapping[str, str], seen: t.Mapping[str, str], parameters: t.Mapping[str, str]
) -> Service:
    program = entry.command
    started = " ".join(entry.arguments) if program in _STARTERS else ""
    command = _COMMAND.search(started)
    user = next(filter(None, (_USER.match(word) for word in entry.arguments)), None) if started else None
    fields = {name: getattr(entry, name) for name in ("name", "type", "private", "unprivileged", "chroot")}
    return Service(
        **fields,
        wakeup=entry.wakeup,
        processes=entry.processes,
        program=program,
        command=command[1] if command else None,
        user=user[1] if user else None,
        own=tuple(options),
        parameters={name: value for name, value in seen.items() if name in options or parameters.get(name) != value},
    )


def _masked(service: Service, secrets: t.Collection[str]) -> Service:
    shown = {name: mask(value, secrets) for name, value in service.parameters.items()}
    return dataclasses.replace(service, parameters=shown)


def value_of(instance: Instance, name: str, service: Service | None = None) -> str:
    """The effective value of a parameter, for a service or for the instance; empty if it is not known."""
    own = service.parameters if service else {}
    return own.get(name, (instance.parameters or {}).get(name, ""))


def _last(text: str) -> str:
    """The last line of an error, without the line of main.cf that it may quote."""
    said = (text.strip().splitlines() or ["no reason given"])[-1]
    return re.sub(r":? *\"[^\"]*\"?", "", said).rpartition("fatal: ")[2].rstrip(".") + "."
