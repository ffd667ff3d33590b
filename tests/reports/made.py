# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports in every format, made of invented evidence: made.py DIRECTORY writes a folder for each fleet."""

from __future__ import annotations

import dataclasses
import sys
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The imports need the path, since the environment links the collection there.
sys.path.insert(0, str(ROOT / ".build" / "collections"))

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.case import Declared  # noqa: E402
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.collected import (  # noqa: E402
    Collected,
    Head,
)
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.differences import (  # noqa: E402
    Differences,
    differences,
)
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.fleet import (  # noqa: E402
    Frame,
    judge_host,
    make_report,
    unjudged,
)
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.formats import FORMATS  # noqa: E402
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.report import (  # noqa: E402
    HostReport,
    Report,
    Waiver,
)
from ansible_collections.mailops.smtp.plugins.module_utils._controls.control import Profile  # noqa: E402
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.document import Evidence  # noqa: E402
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_mail import Queue, QueueState  # noqa: E402
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.smtp_probes import (  # noqa: E402
    RelayFacts,
    RelayOutcome,
)
from ansible_collections.mailops.smtp.tests.unit.support import cases, relay_evidence, reports  # noqa: E402

SUBMISSION, MX, OUTBOUND = Profile.SUBMISSION_RELAY, Profile.MX, Profile.OUTBOUND_RELAY
Documents = dict[str, Evidence[t.Any]]


def _seen(**changed: t.Any) -> Documents:
    """A relay without faults, with these documents in place of its own."""
    return {**relay_evidence.ALL, "dns": cases.DNS, **changed}


def _valid_until(moment: str, port: int = 587) -> Evidence[t.Any]:
    """A port whose certificate ends then."""
    leaf = dataclasses.replace(relay_evidence.LEAF, not_after=moment)
    return relay_evidence.smtp(port, tls=dataclasses.replace(relay_evidence.TLS, chain=(leaf,)))


def _queue(**messages: int) -> Evidence[t.Any]:
    """A host with so many messages in each state."""
    states = tuple(QueueState(name, number, 4096, "2026-02-27T11:00:00Z", ()) for name, number in messages.items())
    return relay_evidence.host(queue=(Queue("", "/var/spool/postfix", 1, relay_evidence.SEEN_AT, states),))


def _old_tls() -> Evidence[t.Any]:
    versions = (relay_evidence.version("TLSv1.0", True), relay_evidence.version("TLSv1.1", True), *relay_evidence.NEW)
    offer = dataclasses.replace(t.cast("t.Any", relay_evidence.PROBES.tls), versions=versions)
    return relay_evidence.smtp(25, probes={"tls": offer}, ehlo_in_tls=relay_evidence.ehlo("PLAIN"))


def _open_relay() -> Evidence[t.Any]:
    """It relays for strangers, and its banner tries to run a script in the report."""
    open_, accepted = RelayOutcome.ACCEPTED, relay_evidence.answer(250)
    variants = tuple(relay_evidence.variant(number, open_, answer=accepted) for number in range(1, 23))
    greeting = relay_evidence.answer(220, reports.HOSTILE.removeprefix("220 "))
    banner = dataclasses.replace(
        t.cast("t.Any", relay_evidence.PROBES.banner), answer=greeting, name="<script>alert(1)</script>"
    )
    relayed = RelayFacts(accepted, accepted, variants)
    return relay_evidence.smtp(25, greeting=greeting, probes={"relay": relayed, "banner": banner})


#: Hosts by their names: profiles, and what was seen.
HOSTS: dict[str, tuple[tuple[Profile, ...], Documents]] = {
    "relay1.example.com": ((SUBMISSION, MX), _seen()),
    "relay2.example.com": ((SUBMISSION, MX), _seen(smtp25=_old_tls(), host=_queue(active=12, deferred=2380, hold=4))),
    "relay3.example.com": (
        (SUBMISSION,),
        _seen(smtp587=_valid_until("2026-03-05T00:00:00Z"), host=_queue(deferred=31)),
    ),
    "legacy.example.com": (
        (OUTBOUND, MX),
        _seen(smtp25=_open_relay(), smtp465=_valid_until("2026-02-20T00:00:00Z", 465)),
    ),
    "mx1.example.com": (
        (MX,),
        _seen(dns=cases.dns({cases.REVERSE4: {}, "_dmarc.example.test": {}}), host=_queue(active=3)),
    ),
    "mx2.example.com": ((MX,), {"dns": cases.DNS, "smtp25": relay_evidence.closed(25)}),
}  # fmt: skip
WAIVERS = (
    Waiver("MR-TLS-02", "mail team", "An old printer needs TLS 1.0", "2026-12-31", "relay2.*"),
    Waiver("MR-DNS-03", "network team", "The provider sets the record next week", "2026-02-01"),
)


def head(name: str, profiles: tuple[Profile, ...]) -> Head:
    declared = relay_evidence.DECLARED if SUBMISSION in profiles else Declared()
    return Head(name, profiles, declared)


def _judged(hosts: dict[str, tuple[tuple[Profile, ...], Documents]], when: str = relay_evidence.SEEN_AT) -> Report:
    found: list[HostReport] = [
        judge_host(Collected(head(name, profiles), tuple(seen.values())), f"evidence/{name}.json")
        for name, (profiles, seen) in hosts.items()
    ]
    found.append(unjudged("relay9.example.com", "The host could not be asked: no route to host."))
    frame = Frame(when, "Mail relays of Example Ltd", "0.1.0", waivers=WAIVERS)
    return make_report(found, frame)


def relays() -> tuple[Report, Differences]:
    """Seven hosts judged by the catalogue, of which some were better or worse a day before."""
    before = {
        **{name: one for name, one in HOSTS.items() if name != "mx2.example.com"},
        "relay3.example.com": ((SUBMISSION,), _seen()),
        "relay1.example.com": ((SUBMISSION, MX), _seen(smtp25=_old_tls())),
        "old.example.com": ((MX,), _seen()),
    }
    now = _judged(HOSTS)
    return now, differences(_judged(before, "2026-02-28T12:00:00Z"), now)


#: What is written, by its name.
FLEETS: dict[str, Callable[[], tuple[Report, Differences | None]]] = {
    "relays": relays,
    "states": lambda: (reports.each_state(), None),
    "hostile": lambda: (
        reports.report(reports.result(message=reports.HOSTILE, subject=reports.HOSTILE), host=reports.HOSTILE),
        None,
    ),
    "fine": lambda: (reports.report(reports.result("pass"), reports.result("not_applicable", "MR-TLS-02")), None),
    "nothing": lambda: (reports.report(hosts=()), None),
    "large": lambda: (reports.fleet(hosts=1000, controls=64), None),
}


def write(directory: Path, names: t.Iterable[str] = ()) -> Iterator[Path]:
    """Write the reports, and tell the folder of each fleet: of all, if none is named."""
    for name in names or FLEETS:
        report, since = FLEETS[name]()
        folder = directory / name
        folder.mkdir(parents=True, exist_ok=True)
        for kind, one in FORMATS.items():
            if name != "large" or kind in ("html", "json"):
                (folder / one.file).write_text(one.write(report, since), encoding="utf-8")
        yield folder


if __name__ == "__main__":
    for made in write(Path(sys.argv[1]), sys.argv[2:]):
        print(made)
