# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of ``mail_dns_info``: its options become a mail system, and what was seen and judged its result."""

from __future__ import annotations

import collections
import dataclasses
import os
import time
import traceback
import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from .._controls.finding import Finding, FindingStatus
from .._dns.checks import PARTS, run_checks
from .._dns.dns_errors import LibraryMissing, ResolverUnavailable
from .._dns.lookup import CachedLookup
from .._dns.recorded import record
from .._dns.resolver import DnsResolver
from .._dns.survey import survey
from .._dns.zone import sts_policy, wanted_records
from .._evidence.document import Evidence, Kind, Vantage, moment
from .._smtp.tls import TlsPolicy, UnusableFile, check_files
from .dns_options import CHECK_NAMES, InvalidOption, mail_system, wishes
from .policy_file import fetcher
from .secrets import warn

#: A run ends after that many times the time-out of one question.
_MOST_TIMEOUTS = 6


def run(module: AnsibleModule) -> None:
    """Look up the records, run the checks and exit the module. Never changes anything."""
    params = module.params
    try:
        system, wanted = mail_system(params), wishes(params)
        check_files(TlsPolicy(ca_file=params["ca_file"]))
        resolver = DnsResolver(params["nameservers"], params["timeout"], params["retries"])
    except LibraryMissing:
        module.fail_json(msg=missing_required_lib("dnspython"), exception=traceback.format_exc())
    except (InvalidOption, UnusableFile, ResolverUnavailable) as error:
        module.fail_json(msg=f"Cannot check DNS: {error}.")
    names = [name for name in CHECK_NAMES if name in params["checks"]]
    lookup = CachedLookup(resolver, seconds=_MOST_TIMEOUTS * params["timeout"])
    began, clock = time.time(), time.monotonic()
    try:
        parts = {part for name in names for part in PARTS[name]}
        seen = survey(lookup, system, parts, fetcher(params["ca_file"], params["timeout"]))
        seen = dataclasses.replace(seen, facts=dataclasses.replace(seen.facts, nameservers=tuple(resolver.nameservers)))
        findings = run_checks(lookup, system, names, seen)
        records = wanted_records(lookup, system, wanted)
        policy = sts_policy(lookup, system, wanted)
        answers = record(lookup)
    finally:
        lookup.close()
    evidence = Evidence(
        kind=Kind.DNS,
        subject=system.domain,
        seen_at=moment(began),
        seconds=round(time.monotonic() - clock, 3),
        seen_from=Vantage(os.uname().nodename),
        facts=dataclasses.replace(seen.facts, questions=lookup.questions, answers=answers),
        unknown=seen.unknown,
    )
    result = {
        "nameservers": resolver.nameservers,
        "evidence": evidence.to_dict(),
        "records": records,
        "mta_sts_policy": policy,
        "questions": lookup.questions,
        "seconds": evidence.seconds,
    }
    _leave(module, system.domain, findings, result)


def _leave(module: AnsibleModule, domain: str, findings: t.Sequence[Finding], asked: t.Mapping[str, t.Any]) -> None:
    failed = [finding for finding in findings if finding.status is FindingStatus.FAIL]
    undecided = [finding for finding in findings if finding.status is FindingStatus.ERROR]
    result: dict[str, t.Any] = {
        "changed": False,
        "findings": [finding.to_dict() for finding in findings],
        **asked,
        "passed": not failed and not undecided,
    }
    on_finding = module.params["on_finding"]
    if failed and on_finding == "fail":
        module.fail_json(
            msg="\n".join([_summary(domain, findings), *(f"- {one.sentence}" for one in failed)]), **result
        )
    if on_finding != "ignore":
        for finding in [*failed, *undecided]:
            warn(module, finding.sentence, f"{finding.control}: {finding.status.value}. no_log hides the details.")
    module.exit_json(msg=_summary(domain, findings), **result)


def _summary(domain: str, findings: t.Sequence[Finding]) -> str:
    """The number of findings by status, such as ``DNS for example.com: 5 pass, 1 fail.``"""
    counts = collections.Counter(finding.status.value.replace("_", " ") for finding in findings)
    order = [status.value.replace("_", " ") for status in FindingStatus]
    counted = ", ".join(f"{counts[status]} {status}" for status in order if counts[status])
    return f"DNS for {domain}: {counted or 'nothing to check'}."
