# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of options: which ones there are, the shapes of their values, and lists and mappings as JSON text."""

from __future__ import annotations

import json
import re
import typing as t

from .errors import InvalidMessage, either, found_value, quoted

Options = t.Mapping[str, t.Any]
#: Reads a value that is not None. The text is the place of the value, for errors; None is returned for no value.
Reader = t.Callable[[t.Any, str], t.Any]

#: How JSON begins; a path may begin with [draft], a text with {{. Python's form of a list is not JSON.
_JSON = re.compile(r"""\s*(?:\[\s*["'\[{\]]|\{(?!\{))""")
TEMPLATE_HINT = "variables for templates belong under vars"
#: Options that only the task has.
TASK_OPTIONS = frozenset(
    [
        "allow_cleartext_login",
        "attempts",
        "auth_mechanism",
        "ca_file",
        "ca_path",
        "check",
        "client_cert",
        "client_key",
        "connect_timeout",
        "connections",
        "ehlo_name",
        "ehlohost",
        "final_timeout",
        "host",
        "ignore_extensions",
        "journal",
        "lmtp",
        "messages",
        "messages_file",
        "messages_format",
        "messages_per_connection",
        "messages_per_minute",
        "oauth",
        "partial",
        "password",
        "pinned_certificates",
        "port",
        "provider",
        "proxy",
        "region",
        "remote_src",
        "resend_unknown",
        "results",
        "retry_delay",
        "retry_for",
        "secure",
        "send_ahead",
        "timeout",
        "tls",
        "tls_min_version",
        "tls_server_name",
        "unix_socket",
        "username",
        "validate_certs",
    ]
)


class Shape(str):
    """The documented type of an option, such as ``str``, with the function that reads its values.

    Ansible converts a value to its type in its own way: a list to the text ``['a', 'b']``. As a callable type gets the
    value itself, this one passes it on unchanged, for :class:`Form` to read.

    :param documented: the type in the documentation, which Ansible's tests compare with this one.
    """

    read: Reader

    def __new__(cls, documented: str, read: Reader) -> Shape:
        shape = super().__new__(cls, documented)
        shape.read = read
        return shape

    def __call__(self, value: t.Any) -> t.Any:
        """Return the value unchanged."""
        return value


def is_structured(shape: str) -> bool:
    """Return whether an option of this shape takes lists or mappings, which it then also takes as JSON text."""
    return shape in ("list", "dict", "raw")


def read_json(text: str) -> t.Any:
    """Read JSON.

    :raises ValueError: it is not valid, or an object has a key twice, of which Python would keep the last.
    """
    try:
        return json.loads(text, object_pairs_hook=_once)
    except RecursionError as error:
        raise ValueError(str(error)) from None


def _once(pairs: list[tuple[str, t.Any]]) -> dict[str, t.Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _value in pairs]
        raise ValueError(f"the key {quoted(next(name for name in names if names.count(name) > 1))} occurs twice")
    return found


def json_or_text(value: t.Any, place: str) -> t.Any:
    """Return the list or mapping that a text contains as JSON; any other value as it is.

    :raises InvalidMessage: the text begins as JSON, but is not valid.
    """
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
        return value
    try:
        return read_json(value)
    except ValueError as error:
        if not _JSON.match(value):
            return value
        raise InvalidMessage(
            f"{place}: is not valid JSON ({error}); expected a list or an object, as the filter to_json writes it"
        ) from None


def _folded(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip().lower())


def message_list(value: t.Any) -> t.Sequence[t.Any] | None:
    """Return the messages of the option ``messages``; None if it is not given, as for empty text.

    :raises InvalidMessage: the value is neither a list, a single message nor either of them as JSON text.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    value = json_or_text(value, "messages")
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, (list, tuple)):
        raise InvalidMessage(f"messages: expected a list of messages, each a mapping, got {found_value(value)}")
    return value


class Form:
    """The options of a message, or of an item in one of them.

    :param arguments: an argument spec whose types are shapes.
    :param hint: what to do about an option that is not in it.
    :param exclusive: sets of options of which only one may be given.
    """

    def __init__(self, arguments: Options, hint: str = "", exclusive: t.Iterable[t.Sequence[str]] = ()) -> None:
        self._readers: dict[t.Any, tuple[str, Reader]] = {
            known: (name, spec["type"].read)
            for name, spec in arguments.items()
            for known in (name, *spec.get("aliases", ()))
        }
        self._structured = {name for name, spec in arguments.items() if is_structured(spec["type"])}
        self._hint = hint or f"expected {either(list(arguments))}"
        self._exclusive = tuple(exclusive)

    def read(self, options: t.Any, place: str = "") -> dict[str, t.Any]:
        """Return the given options under their documented names; as in Ansible, an alias takes precedence.

        To read the result again does not change it.

        :param place: the item in the message, for errors; empty for the message itself.
        :raises MessageError: an option is unknown, has a value that it cannot have, or excludes another one.
        """
        prefix = f"{place}: " if place else ""
        if not isinstance(options, dict):
            raise InvalidMessage(f"{prefix}expected a mapping of options and values, got {found_value(options)}")
        unknown = sorted(str(name) for name in options if name not in self._readers)
        if unknown:
            raise InvalidMessage(f"{prefix}unknown option {', '.join(unknown)}; {self._advice(unknown)}")
        found: dict[str, t.Any] = {}
        for known, value in options.items():
            name, read = self._readers[known]
            if value is None or (name == known and name in found):
                continue
            one = f"{place}.{known}" if place else known
            value = read(json_or_text(value, one) if name in self._structured else value, one)
            if value is not None:
                found[name] = value
        for names in self._exclusive:
            given = [name for name in names if name in found]
            if len(given) > 1:
                raise InvalidMessage(f"{prefix}{' and '.join(given)} are mutually exclusive; choose one")
        return found

    def _advice(self, unknown: t.Sequence[str]) -> str:
        meant = [name for name in map(_folded, unknown) if name in self._readers]
        if meant:
            return f"did you mean {either(meant)}?"
        if self._hint == TEMPLATE_HINT and not TASK_OPTIONS.isdisjoint(unknown):
            return "that is an option of the task, not of a message"
        return self._hint
