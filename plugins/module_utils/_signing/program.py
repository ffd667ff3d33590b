# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that lets the signer use a key only while the DNS has its record.

check    look at the DNS, and give the signer the keys that it has; a timer runs this every few minutes
records  print the records as JSON, for the role

The newest selector of a domain whose records all equal the keys signs, alone. If the DNS does not answer, what signs
continues. A record that disappears or changes stops its selector, since receivers could no longer verify it.
"""

from __future__ import annotations

import json
import typing as t

from .choice import choose, remember, tell
from .keys import Settings, Trouble, check_owner, public_half, read_settings
from .lookup import Lookup
from .records import UNKNOWN, compare
from .signer import RELOAD_TIME, reload, tables
from .state import State

Say = t.Callable[[str], None]

_USAGE = "usage: relay-dkim check|records"


def main(arguments: t.Sequence[str], report: Say, say: Say) -> int:
    """Run a command.

    :param report: takes a line that says what changed, or the records.
    :param say: takes a line that says what failed.
    :returns: the exit status.
    """
    commands = {"check": _check_alone, "records": _records}
    if len(arguments) != 1 or arguments[0] not in commands:
        say(_USAGE)
        return 2
    try:
        commands[arguments[0]](report)
    except Trouble as trouble:
        say(str(trouble))
        return 1
    return 0


def _records(report: Say) -> None:
    settings = read_settings()
    told = tell(settings, *State(settings.state_directory).recall())
    rows = [
        {
            "name": one.key.name,
            "domain": one.domain,
            "selector": one.key.selector,
            "public_key": public_half(one.key.path, one.key.kind),
            "state": one.state,
            "keep_until": one.keep_until,
            "told": one.told,
        }
        for one in told
    ]
    report(json.dumps(rows))


def _check_alone(report: Say) -> None:
    state = State(read_settings().state_directory)
    with state.alone():
        check(read_settings(), state, report)  # the role may have changed them during the wait


def check(settings: Settings, state: State, report: Say) -> None:
    """Look at the DNS, and let the signer use what is published. Raises :class:`Trouble`."""
    before, signed = state.recall()
    known = tell(settings, before, signed)
    states = look(settings, before)
    active = choose(settings.domains, settings.sign_now, states)
    signed = remember(signed, settings, active)
    state.keep(states, signed, tables(settings.signer, active))
    for record in tell(settings, states, signed):
        if record not in known:
            report(record.told)
    if state.is_reload_due():
        if not reload(f"{settings.signer}.service"):
            raise Trouble(
                f"{settings.signer} did not take its new table in {RELOAD_TIME} s. The next check tries again; see"
                f" journalctl --unit={settings.signer}.service."
            )
        state.forget_reload()


def look(settings: Settings, before: t.Mapping[str, str]) -> dict[str, str]:
    """Compare each key with the DNS. Where that does not answer, what was known of the same key stays."""
    lookup, states = Lookup(settings.nameservers), {}
    for key in (key for domain in settings.domains for key in domain.keys):
        check_owner(key.path)
        found = compare(lookup.texts(key.name), key.kind, public_half(key.path, key.kind))
        states[key.name] = before.get(key.name, UNKNOWN) if found == UNKNOWN else found
    return states
