# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue of each Postfix, counted in one pass over its files."""

from __future__ import annotations

import os
import stat
import time
import typing as t

from .._evidence.document import Moment, moment
from .._evidence.host_config import Instance
from .._evidence.host_mail import AgeBand, Destination, Queue, QueueState
from .host import Host
from .instances import find as find_instances
from .instances import value_of
from .queue_files import read_envelope

#: In the order in which messages move, so that one that moves meanwhile is found.
_STATES = ("maildrop", "hold", "incoming", "active", "deferred", "corrupt")
#: A message may be found again in the next state; these two hold few.
_PASSING = ("incoming", "active")
_AGES = (("5m", 300), ("1h", 3600), ("4h", 14400), ("1d", 86400), ("5d", 432000))
_OLDER = "more"
#: The mode of a file that Postfix has found to be corrupt. One without execute permission is being written
#: (mail_queue.h).
_CORRUPT = stat.S_IRUSR
_SHOWN = 50


class _Count:
    """Messages of one state."""

    def __init__(self) -> None:
        self.messages = self.octets = 0
        self.oldest: float | None = None
        self.ages = dict.fromkeys([*(name for name, _seconds in _AGES), _OLDER], 0)

    def add(self, size: int, arrived: float, age: float) -> None:
        self.messages += 1
        self.octets += size
        self.oldest = arrived if self.oldest is None else min(self.oldest, arrived)
        self.ages[next((name for name, seconds in _AGES if age <= seconds), _OLDER)] += 1

    def state(self, name: str) -> QueueState:
        ages = tuple(AgeBand(up_to, messages) for up_to, messages in self.ages.items())
        return QueueState(name, self.messages, self.octets, _time(self.oldest), ages)


class _Domains:
    """Open recipients by domain."""

    def __init__(self) -> None:
        self._found: dict[str, list[float]] = {}

    def add(self, domains: t.Iterable[str], arrived: float) -> None:
        for domain in domains:
            known = self._found.get(domain)
            if known is None:
                self._found[domain] = [1, arrived]
            else:
                known[0] += 1
                known[1] = min(known[1], arrived)

    def __len__(self) -> int:
        return len(self._found)

    def most(self) -> tuple[Destination, ...]:
        rows = sorted(self._found.items(), key=lambda row: (-row[1][0], row[0]))
        return tuple(Destination(domain, int(count), _time(oldest)) for domain, (count, oldest) in rows[:_SHOWN])


def find(host: Host) -> tuple[Queue, ...] | None:
    """The queue of every instance."""
    instances = find_instances(host)
    if instances is None:
        host.cannot("queue", "The configuration of Postfix is not known.")
        return None
    return tuple(_queue(host, instance) for instance in instances if instance.parameters is not None)


def _queue(host: Host, instance: Instance) -> Queue:
    directory = value_of(instance, "queue_directory")
    try:
        return count(host.root + directory, instance.name, directory, time.time())
    except OSError as error:
        host.blame(f"queue.{directory}", str(error.filename or directory), error)
        return Queue(instance.name, directory)


def count(path: str, instance: str, directory: str, now: float) -> Queue:
    """Count the messages in a queue directory. Raises :class:`OSError` if it may not be read."""
    states = {name: _Count() for name in _STATES}
    domains = _Domains()
    passing: set[str] = set()
    partly = 0
    for state in _STATES:
        for entry in _files(os.path.join(path, state)):
            if entry.name in passing:
                continue
            if state in _PASSING:
                passing.add(entry.name)
            partly += not _count(entry.path, states[state], domains, now)
    times = [one.oldest for one in states.values() if one.oldest is not None]
    return Queue(
        instance,
        directory,
        messages=sum(one.messages for one in states.values()),
        oldest=_time(min(times, default=None)),
        states=tuple(one.state(name) for name, one in states.items()),
        destinations=domains.most(),
        domains=len(domains),
        partly_read=partly,
    )


def _count(path: str, state: _Count, domains: _Domains, now: float) -> bool:
    """Count one file, and tell whether all of its recipients were read.

    One that has gone was delivered, and one that is still being written is not in the queue yet.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return True
    try:
        status = os.fstat(descriptor)
        if not status.st_mode & stat.S_IXUSR and stat.S_IMODE(status.st_mode) != _CORRUPT:
            return True
        try:
            envelope = read_envelope(descriptor)
        except ValueError:  # not a queue file
            state.add(status.st_size, status.st_mtime, now - status.st_mtime)
            return False
        arrived = status.st_mtime if envelope.arrived is None else envelope.arrived
        state.add(status.st_size, arrived, now - arrived)
        domains.add(envelope.domains, arrived)
        return envelope.whole
    finally:
        os.close(descriptor)


def _files(path: str) -> t.Iterator[os.DirEntry[str]]:
    """The queue files below a directory, at any depth of hashing (hash_queue_depth)."""
    try:
        entries = os.scandir(path)
    except FileNotFoundError:
        return
    with entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path)
            elif entry.is_file(follow_symlinks=False) and entry.name.isalnum():
                yield entry


def _time(seconds: float | None) -> Moment | None:
    return None if seconds is None else moment(seconds)
