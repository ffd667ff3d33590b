# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``check_host()`` of RFC 7208: may this address send for this domain? Pure: all DNS goes through a lookup."""

from __future__ import annotations

import dataclasses
import enum
import functools
import ipaddress
import typing as t

from .dns_errors import InvalidName, LookupFailed, RecordSyntaxError
from .lookup import ADDRESS_TYPES, Answer, Lookup, why_absent
from .macros import MacroValues, depends_on_address, expand_domain
from .names import Address, normalize, parse_address, reverse_pointer
from .records import Qualifier, SpfMechanism, SpfRecord, is_spf, parse_mx, parse_spf, why_not_spf

# RFC 7208 section 4.6.4.
MAX_LOOKUPS = 10
MAX_VOID_LOOKUPS = 2
MAX_NAMES = 10


class SpfResult(str, enum.Enum):
    """The results of ``check_host()`` (RFC 7208 section 2.6)."""

    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


_RESULTS = {
    Qualifier.PASS: SpfResult.PASS,
    Qualifier.FAIL: SpfResult.FAIL,
    Qualifier.SOFTFAIL: SpfResult.SOFTFAIL,
    Qualifier.NEUTRAL: SpfResult.NEUTRAL,
}


@dataclasses.dataclass(frozen=True)
class SpfOutcome:
    """A result and, in a few words, its reason."""

    result: SpfResult
    reason: str
    #: The terms that caused a lookup, and the lookups that found no record.
    lookups: int = dataclasses.field(default=0, compare=False)
    voids: int = dataclasses.field(default=0, compare=False)


class _Stop(Exception):
    """A permanent or temporary error, at any depth, that ends the whole evaluation."""

    def __init__(self, result: SpfResult, reason: str) -> None:
        super().__init__(reason)
        self.outcome = SpfOutcome(result, reason)


def spf_records(lookup: Lookup, domain: str) -> tuple[str, ...]:
    """The SPF records of ``domain`` as published (RFC 7208 sections 4.4 and 4.5). Raises :class:`LookupFailed`."""
    return tuple(filter(is_spf, lookup.query(domain, "TXT").values))


def why_no_record(lookup: Lookup, domain: str) -> str:
    """Say why ``domain`` has no SPF record. Raises :class:`LookupFailed`."""
    mangled = mangled_records(lookup, domain)
    if mangled:
        return f"{domain} has a mangled SPF record, which receivers ignore: {mangled[0]}"
    return why_absent(lookup, domain, "TXT", "no SPF record")


def mangled_records(lookup: Lookup, domain: str) -> tuple[str, ...]:
    """Say for each TXT record that was meant as an SPF record and is not one, why. Raises :class:`LookupFailed`."""
    return tuple(filter(None, map(why_not_spf, lookup.query(domain, "TXT").values)))


def check_host(lookup: Lookup, address: Address, domain: str, sender: str = "", helo: str = "") -> SpfOutcome:
    """Evaluate the SPF policy of ``domain`` for mail from ``address`` (RFC 7208 section 4).

    ``sender`` is the envelope sender; a missing local part is ``postmaster``, a missing domain is ``domain``
    (section 4.3). ``helo`` is the name given with EHLO. Never raises: errors give the result temperror or permerror.
    """
    local, _at, sender_domain = sender.rpartition("@")
    sender = f"{local or 'postmaster'}@{sender_domain or domain}"
    return _Evaluation(lookup, parse_address(str(address)), sender, helo or domain).outcome(domain)


#: Addresses at even distances, in all of IPv4 and in the global part of IPv6. Two of them pass if a sixteenth of IPv4
#: does, or a quarter of that part of IPv6, and no organization has that many.
_PROBES: tuple[tuple[Address, ...], ...] = (
    tuple(ipaddress.IPv4Address((block << 27) + 1) for block in range(32)),
    tuple(ipaddress.IPv6Address((0x2000 + (block << 10) << 112) + 1) for block in range(8)),
)


_UNCLEAR = frozenset({SpfResult.NEUTRAL, SpfResult.PERMERROR})


def for_strangers(lookup: Lookup, domain: str) -> SpfOutcome:
    """The outcome for hosts that are not the domain's: a pass if the policy lets large parts of the Internet send.

    Evaluates addresses from all over the Internet, and so finds ``+all``, ``ip4:0.0.0.0/0``, ``a/0``, two halves of the
    Internet, and any of them behind an include or a redirect. Without a pass, the outcome for an IPv4 address of them,
    neutral or permerror if there is one.
    """
    others: list[SpfOutcome] = []
    for probes in _PROBES:
        passes = 0
        for number, address in enumerate(probes):
            evaluation = _StrangersEvaluation(lookup, address, f"postmaster@{domain}", domain)
            evaluation.asks_for_address = number <= 1
            outcome = evaluation.outcome(domain)
            if address.version == 4 and outcome.result is not SpfResult.PASS:
                others.append(outcome)
            passes += outcome.result is SpfResult.PASS
            if passes > 1 or outcome.result is SpfResult.TEMPERROR:
                return outcome
    return next((one for one in others if one.result in _UNCLEAR), others[0])


