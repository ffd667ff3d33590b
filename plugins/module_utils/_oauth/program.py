# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that run on a relay, by their arguments. Each imports only what it needs: a bridge starts often."""

from __future__ import annotations

import os
import typing as t

_USAGE = """\
usage: relay-oauth refresh NAME [--force]   fetch a token if it is time; as a systemd unit with its credential
       relay-oauth expiry NAME              mail root if the secret expires soon; as a systemd unit, once a day
       relay-oauth probe NAME               log in once at the provider
       relay-oauth bridge NAME              speak LMTP on standard input and output, for spawn(8)"""

#: Seconds of silence of Postfix after which the bridge ends.
_PATIENCE = 300.0

Say = t.Callable[[str], None]


def main(arguments: t.Sequence[str], say: Say, config_directory: str) -> int:
    """Run one program.

    :param say: takes a line for people.
    :param config_directory: where the configurations of bridges are.
    :returns: the exit status.
    """
    words = [one for one in arguments if not one.startswith("-")]
    options = [one for one in arguments if one.startswith("-")]
    if "--help" in options or "-h" in options:
        say(_USAGE)
        return 0
    program = _PROGRAMS.get(words[0]) if len(words) == 2 else None
    if program is None or (options and (words[0] != "refresh" or options != ["--force"])):
        say(_USAGE)
        return 2
    return program(words[1], say, config_directory, bool(options))


def _refresh(name: str, say: Say, _config_directory: str, force: bool) -> int:
    from .refresher import refresh

    return 0 if refresh(name, say, force) else 1


def _expiry(name: str, say: Say, _config_directory: str, _force: bool) -> int:
    from .expiry import tell_root
    from .refresher import Request

    try:
        request = Request.of_credential(name)
    except ValueError as error:
        say(f"{name}: failed: {error}")
        return 1
    return 0 if tell_root(name, request.end, say) else 1


def _probe(name: str, say: Say, config_directory: str, _force: bool) -> int:
    from .upstream import BridgeConfig, probe

    try:
        return 0 if probe(BridgeConfig.of_file(name, config_directory), say) else 1
    except ValueError as error:
        say(f"{name}: failed: {error}")
        return 1


def _bridge(name: str, _say: Say, config_directory: str, _force: bool) -> int:
    """Serve the client on the descriptors 0 and 1; spawn(8) gives it the third, too, so lines go to the log of mail."""
    import syslog

    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    syslog.openlog("relay-oauth", syslog.LOG_PID, syslog.LOG_MAIL)
    try:
        from .bridge import Bridge
        from .lmtp import LmtpClient
        from .upstream import BridgeConfig

        config = BridgeConfig.of_file(name, config_directory)
        Bridge(config, LmtpClient(0, 1, _PATIENCE), syslog.syslog).run()
    except Exception as error:  # noqa: BLE001 - the client must not see it; Postfix keeps the mail
        text = (
            str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: this is an error of the bridge"
        )
        syslog.syslog(syslog.LOG_ERR, f"{name}: failed: {text}")
        return 1
    return 0


_PROGRAMS: t.Mapping[str, t.Callable[[str, Say, str, bool], int]] = {
    "refresh": _refresh,
    "expiry": _expiry,
    "probe": _probe,
    "bridge": _bridge,
}
