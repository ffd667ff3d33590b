# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of ``mail_dns_info``: its options become a mail system, and the findings its result."""

from __future__ import annotations

import collections
import traceback
import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from .._controls.finding import Finding, FindingStatus
from .._dns.checks import CHECKS, MailSystem, run_checks
from .._dns.dns_errors import InvalidName, LibraryMissing, ResolverUnavailable
from .._dns.evidence import collect
from .._dns.lookup import CachedLookup
from .._dns.names import is_fqdn, normalize, parse_address
from .._dns.resolver import DnsResolver
from .secrets import warn

#: The order of the findings, and the choices of the option ``checks``.
CHECK_NAMES = tuple(CHECKS)


class _InvalidOption(ValueError):
    """An option with an invalid value. The text names the option."""


def run(module: AnsibleModule) -> None:
    """Look up the records, run the checks and exit the module. Never changes anything."""
    params = module.params
    try:
        system = _system(params)
        lookup = CachedLookup(DnsResolver(params["nameservers"], params["timeout"]))
    except LibraryMissing:
        module.fail_json(msg=missing_required_lib("dnspython"), exception=traceback.format_exc())
    except (_InvalidOption, ResolverUnavailable) as error:
        module.fail_json(msg=f"Cannot check DNS: {error}.")
    names = [name for name in CHECK_NAMES if name in params["checks"]]
    findings = run_checks(lookup, system, names)
    _leave(module, findings, collect(lookup, system, names))


def _system(params: t.Mapping[str, t.Any]) -> MailSystem:
    return MailSystem(
        domain=_domain(params["domain"]),
        hostname=_name("hostname", params["hostname"]) if params["hostname"] else "",
        addresses=tuple(_read("addresses", parse_address, text) for text in params["addresses"]),
        via=tuple(_name("via", text.strip("[]")) for text in params["via"]),
    )


def _domain(text: str) -> str:
    if not is_fqdn(text):
        raise _InvalidOption(f"domain: {text!r} is not a valid mail domain; expected a name such as example.com")
    return normalize(text)


def _name(option: str, text: str) -> str:
    try:
        return normalize(text)
    except InvalidName as error:
        raise _InvalidOption(f"{option}: {error}") from error


_T = t.TypeVar("_T")


def _read(option: str, read: t.Callable[[str], _T], text: str) -> _T:
    try:
        return read(text)
    except ValueError as error:
        raise _InvalidOption(f"{option}: {error}") from error


def _leave(module: AnsibleModule, findings: t.Sequence[Finding], records: t.Mapping[str, t.Any]) -> None:
    failed = [finding for finding in findings if finding.status is FindingStatus.FAIL]
    undecided = [finding for finding in findings if finding.status is FindingStatus.ERROR]
    result: dict[str, t.Any] = {
        "changed": False,
        "findings": [finding.to_dict() for finding in findings],
        "records": records,
        "passed": not failed and not undecided,
    }
    on_finding = module.params["on_finding"]
    if failed and on_finding == "fail":
        module.fail_json(
            msg="\n".join([_summary(module, findings), *(f"- {one.sentence}" for one in failed)]), **result
        )
    if on_finding != "ignore":
        for finding in [*failed, *undecided]:
            warn(module, finding.sentence, f"{finding.control}: {finding.status.value}. no_log hides the details.")
    module.exit_json(msg=_summary(module, findings), **result)


def _summary(module: AnsibleModule, findings: t.Sequence[Finding]) -> str:
    """The number of findings by status, such as ``DNS for example.com: 5 pass, 1 fail.``"""
    counts = collections.Counter(finding.status.value.replace("_", " ") for finding in findings)
    order = [status.value.replace("_", " ") for status in FindingStatus]
    counted = ", ".join(f"{counts[status]} {status}" for status in order if counts[status])
    return f"DNS for {module.params['domain']}: {counted or 'nothing to check'}."
