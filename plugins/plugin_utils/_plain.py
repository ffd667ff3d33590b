# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide whether a task needs work on the controller. Imports nothing, because it runs before every task."""

from __future__ import annotations

import typing as t

#: Arguments that only the action plugin may set; :mod:`.._mailing.handover` describes them.
HANDED_OVER = frozenset(["_spool", "_slice"])
#: More messages than this are passed in a file, and their progress is shown.
FEW = 200
#: The same limit if a provider is set, which may have its own pace.
FEW_AT_A_PACE = 10
_ANY = frozenset(["body_file", "html_file", "body_template", "html_template", "vars"])
_TASK = frozenset(["messages_file", "remote_src", *_ANY])


def is_plain(arguments: t.Mapping[str, t.Any]) -> bool:
    """Return whether running the module is all there is to do."""
    if not _TASK.isdisjoint(arguments) or _chooses(arguments):
        return False
    if isinstance(arguments.get("messages"), str):  # may be JSON
        return False
    messages = _items(arguments.get("messages"))
    if takes_a_while(len(messages), arguments):
        return False
    return not any(isinstance(one, dict) and (_chooses(one) or not _ANY.isdisjoint(one)) for one in messages)


def takes_a_while(count: int, arguments: t.Mapping[str, t.Any]) -> bool:
    """Return whether to show progress: for many messages, or for several at a pace, which a provider may set."""
    paced = count > 1 and bool(arguments.get("messages_per_minute"))
    return paced or count > (FEW_AT_A_PACE if arguments.get("provider") else FEW)


def _chooses(options: t.Mapping[str, t.Any]) -> bool:
    # text may be JSON
    return any(isinstance(one, (dict, str)) and "remote_src" in one for one in _items(options.get("attachments")))


def _items(value: t.Any) -> t.Sequence[t.Any]:
    return value if isinstance(value, list) else [value]


def given(arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the arguments that have a value: null, and for an option that is not text empty text, count as not given.

    A playbook writes them for what depends on a variable, such as ``port: "{{ smtp_port | default(none) }}"``.
    """
    return {
        name: _without_null(value) if name in _LISTED else value
        for name, value in arguments.items()
        if value is not None and not (name in _NEVER_EMPTY and isinstance(value, str) and not value.strip())
    }


def unusable(arguments: t.Mapping[str, t.Any]) -> str:
    """Return what is wrong with an argument for which Ansible would give a Python error; empty if nothing."""
    oauth = arguments.get("oauth")
    if oauth and not (isinstance(oauth, dict) or (isinstance(oauth, str) and oauth.lstrip()[:1] in ("{", ""))):
        return (
            "oauth is not a mapping; expected the key token for an access token, or provider or token_url, with"
            " client_id and client_secret or refresh_token"
        )
    half = _half_character(arguments, "")
    return half and (
        f"{half} is not valid text: it contains half of a surrogate pair, as \\ud83d in JSON without the other half"
        " behind it; correct the value"
    )


def _half_character(value: t.Any, place: str) -> str:
    """Return the place of a text with half of a surrogate pair, which cannot be written anywhere; empty if none."""
    if isinstance(value, str):
        if not value.isascii():
            try:
                value.encode("utf-8")
            except UnicodeEncodeError:
                return place
    elif isinstance(value, dict):
        places = (_half_character(one, f"{place}.{name}" if place else str(name)) for name, one in value.items())
        return next(filter(None, places), "")
    elif isinstance(value, (list, tuple)):
        return next(filter(None, (_half_character(one, f"{place}[{at}]") for at, one in enumerate(value))), "")
    return ""


def _without_null(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {name: one for name, one in value.items() if one is not None}
    return [one for one in value if one is not None] if isinstance(value, list) else value


#: Options of the server and of many messages whose empty text means nothing. The options of a message know their own;
#: an empty host is a mistake.
_NEVER_EMPTY = frozenset(
    [
        *("provider", "region", "port", "tls", "secure", "auth_mechanism", "oauth", "validate_certs"),
        *("allow_cleartext_login", "ca_file", "ca_path", "tls_min_version", "client_cert"),
        *("client_key", "pinned_certificates", "ehlo_name", "ehlohost", "connect_timeout", "timeout", "final_timeout"),
        *("lmtp", "ignore_extensions", "send_ahead", "unix_socket", "proxy", "messages", "messages_file"),
        *("messages_format", "remote_src", "check", "results", "partial", "connections", "messages_per_connection"),
        *("messages_per_minute", "attempts", "retry_delay", "retry_for", "resend_unknown", "journal"),
    ]
)
_LISTED = frozenset(["oauth", "pinned_certificates", "ignore_extensions"])
