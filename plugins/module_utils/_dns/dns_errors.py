# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors of DNS lookups and of parsing records."""

from __future__ import annotations

import typing as t

#: How much of a name that is too long is shown.
_SHOWN = 80
_ESCAPE = "\\"
#: How much of a text that quotes a record is shown.
_LONGEST = 500
#: How many of such texts are shown.
_MOST = 10


def shorten(text: str) -> str:
    """``text`` up to a length that a message can have."""
    return f"{text[:_LONGEST]}..." if len(text) > _LONGEST else text


def few(texts: t.Iterable[str]) -> tuple[str, ...]:
    """The first ten of ``texts``, and how many more there are: a record of 64 kB can have thousands of faults."""
    found = tuple(texts)
    more = len(found) - _MOST
    return found if more <= 0 else (*found[:_MOST], f"{more} more")


class DnsError(Exception):
    """The base class of all errors of this package."""


class InvalidName(DnsError):
    """A text that is not the name that is expected (RFC 1035 section 2.3.4, RFC 1123 section 2.1)."""

    def __init__(self, name: str, expected: str, reason: str) -> None:
        name = f"{name[:_SHOWN]}..." if len(name) > _SHOWN else name
        # Escapes are shown as they are in a zone file.
        super().__init__(f"{name if _ESCAPE in name else repr(name)} is not a {expected}: {reason}")
        self.reason = reason


class RecordSyntaxError(DnsError):
    """A record that exists but does not follow its grammar. The text quotes little of a long one."""

    def __init__(self, reason: str) -> None:
        super().__init__(shorten(reason))


class ResolverUnavailable(DnsError):
    """No resolver can be set up: there is no configuration, or a name server is not given as an IP address."""


class LibraryMissing(ResolverUnavailable):
    """The dnspython library is not installed."""


class LookupFailed(DnsError):
    """A lookup without a usable answer. The absence of a name or a record is an answer, not an error."""

    def __init__(self, name: str, rdtype: str, reason: str) -> None:
        super().__init__(f"the {rdtype} lookup for {name} {reason}")
        self.name = name
        self.rdtype = rdtype
        #: What became of the lookup, such as ``timed out``.
        self.reason = reason


class LookupTimedOut(LookupFailed):
    """No name server answered in time."""


class ServerFailure(LookupFailed):
    """The name servers answered with an error, such as SERVFAIL or REFUSED."""