class _Evaluation:
    """One run of ``check_host()``. The limits apply to all includes and redirects together."""

    def __init__(self, lookup: Lookup, address: Address, sender: str, helo: str) -> None:
        self._lookup = lookup
        self._address = address
        self._sender = sender
        self._helo = helo
        self._lookups = 0
        self._voids = 0

    def outcome(self, domain: str) -> SpfOutcome:
        """Evaluate the policy of ``domain``, with what it cost."""
        try:
            outcome = self.check(domain)
        except _Stop as stop:
            outcome = stop.outcome
        return dataclasses.replace(outcome, lookups=self._lookups, voids=self._voids)

    def check(self, domain: str) -> SpfOutcome:
        """Find and evaluate the record of ``domain`` (sections 4.3 to 4.7)."""
        record = self._record(domain)
        if record is None:
            return SpfOutcome(SpfResult.NONE, self._why_none(domain))
        for mechanism in record.mechanisms:
            if self._matches(mechanism, domain):
                return SpfOutcome(_RESULTS[mechanism.qualifier], f"{_named(mechanism)} of {domain} matches")
        if record.redirect:
            return self._redirect(record.redirect, domain)
        return SpfOutcome(SpfResult.NEUTRAL, f"no mechanism of {domain} matches")

    def _record(self, domain: str) -> SpfRecord | None:
        try:
            name = normalize(domain)
        except InvalidName:
            return None
        if "." not in name:
            return None
        try:
            texts = spf_records(self._lookup, name)
            if len(texts) > 1:
                raise _Stop(SpfResult.PERMERROR, f"{domain} has {len(texts)} SPF records")
            return parse_spf(texts[0]) if texts else None
        except LookupFailed as error:
            raise _Stop(SpfResult.TEMPERROR, str(error)) from error
        except RecordSyntaxError as error:
            raise _Stop(SpfResult.PERMERROR, f"the SPF record of {domain} is invalid: {error}") from error

    def _why_none(self, domain: str) -> str:
        try:
            return why_no_record(self._lookup, domain)
        except InvalidName as error:
            return str(error)
        except LookupFailed:
            return f"{domain} has no SPF record"

    def _redirect(self, spec: str, domain: str) -> SpfOutcome:
        """Evaluate the record of another domain, which must have one (section 6.1)."""
        self._count_lookup()
        target = self._expand(spec, domain)
        outcome = self.check(target)
        if outcome.result is SpfResult.NONE:
            raise _Stop(SpfResult.PERMERROR, f"redirect={target} of {domain} is invalid: {outcome.reason}")
        return outcome

    def _matches(self, mechanism: SpfMechanism, domain: str) -> bool:
        if mechanism.name in COUNTED:
            self._count_lookup()
        target = self._expand(mechanism.domain, domain) if mechanism.domain else domain
        try:
            return _MATCHERS[mechanism.name](self, mechanism, target)
        except LookupFailed as error:
            raise _Stop(SpfResult.TEMPERROR, str(error)) from error

    # -- the mechanisms, section 5 --------------------------------------------------------------------------------

    def all(self, _mechanism: SpfMechanism, _target: str) -> bool:
        """Match always (section 5.1)."""
        return True

    def include(self, mechanism: SpfMechanism, target: str) -> bool:
        """Match on a pass only; a missing record is a permanent error (section 5.2)."""
        outcome = self.check(target)
        if outcome.result is SpfResult.NONE:
            raise _Stop(SpfResult.PERMERROR, f"{mechanism.text} is invalid: {outcome.reason}")
        return outcome.result is SpfResult.PASS

    def a(self, mechanism: SpfMechanism, target: str) -> bool:
        """Match an address of the target (section 5.3)."""
        return any(self._within(address, mechanism) for address in self._addresses(target))

    def mx(self, mechanism: SpfMechanism, target: str) -> bool:
        """Match an address of an exchanger (section 5.4); more than ten are a permanent error (section 4.6.4)."""
        try:
            records = list(map(parse_mx, self._ask(target, "MX").values))
        except RecordSyntaxError as error:
            raise _Stop(SpfResult.PERMERROR, str(error)) from error
        if len(records) > MAX_NAMES:
            raise _Stop(SpfResult.PERMERROR, f"{target} has more than {MAX_NAMES} MX records")
        hosts = (record.exchange for record in records if not record.is_null)
        return any(self._within(address, mechanism) for host in hosts for address in self._addresses(host))

    def ptr(self, _mechanism: SpfMechanism, target: str) -> bool:
        """Match a validated name at or below the target (section 5.5)."""
        return any(_is_below(name, target) for name in self._validated_names())

    def ip(self, mechanism: SpfMechanism, _target: str) -> bool:
        """Match a network of either IP version (section 5.6)."""
        return mechanism.network is not None and self._address in mechanism.network

    def exists(self, _mechanism: SpfMechanism, target: str) -> bool:
        """Match if the target has an A record, also for an IPv6 address (section 5.7)."""
        return bool(self._ask(target, "A").values)

    # -- lookups and their limits ---------------------------------------------------------------------------------

    def _count_lookup(self) -> None:
        self._lookups += 1
        if self._lookups > MAX_LOOKUPS:
            raise _Stop(SpfResult.PERMERROR, f"more than {MAX_LOOKUPS} terms need a DNS lookup")

    def _ask(self, name: str, rdtype: str) -> Answer:
        """Look up, and count empty answers (section 4.6.4). An invalid name has no records (section 4.8)."""
        try:
            answer = self._lookup.query(normalize(name), rdtype)
        except InvalidName:
            answer = Answer(exists=False)
        if not answer.values:
            self._voids += 1
        if self._voids > MAX_VOID_LOOKUPS:
            raise _Stop(SpfResult.PERMERROR, f"more than {MAX_VOID_LOOKUPS} DNS lookups found no record")
        return answer

    def _addresses(self, name: str) -> tuple[Address, ...]:
        return tuple(map(_read_address, self._ask(name, ADDRESS_TYPES[self._address.version]).values))

    def _within(self, address: Address, mechanism: SpfMechanism) -> bool:
        prefix = mechanism.prefix4 if address.version == 4 else mechanism.prefix6
        return self._address in _network(str(address), prefix)

    def _validated_names(self) -> t.Iterator[str]:
        """The names of the address that lead back to it (section 5.5). A name whose lookup fails is skipped."""
        try:
            names = self._ask(reverse_pointer(self._address), "PTR").values[:MAX_NAMES]
        except LookupFailed:
            return
        for name in names:
            try:
                if self._address in self._addresses(name):
                    yield name
            except LookupFailed:
                continue

    def _validated_name(self, domain: str) -> str:
        """The value of ``%{p}`` (section 7.3): the domain itself, or a name below it, or any name, or "unknown"."""
        names = sorted(self._validated_names(), key=lambda name: (name != domain, not _is_below(name, domain)))
        return names[0] if names else "unknown"

    def _expand(self, spec: str, domain: str) -> str:
        validated_name = functools.partial(self._validated_name, domain)
        return expand_domain(spec, MacroValues(self._address, self._sender, domain, self._helo, validated_name))


