# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge what was collected, compare it with the last report, and write the reports. Shared with the offline command."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import functools
import itertools
import json
import os
import tempfile
import time
import typing as t
import urllib.parse
from pathlib import Path

from ansible_collections.mailops.smtp.plugins.module_utils._compliance import report as reports
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.collected import Collected, loads_collected
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.differences import Differences, differences
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.fleet import (
    Frame,
    judge_host,
    make_report,
    unjudged,
)
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.formats import FORMATS
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.judge_keys import KeyHolders, holders_of_keys
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.waivers import PLACE, InvalidWaivers
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.waivers import read as read_waivers
from ansible_collections.mailops.smtp.plugins.module_utils._controls.catalogue import CATALOGUE
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.document import moment
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.reading import InvalidEvidence

#: Below the directory of the reports: what was collected, a file for each host.
EVIDENCE = "evidence"
LAST = FORMATS["json"].file


class UsageError(ValueError):
    """A mistake in the options; the text says where, and what to do."""


@dataclasses.dataclass(frozen=True)
class Options:
    """How to judge and report."""

    title: str = "Compliance of mail hosts"
    #: ``critical``, ``high``, ``medium``, ``low`` or ``never``.
    fail_on: str = "high"
    #: As a user writes them.
    waivers: t.Any = ()
    #: The variable or file that they were written in.
    waivers_place: str = PLACE
    #: Names of :data:`FORMATS`.
    formats: tuple[str, ...] = tuple(FORMATS)
    #: Where the reports go; ``None`` to write none.
    directory: Path | None = None
    #: A JSON report to compare with; by default the one that is in :attr:`directory`.
    previous: Path | None = None


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    report: reports.Report
    since: Differences | None
    files: tuple[Path, ...] = ()

    @property
    def verdict(self) -> reports.Verdict:
        """The exit status, and why."""
        return reports.verdict(self.report)

    @property
    def text(self) -> str:
        """The report for a terminal."""
        return FORMATS["text"].write(self.report, self.since)


class Each(t.Protocol):
    """``map``, or that of a pool of processes, which keeps the order as well."""

    def __call__(self, function: t.Callable[[t.Any], t.Any], items: t.Iterable[t.Any], /) -> t.Iterable[t.Any]:
        """What the function returns for each item."""


class Source(t.Protocol):
    """Where the hosts come from."""

    def judged(self, each: Each) -> t.Iterator[reports.HostReport]:
        """The report of each host. One that cannot be judged is an error, with the reason."""


def judge_all(source: Source, options: Options, each: Each = map) -> Outcome:
    """Judge hosts one by one, and compare with the last report. Nothing is written.

    :param each: what spreads the hosts over processes, if any.
    :raises UsageError: the options, or the report to compare with, cannot be used.
    """
    given = _waivers(options)
    fail_on = _choice("compliance_fail_on", options.fail_on, [one.value for one in reports.Threshold])
    before = _previous(options)
    judged = list(source.judged(each))
    if not judged:
        raise UsageError("There is no host to judge. Check the pattern of hosts, or the directory of the evidence.")
    frame = Frame(moment(time.time()), options.title, version(), reports.Threshold(fail_on), given)
    found = make_report(judged, frame)
    return Outcome(found, differences(before, found) if before else None)


def write_reports(outcome: Outcome, options: Options) -> Outcome:
    """Write the reports, each atomically and readable by its owner alone.

    :raises UsageError: a format does not exist, or the directory cannot be written.
    """
    for one in options.formats:
        _choice("compliance_formats", one, FORMATS)
    if options.directory is None:
        return outcome
    # JSON is written last: the next run compares with it.
    wanted = [*(one for one in FORMATS if one in options.formats and one != "json"), "json"]
    files = []
    for name in wanted:
        path = options.directory / FORMATS[name].file
        write_file(path, FORMATS[name].write(outcome.report, outcome.since))
        files.append(path)
    return dataclasses.replace(outcome, files=tuple(files))


def save_evidence(hosts: t.Iterable[Collected], directory: Path) -> None:
    """Save what was collected, a file for each host.

    :raises UsageError: the directory cannot be written.
    """
    for one in hosts:
        write_file(directory / evidence_file(one.head.host), json.dumps(one.to_dict(), indent=1))


def evidence_file(host: str) -> str:
    """Where the evidence of a host is, below the directory of the reports."""
    return f"{EVIDENCE}/{urllib.parse.quote(host, safe='@:+,=[]')}.json"


class Fresh:
    """What this run has collected."""

    def __init__(self, hosts: t.Sequence[Collected], broken: dict[str, str], directory: Path | None) -> None:
        self._hosts = hosts
        self._is_saved = directory is not None
        self._broken = broken

    def judged(self, each: Each) -> t.Iterator[reports.HostReport]:
        holders = holders_of_keys({one.head.host: one.evidence for one in self._hosts})
        yield from each(functools.partial(self._judge, holders), self._hosts)
        yield from itertools.starmap(unjudged, self._broken.items())

    def _judge(self, holders: KeyHolders, one: Collected) -> reports.HostReport:
        return judge_host(one, evidence_file(one.head.host) if self._is_saved else "", holders)


