# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The extensions that a server offers in its EHLO reply (RFC 5321 section 4.1.1.1).

::

    250-mx.example.com
    250-SIZE 10240000
    250-AUTH PLAIN LOGIN
    250 PIPELINING
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from .reply import Reply

#: Replies of a server that does not support EHLO (RFC 5321 section 3.2).
NO_EHLO = (500, 502)
#: "AUTH=PLAIN" is the form from before RFC 2554; some servers still send both.
_LINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:[ =](.*))?\Z")


@dataclass(frozen=True)
class Capabilities:
    """The extensions of one EHLO reply; discarded and requested again after STARTTLS (RFC 3207 section 4.2).

    :param keywords: EHLO keyword in upper case -> its parameters.
    :param unused: keywords in upper case that the user wants left unused.
    """

    keywords: t.Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unused: t.Collection[str] = ()

    @classmethod
    def parse(cls, reply: Reply) -> Capabilities:
        """Parse the EHLO reply; lines without a keyword are ignored (RFC 5321 section 4.1.1.1)."""
        keywords: dict[str, tuple[str, ...]] = {}
        for line in reply.lines[1:]:
            match = _LINE.match(line.strip())
            if match:
                name = match.group(1).upper()
                keywords[name] = keywords.get(name, ()) + tuple((match.group(2) or "").split())
        return cls(keywords)

    def without(self, unused: t.Collection[str]) -> Capabilities:
        """Return the extensions except those to leave unused, in upper case."""
        return Capabilities({name: one for name, one in self.keywords.items() if name not in unused}, unused)

    def lack(self, keyword: str) -> str:
        """Return why an extension is not available, as the second half of a sentence."""
        unused = keyword in self.unused
        return f"ignore_extensions names {keyword}" if unused else f"the server does not offer {keyword}"

    def __contains__(self, keyword: str) -> bool:
        return keyword.upper() in self.keywords

    @property
    def auth_mechanisms(self) -> tuple[str, ...]:
        """SASL mechanisms in upper case, in the server's order (RFC 4954 section 3)."""
        return tuple(dict.fromkeys(name.upper() for name in self.keywords.get("AUTH", ())))

    @property
    def max_size(self) -> int | None:
        """The largest message in octets, or None if the server does not give a limit (RFC 1870 section 4)."""
        parameters = self.keywords.get("SIZE", ())
        return int(parameters[0]) or None if parameters and parameters[0].isdecimal() else None
