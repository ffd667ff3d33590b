# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must not be shown of main.cf and master.cf: passwords that they have instead of a file."""

from __future__ import annotations

import re
import typing as t

from .._sasl.scrubbing import MASK, passwords_in

_WORDS = "password|passwd|passphrase|secret|token|api_?key"
#: Parameters that the user defines for a secret, or that a table of ldap_table(5) and its kind reads from main.cf.
_SECRET_NAME = re.compile(rf"(?:{_WORDS}|(?:\A|_)(?:pw|pass|pwd))\Z", re.IGNORECASE)
#: Logins of a client, in parameters with this name: ``static:user:password``,
#: ``inline:{ {[smtp.example.com]:587 = user:password} }``.
_LOGINS_NAME = re.compile(r"_password_maps\Z")
#: In braces of its own, a password may have blanks, commas and braces.
_IN_BRACES = r"\s*[^\s:{},]*:(.+?)\s*\}(?=[\s,}]|\Z)"
_LOGIN = re.compile(
    rf"static:\s*\{{{_IN_BRACES}|(?<=[{{,\s])\{{[^{{}}=]+={_IN_BRACES}|(?:static:|=)\s*[^\s:{{}},]*:([^\s{{}},]+)"
)
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\}|\((\w+)\))")
#: How deep variables are followed, and how long a value may get.
_MOST_DEPTH, _MOST_CHARACTERS = 5, 1 << 16
#: In any value: options of a command, settings of a table, and the key in the names of a list that is paid for.
_ANYWHERE = (
    re.compile(rf"--?[\w-]*(?:{_WORDS})(?:\s*=\s*|\s+)([^\s,{{}}\"']+)", re.IGNORECASE),
    re.compile(rf"(?<![\w$-])\w*(?:{_WORDS})\s*=\s*(?![=$])([^\s,{{}}\"']+)", re.IGNORECASE),
    re.compile(r"(?<![\w.])(\w{16,})\.(?:\w+\.)+dq\.spamhaus\.net"),
)
#: A shorter secret is only hidden where it stands alone.
_TELLING = 6


def secrets_in(parameters: t.Mapping[str, str]) -> t.Iterator[str]:
    """Yield what must not be shown of these parameters."""
    for name, value in parameters.items():
        yield from passwords_in(value)
        if _LOGINS_NAME.search(name):
            yield from map("".join, _LOGIN.findall(_expanded(value, parameters)))
        elif _SECRET_NAME.search(name):
            yield value
        for pattern in _ANYWHERE:
            yield from pattern.findall(value)


def _expanded(value: str, parameters: t.Mapping[str, str]) -> str:
    """The value with those of the parameters that it refers to: a login may be in one of them."""
    for _depth in range(_MOST_DEPTH):
        found = _VARIABLE.sub(lambda match: parameters.get(next(filter(None, match.groups())), match[0]), value)
        if found == value or len(found) > _MOST_CHARACTERS:
            break
        value = found
    return value


def mask(text: str, secrets: t.Collection[str]) -> str:
    """``text`` without these secrets. A short one could be part of any word."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        pattern = re.escape(secret)
        text = re.sub(pattern if len(secret) >= _TELLING else rf"(?<!\w){pattern}(?!\w)", MASK, text)
    return text
