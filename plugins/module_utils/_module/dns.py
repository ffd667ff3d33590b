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
from .._dns.checks import CHECKS, run_checks
from .._dns.dns_errors import InvalidName, LibraryMissing, ResolverUnavailable
from .._dns.evidence import collect
from .._dns.lookup import CachedLookup
from .._dns.mail_system import MailSystem
from .._dns.names import Address, is_address, normalize, parse_literal, require_fqdn, require_name
from .._dns.resolver import DnsResolver
from .._dns.scope import scope_of
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
        if not params["timeout"] > 0:
            raise _InvalidOption(f"timeout: {params['timeout']:g} is not valid; expected more than 0 seconds")
        resolver = DnsResolver(params["nameservers"], params["timeout"])
    except LibraryMissing:
        module.fail_json(msg=missing_required_lib("dnspython"), exception=traceback.format_exc())
    except (_InvalidOption, ResolverUnavailable) as error:
        module.fail_json(msg=f"Cannot check DNS: {error}.")
    lookup = CachedLookup(resolver)
    names = [name for name in CHECK_NAMES if name in params["checks"]]
    findings = run_checks(lookup, system, names)
    records = collect(lookup, system, names)
    _leave(module, system.domain, findings, {"records": records, "nameservers": resolver.nameservers})


def _system(params: t.Mapping[str, t.Any]) -> MailSystem:
    hostname = params["hostname"] or ""
    return MailSystem(
        domain=_name("domain", params["domain"] or "", require_fqdn, "a name such as example.com"),
        # A server may also say an address with EHLO, or a name of one label. The checks judge that.
        hostname=hostname if is_address(hostname) or not hostname else _name("hostname", hostname, require_name, _HOST),
        addresses=tuple(map(_address, params["addresses"])),
        via=tuple(map(_upstream, params["via"])),
    )


_HOST = "a host name such as mail.example.com"


def _name(option: str, text: str, require: t.Callable[[str], None], expected: str) -> str:
    text = text.strip()
    try:
        require(text)
    except InvalidName as error:
        raise _InvalidOption(f"{option}: {error}; expected {expected}") from error
    return normalize(text)


def _upstream(text: str) -> str:
    """Read the name or the address of an upstream, which Postfix writes in brackets."""
    if is_address(text.strip()):
        return str(parse_literal(text.strip()))
    name = text.strip()
    bare = name[1:-1] if name[:1] + name[-1:] == "[]" else name
    return _name("via", bare, require_name, f"{_HOST}, or an IP address")


def _address(text: str) -> Address:
    expected = "expected an IP address that mail leaves from, such as 192.0.2.25"
    try:
        address = parse_literal(text.strip())
    except ValueError as error:
        raise _InvalidOption(f"addresses: {error}; {expected}") from error
    scope = scope_of(address)
    if scope and not scope.domains:
        raise _InvalidOption(
            f"addresses: {address} is {scope.name}, so no mail to other hosts leaves from it; {expected}"
        )
    return address


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