class _StrangersEvaluation(_Evaluation):
    """An evaluation for a probe, which saves the questions that would be others for each probe."""

    #: Whether names made of the address are looked up. Two probes tell whether all addresses match.
    asks_for_address = True

    def _matches(self, mechanism: SpfMechanism, domain: str) -> bool:
        if depends_on_address(mechanism.domain) and not self.asks_for_address:
            if mechanism.name in COUNTED:
                self._count_lookup()
            return False
        return super()._matches(mechanism, domain)

    def _validated_names(self) -> t.Iterator[str]:
        """None: the reverse names of the probes are not the domain's, and cost time."""
        yield from ()


@functools.lru_cache(maxsize=1024)
def _read_address(text: str) -> Address:
    return ipaddress.ip_address(text)


@functools.lru_cache(maxsize=1024)
def _network(address: str, prefix: int) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network((address, prefix), strict=False)


def _named(mechanism: SpfMechanism) -> str:
    """The term as published; without a qualifier, ``all`` lets every host send, which few expect."""
    return f"{mechanism.text} (which means +all)" if mechanism.text.lower() == "all" else mechanism.text


def _is_below(name: str, domain: str) -> bool:
    return f".{name.lower()}".endswith(f".{domain.lower()}")


#: The terms that cause lookups (section 4.6.4); redirect counts itself.
COUNTED = frozenset({"include", "a", "mx", "ptr", "exists"})

_MATCHERS: dict[str, t.Callable[[_Evaluation, SpfMechanism, str], bool]] = {
    "all": _Evaluation.all,
    "include": _Evaluation.include,
    "a": _Evaluation.a,
    "mx": _Evaluation.mx,
    "ptr": _Evaluation.ptr,
    "ip4": _Evaluation.ip,
    "ip6": _Evaluation.ip,
    "exists": _Evaluation.exists,
}
