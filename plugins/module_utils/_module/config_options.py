# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of ``config_transaction``, and their conversion to values of the core."""

from __future__ import annotations

import json
import os
import re
import typing as t
from dataclasses import dataclass

from .._transaction.model import TransactionError, WantedDirectory, WantedFile, digest_of
from .activators import ACTIVATORS
from .environment import become_needed
from .kinds import require_one_kind
from .validators import VALIDATORS

_COMMANDS: dict[str, t.Any] = {"type": "list", "elements": "list", "default": []}
_COMMAND: dict[str, t.Any] = {"type": "list", "elements": "str"}
_OWNERSHIP: dict[str, t.Any] = {
    "owner": {"type": "str", "default": "root"},
    "group": {"type": "str", "default": "root"},
}

ARGUMENTS: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent", "noted"], "default": "present"},
    "files": {
        "type": "list",
        "elements": "dict",
        "options": {
            "path": {"type": "path", "required": True},
            "content": {"type": "str"},
            "secret": {"type": "str", "no_log": True},
            "mode": {"type": "raw", "default": "0644"},
            **_OWNERSHIP,
        },
        "mutually_exclusive": [("content", "secret")],
        "required_one_of": [("content", "secret")],
    },
    "directories": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "path": {"type": "path", "required": True},
            "mode": {"type": "raw", "default": "0755"},
            **_OWNERSHIP,
        },
    },
    "build": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "command": {**_COMMAND, "required": True},
            "source": {"type": "path", "required": True},
            "creates": {"type": "path", "required": True},
        },
    },
    "validators": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {name: validator.options for name, validator in VALIDATORS.items()},
    },
    "activate": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {name: activator.options for name, activator in ACTIVATORS.items()},
    },
    "services": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "unit": {"type": "str"},
            "reload": _COMMAND,
            "restart": _COMMAND,
            "files": {"type": "list", "elements": "path", "default": []},
            "restart_files": {"type": "list", "elements": "path", "default": []},
            "restart_lines": {"type": "str"},
            "drained": _COMMANDS,
        },
        "mutually_exclusive": [("unit", "restart"), ("unit", "reload")],
        "required_one_of": [("unit", "restart")],
    },
    "health": _COMMANDS,
    "proof": {
        "type": "dict",
        "options": {
            "to": {"type": "str", "required": True},
            "from": {"type": "str", "required": True},
            "subject": {"type": "str", "required": True},
            "body": {"type": "str", "default": ""},
            "timeout": {"type": "float", "default": 60.0},
            "on_failure": {"type": "str", "choices": ["restore", "keep"], "default": "restore"},
        },
    },
    "explain": _COMMANDS,
}

#: Options in which each entry names one kind.
_KINDS: dict[str, t.Collection[str]] = {"validators": VALIDATORS, "activate": ACTIVATORS}

REQUIRED_IF = [("state", "present", ["files"])]

#: Holds the state of every transaction between runs.
STATE_DIRECTORY = "/var/lib/mailops"


@dataclass(frozen=True)
class Wanted:
    """The declaration of a task.

    :param memory: directory that holds the state of the transaction.
    :param units: systemd units that use the files.
    """

    memory: str
    files: tuple[WantedFile, ...] = ()
    directories: tuple[WantedDirectory, ...] = ()
    units: tuple[str, ...] = ()


def read_options(params: t.Mapping[str, t.Any]) -> Wanted:
    """Convert the options.

    :raises TransactionError: an option is not valid.
    """
    _require_access()
    memory = os.path.join(STATE_DIRECTORY, _plain_name(params["name"]))
    for option, kinds in _KINDS.items():
        for entry in params[option]:
            require_one_kind(option, kinds, entry)
    _require_words(params)
    if params["state"] == "absent":
        return Wanted(memory)
    units = _units(params["services"])
    if params["state"] == "noted":
        return Wanted(memory, units=units)
    written = [_file(options) for options in params["files"]]
    built = [_product(step, written) for step in params["build"]]
    directories = tuple(_directory(options) for options in params["directories"])
    return Wanted(memory, (*written, *built), directories, units)


