# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MTA-STS (RFC 8461) and TLS reporting (RFC 8460): records, the policy, and the facts about both."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from .._evidence.dns_policy import MtaStsFacts, StsMode, TlsRptFacts
from .dns_errors import RecordSyntaxError, few
from .host_facts import targets
from .inquiry import Inquiry, all_shown, shown
from .tags import parse_tags, scheme_of

_ID = re.compile(r"[A-Za-z0-9]{1,32}")
_STS = re.compile(r"v=STSv1[ \t]*(?:;|\Z)")
_TLS_RPT = re.compile(r"v=TLSRPTv1[ \t]*(?:;|\Z)")
#: The longest time, in seconds, that a policy may be kept: a year (RFC 8461 section 3.2).
MAX_AGE = 31_557_600
_MX = re.compile(r"(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*", re.IGNORECASE)
_SCHEMES = ("mailto", "https")


@dataclasses.dataclass(frozen=True)
class PolicyAnswer:
    """What the web server of a policy said."""

    status: int | None = None
    content_type: str = ""
    body: str = ""
    #: Why the certificate is refused, so that nothing is asked.
    certificate_error: str = ""


class PolicyUnreachable(Exception):
    """The web server gave no answer. The text says why."""


#: Fetches the policy from the host (the first argument) at the first of its addresses that answers.
#: Raises :class:`PolicyUnreachable`.
FetchPolicy = t.Callable[[str, t.Sequence[str]], PolicyAnswer]


@dataclasses.dataclass(frozen=True)
class StsPolicy:
    """A policy. What senders cannot use is told in ``errors``."""

    mode: StsMode | None
    max_age: int | None
    mx: tuple[str, ...]
    errors: tuple[str, ...]

    def covers(self, host: str) -> bool:
        """Whether it lists the mail server ``host``. An asterisk stands for one label (section 4.1)."""
        host = host.lower().rstrip(".")
        parent = host.partition(".")[2]
        return any(pattern.lower().rstrip(".") in (host, f"*.{parent}") for pattern in self.mx)


def parse_sts(text: str) -> str:
    """The id in an MTA-STS record (section 3.1). Raises :class:`RecordSyntaxError`."""
    tags = parse_tags(text)
    if "id" not in tags:
        raise RecordSyntaxError("it has no id=")
    if not _ID.fullmatch(tags["id"]):
        raise RecordSyntaxError(f"id={tags['id'][:40]} is not 1 to 32 letters and digits")
    return tags["id"]


def parse_policy(text: str) -> StsPolicy:
    """Parse a policy (section 3.2). Fields that are not known are ignored; the first of two equal ones counts."""
    fields: dict[str, str] = {}
    mx, errors = [], []
    for line in filter(str.strip, text.splitlines()):
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not colon:
            errors.append(f"the line {line.strip()[:40]!r} is not a field such as mode: enforce")
        elif name == "mx":
            mx.append(value)
        else:
            fields.setdefault(name, value)
    errors += _field_errors(fields)
    errors += [f"mx: {one[:80]} is not the name of a mail server" for one in mx if not _MX.fullmatch(one)]
    mode = fields.get("mode", "")
    if not mx and mode != "none":
        errors.append("it has no mx, which names a mail server")
    age = fields.get("max_age", "")
    return StsPolicy(
        mode=StsMode(mode) if mode in _MODES else None,
        max_age=int(age) if _is_age(age) else None,
        mx=tuple(mx),
        errors=few(errors),
    )


_MODES = tuple(mode.value for mode in StsMode)


def _is_age(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= MAX_AGE


def _field_errors(fields: t.Mapping[str, str]) -> t.Iterator[str]:
    if fields.get("version") != "STSv1":
        yield "it has no line version: STSv1"
    if fields.get("mode") not in _MODES:
        yield f"mode is {fields.get('mode', 'missing')[:20]}; expected {', '.join(_MODES)}"
    if not _is_age(fields.get("max_age", "")):
        yield f"max_age is {fields.get('max_age', 'missing')[:20]}; expected 0 to {MAX_AGE} seconds"


def mta_sts_facts(inquiry: Inquiry, fetch: FetchPolicy) -> MtaStsFacts:
    """The record, and the policy if there is a record."""
    domain = inquiry.system.domain
    host = f"mta-sts.{domain}"
    inquiry.prefetch([(f"_mta-sts.{domain}", "TXT"), (host, "A"), (host, "AAAA")])
    texts = inquiry.values("mta_sts", f"_mta-sts.{domain}", "TXT")
    if texts is None:
        return MtaStsFacts()
    records = tuple(text for text in texts if _STS.match(text))
    facts = MtaStsFacts(records=all_shown(records))
    if not records:
        return facts
    try:
        if len(records) > 1:
            raise RecordSyntaxError(f"there are {len(records)} MTA-STS records, which are all ignored")
        facts = dataclasses.replace(facts, id=parse_sts(records[0]))
    except RecordSyntaxError as error:
        facts = dataclasses.replace(facts, error=str(error))
    return _with_policy(inquiry, facts, host, fetch)


def _with_policy(inquiry: Inquiry, facts: MtaStsFacts, host: str, fetch: FetchPolicy) -> MtaStsFacts:
    addresses = inquiry.addresses("mta_sts.policy", host)
    if addresses is None:
        return facts
    facts = dataclasses.replace(facts, host_addresses=tuple(map(str, addresses)))
    if not addresses:
        return facts
    try:
        answer = fetch(host, list(map(str, addresses)))
    except PolicyUnreachable as error:
        inquiry.note("mta_sts.policy", error)
        return facts
    if answer.certificate_error:
        return dataclasses.replace(facts, certificate_error=answer.certificate_error)
    facts = dataclasses.replace(facts, status=answer.status, content_type=answer.content_type)
    if answer.status != 200:
        return facts
    policy = parse_policy(answer.body)
    servers = targets(inquiry)
    return dataclasses.replace(
        facts,
        policy="\n".join(map(shown, answer.body.splitlines())),
        policy_errors=policy.errors,
        mode=policy.mode,
        max_age=policy.max_age,
        mx=policy.mx,
        uncovered=None if servers is None else tuple(one for one in servers if not policy.covers(one)),
    )


def tls_rpt_facts(inquiry: Inquiry) -> TlsRptFacts:
    """The record that asks for reports (RFC 8460 section 3)."""
    texts = inquiry.values("tls_rpt", f"_smtp._tls.{inquiry.system.domain}", "TXT")
    if texts is None:
        return TlsRptFacts()
    records = tuple(text for text in texts if _TLS_RPT.match(text))
    facts = TlsRptFacts(all_shown(records))
    if not records:
        return facts
    if len(records) > 1:
        return dataclasses.replace(facts, error=f"there are {len(records)} records, which are all ignored")
    try:
        return dataclasses.replace(facts, reports_to=parse_tls_rpt(records[0]))
    except RecordSyntaxError as error:
        return dataclasses.replace(facts, error=str(error))


def parse_tls_rpt(text: str) -> tuple[str, ...]:
    """The URIs in a TLS reporting record. Raises :class:`RecordSyntaxError`."""
    uris = tuple(uri.strip() for uri in parse_tags(text).get("rua", "").split(",") if uri.strip())
    if not uris:
        raise RecordSyntaxError("it has no rua=, where reports go")
    for uri in uris:
        if scheme_of(uri) not in _SCHEMES:
            raise RecordSyntaxError(f"rua= has {uri[:80]!r}, which is not a mailto: or https: URI")
    return uris