class Saved:
    """What an earlier run has saved, read file by file, so that memory holds one host at a time.

    :param place: the directory of the reports, or of the evidence, or one file.
    :param max_age: hours; a host whose newest evidence is older cannot be judged. None if any age is fine.
    :raises UsageError: there is no such place, or nothing in it.
    """

    def __init__(self, place: Path, max_age: float | None = None) -> None:
        self._max_age = max_age
        found = (
            [place] if place.is_file() else sorted((place / EVIDENCE).glob("*.json")) or sorted(place.glob("*.json"))
        )
        self._files = [one for one in found if one.name not in _REPORT_FILES]
        if not self._files:
            raise UsageError(f"{place} has no saved evidence. Give the directory of an earlier run, or its {EVIDENCE}.")

    def __len__(self) -> int:
        """How many files there are."""
        return len(self._files)

    def judged(self, each: Each) -> t.Iterator[reports.HostReport]:
        holders = _merged(each(_keys_in, self._files))
        judge_file = functools.partial(_judge_file, holders, self._max_age)
        files: dict[str, str] = {}
        for path, report in zip(self._files, each(judge_file, self._files), strict=True):
            first = files.setdefault(report.host, path.name)
            if first == path.name:
                yield report
            else:
                yield _unusable(path, f"{report.host} is in {first} as well; remove one of them")


def _judge_file(holders: KeyHolders, max_age: float | None, path: Path) -> reports.HostReport:
    try:
        one = loads_collected(path.read_bytes())
        _check_age(one, max_age)
    except (OSError, InvalidEvidence) as error:
        return _unusable(path, str(error))
    return judge_host(one, f"{EVIDENCE}/{path.name}", holders)


def _unusable(path: Path, why: str) -> reports.HostReport:
    return unjudged(path.stem, f"Its saved evidence {path.name} cannot be used: {why}.")


def _check_age(one: Collected, max_age: float | None) -> None:
    """Raise :class:`InvalidEvidence` if the newest document is from the future, or too old."""
    newest, now = max((each.seen_at for each in one.evidence), default=""), time.time()
    if newest > moment(now + _CLOCKS):
        raise InvalidEvidence(f"it was collected at {newest}, which is in the future; set the clocks")
    if newest and max_age is not None and newest < moment(now - max_age * 3600):
        raise InvalidEvidence(f"it was collected at {newest}, more than {max_age:g} hours ago; collect it again")


def _keys_in(path: Path) -> list[tuple[str, str]]:
    """Digests of DKIM keys, and the host. Read without types: what is not valid is told when the host is judged."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        document = json.loads(path.read_bytes())
        keys = [key for one in document["evidence"] for key in one["facts"].get("dkim") or ()]
        return [(key["spki_sha256"], document["host"]) for key in keys if key.get("spki_sha256")]
    return []


def _merged(found: t.Iterable[list[tuple[str, str]]]) -> KeyHolders:
    """Which hosts have which keys."""
    holders: dict[str, list[str]] = {}
    for digest, host in itertools.chain.from_iterable(found):
        holders.setdefault(digest, []).append(host)
    return {digest: tuple(dict.fromkeys(hosts)) for digest, hosts in holders.items()}


#: How far the clocks of two machines may differ, in seconds.
_CLOCKS = 3600
_REPORT_FILES = frozenset(one.file for one in FORMATS.values())


def write_file(path: Path, text: str) -> None:
    """Put the text in place of the file in one step, with mode 0600.

    :raises UsageError: it cannot be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
    except OSError as error:
        raise UsageError(f"compliance_directory: {path} cannot be written: {error.strerror}.") from error


def version() -> str:
    """The version of this collection; empty if its metadata is not there."""
    root = Path(__file__).resolve().parents[2]
    for name, read in (("MANIFEST.json", _from_manifest), ("galaxy.yml", _from_galaxy)):
        with contextlib.suppress(OSError, ValueError, KeyError, StopIteration):
            return read((root / name).read_text(encoding="utf-8"))
    return ""


def _from_manifest(text: str) -> str:
    return str(json.loads(text)["collection_info"]["version"])


def _from_galaxy(text: str) -> str:
    return next(line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("version:"))


def _waivers(options: Options) -> tuple[reports.Waiver, ...]:
    try:
        return read_waivers(_with_dates(options.waivers or []), CATALOGUE, options.waivers_place)
    except InvalidWaivers as error:
        raise UsageError(str(error)) from error
    except RecursionError as error:  # an alias of YAML that contains itself
        raise UsageError(f"{options.waivers_place}: nested too deeply; expected a list of waivers") from error


def _with_dates(value: t.Any) -> t.Any:
    """Dates that YAML has read become texts again."""
    if isinstance(value, datetime.date):
        return value.isoformat()[:10]
    if isinstance(value, dict):
        return {key: _with_dates(one) for key, one in value.items()}
    return [_with_dates(one) for one in value] if isinstance(value, list) else value


def _previous(options: Options) -> reports.Report | None:
    """The report to compare with. One that the user names must be usable; the last one may be missing."""
    path = options.previous
    if path is None and options.directory is not None and (options.directory / LAST).is_file():
        path = options.directory / LAST
    if path is None:
        return None
    try:
        return reports.read(path.read_bytes())
    except (OSError, reports.InvalidReport) as error:
        if options.previous is None:
            return None
        raise UsageError(f"compliance_previous: {path} cannot be used: {error}") from error


def _choice(option: str, value: str, known: t.Collection[str]) -> str:
    if value not in known:
        raise UsageError(f"{option}: {value!r} is not one of {', '.join(known)}.")
    return value