def _require_access() -> None:
    """Require that this user may keep the state of a transaction; the errors of every later step would mislead."""
    nearest = STATE_DIRECTORY
    while not os.path.isdir(nearest):
        nearest = os.path.dirname(nearest)
    needed = become_needed("deploy files")
    if needed and not os.access(nearest, os.W_OK | os.X_OK):
        raise TransactionError(needed)


def _units(services: t.Sequence[t.Mapping[str, t.Any]]) -> tuple[str, ...]:
    """Return the unit names in declared order, since a unit of systemd may have two names."""
    names = [service["unit"] for service in services if service["unit"] is not None]
    for name in names:
        if not re.match(r"[A-Za-z0-9:_.\\@-]+\.[a-z]+\Z", name) or names.count(name) > 1:
            raise TransactionError(
                f"services: unit {name!r} is not a full unit name, or is declared twice; "
                "expected names such as named.service, each once"
            )
    return tuple(names)


def _require_words(params: t.Mapping[str, t.Any]) -> None:
    commands = [(option, argv) for option in ("health", "explain") for argv in params[option]]
    commands += [("build", step["command"]) for step in params["build"]]
    for option in _KINDS:
        commands += [(option, entry["command"]) for entry in params[option] if entry["command"] is not None]
    for service in params["services"]:
        given = [argv for argv in (service["restart"], service["reload"]) if argv is not None]
        commands += [("services", argv) for argv in (*given, *service["drained"])]
        _require_pattern(service["restart_lines"])
    for option, argv in commands:
        if not argv or not all(isinstance(word, str) for word in argv):
            raise TransactionError(
                f"{option}: {argv!r} is not a valid command; expected a list of words such as [postfix, status]"
            )


def _require_pattern(pattern: str | None) -> None:
    try:
        re.compile(pattern or "")
    except re.error as error:
        raise TransactionError(
            f"services: restart_lines {pattern!r} is not a valid regular expression: {error}"
        ) from error


def _plain_name(name: str) -> str:
    if not re.match(r"[A-Za-z0-9][A-Za-z0-9_-]*\Z", name):
        raise TransactionError(f"name: {name!r} is not a valid transaction name; expected letters, digits, _ and -")
    return name


def _file(options: t.Mapping[str, t.Any]) -> WantedFile:
    secret = options["secret"] is not None
    text: str = options["secret"] if secret else options["content"]
    return WantedFile(
        path=options["path"],
        content=text.encode("utf-8"),
        mode=_mode(options["path"], options["mode"]),
        owner=options["owner"],
        group=options["group"],
        secret=secret,
    )


def _product(step: t.Mapping[str, t.Any], written: list[WantedFile]) -> WantedFile:
    """Return a built file, with owner, mode and secrecy of its source. A change of source or command rebuilds it."""
    source = next((file for file in written if file.path == step["source"]), None)
    if source is None:
        raise TransactionError(f"build: source {step['source']} is not declared; add it to files")
    recipe = json.dumps([step["command"], digest_of(source.content or b"")])
    return WantedFile(
        path=step["creates"],
        content=None,
        mode=source.mode,
        owner=source.owner,
        group=source.group,
        secret=source.secret,
        recipe=digest_of(recipe.encode("utf-8")),
    )


def _directory(options: t.Mapping[str, t.Any]) -> WantedDirectory:
    path = options["path"]
    return WantedDirectory(path, _mode(path, options["mode"]), options["owner"], options["group"])


def _mode(path: str, mode: t.Any) -> int:
    """Convert octal digits in quotes, or the number that YAML makes of unquoted ones."""
    if isinstance(mode, str) and re.match(r"[0-7]{3,4}\Z", mode):
        return int(mode, 8)
    if isinstance(mode, int) and not isinstance(mode, bool) and 0 <= mode <= 0o7777:
        return int(mode)
    raise TransactionError(f'{path}: mode {mode!r} is not valid; expected octal digits in quotes such as "0640"')
