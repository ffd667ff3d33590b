# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is killed, or meets a full disk, at any step: the next run leaves the tree consistent."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._transaction import transaction as core
from ansible_collections.mailops.smtp.plugins.module_utils._transaction.model import WantedDirectory, WantedFile
from ansible_collections.mailops.smtp.plugins.module_utils._transaction.transaction import TransactionFailed
from ansible_collections.mailops.smtp.tests.unit.support.transaction_host import (
    Boundary,
    MemoryHost,
    Sandbox,
    Tree,
    files_of,
)

Bundle = tuple[list[WantedFile], list[WantedDirectory], list[str]]
#: Tree, originals and services of a host.
Whole = tuple[Tree, dict[str, tuple[str, int]], dict[str, str]]
Observer = t.Callable[[str, str], None]


@pytest.fixture
def root(tmp_path: Path) -> t.Iterator[Path]:
    """A directory in memory if the machine has one: these tests sync thousands of times."""
    memory = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a private directory in it
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as directory:
        yield Path(directory)


def old_bundle(host: Sandbox) -> Bundle:
    """Replace an original, build a table, make a directory, adopt a file that matches."""
    table = host.wanted("names.table", "old names", 0o600)
    return (
        [
            host.wanted("main.cf", "old main"),
            table,
            host.built("names.db", table, 0o600),
            host.wanted("gone.d/extra.cf", "only of old"),
            host.wanted("same.cf", "same", 0o644),
            host.wanted("leaves.cf", "of old, in place of an original"),
            host.wanted("leaver.cf", "of a service that only old has"),
        ],
        [],
        ["main", "leaver"],
    )


def new_bundle(host: Sandbox) -> Bundle:
    """Replace and build again, make nested directories, and give back three files of the old bundle."""
    table = host.wanted("names.table", "new names", 0o600)
    return (
        [
            host.wanted("main.cf", "new main", 0o644),
            table,
            host.built("names.db", table, 0o600),
            host.wanted("same.cf", "same no more", 0o644),
            host.wanted("fresh/deep/er.cf", "new"),
            host.wanted("late.cf", "new, in place of an original"),
            host.wanted("joiner.cf", "of a service that only new has"),
        ],
        [host.directory("fresh", 0o711), host.directory("empty", 0o700)],
        ["main", "joiner"],
    )


def adopting_bundle(host: Sandbox) -> Bundle:
    """Declare only what already exists."""
    return [host.wanted("same.cf", "same", 0o644), host.wanted("leaves.cf", "original", 0o600)], [], ["main"]


def nothing(_host: Sandbox) -> Bundle:
    return [], [], []


BUNDLES = {"old": old_bundle, "new": new_bundle, "adopting": adopting_bundle, "nothing": nothing}
STARTS = ["nothing", "old"]
WAYS = [("nothing", "new"), ("old", "new"), ("old", "nothing"), ("nothing", "adopting"), ("adopting", "nothing")]


def host_at(root: Path, start: str) -> Sandbox:
    """Return a host with originals, on which ``start`` was deployed."""
    root.mkdir(parents=True, exist_ok=True)
    host = Sandbox(root)
    host.write("main.cf", "original main", 0o604)
    host.write("same.cf", "same", 0o644)
    host.write("leaves.cf", "original", 0o600)
    host.write("late.cf", "original too", 0o640)
    host.load()
    host.set_services({"main": "running", "leaver": "stopped", "joiner": "stopped"})
    if start != "nothing":
        host.run(*BUNDLES[start](host))
    return host


def boundaries(root: Path, start: str, target: str) -> list[Boundary]:
    """Return every step of an undisturbed run, in order."""
    seen: list[Boundary] = []
    host = host_at(root, start)
    host.run(*BUNDLES[target](host), observe=lambda step, path: seen.append((step, path)))
    return seen


def expected(root: Path, start: str, target: str) -> Whole:
    """Return the result of an undisturbed run."""
    host = host_at(root, start)
    host.run(*BUNDLES[target](host))
    return whole(host)


def whole(host: Sandbox) -> Whole:
    return host.tree(), host.originals(), host.services


def at(number: int, act: t.Callable[[], None]) -> Observer:
    """Return an observer that acts before step ``number``, counted from 0."""
    steps = iter(range(10_000))

    def observe(_step: str, _path: str) -> None:
        if next(steps) == number:
            act()

    return observe


def killed_at(number: int, host: Sandbox, bundle: Bundle) -> bool:
    """Run in a process that kills itself before step ``number``; false if the run has fewer steps."""
    child = os.fork()
    if child == 0:
        try:
            host.run(*bundle, observe=at(number, lambda: os.kill(os.getpid(), signal.SIGKILL)))
        finally:
            os._exit(3)  # the run ended or raised: it was not killed
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def require_whole(host: Sandbox, target: str, wanted: Whole) -> None:
    """Require that the tree is as wanted and in use, nothing is left over, and one more run changes nothing."""
    assert whole(host) == wanted
    assert host.loaded == files_of(wanted[0])
    assert host.debris() == []
    assert host.run(*BUNDLES[target](host)) is False


@pytest.mark.parametrize(("start", "target"), WAYS)
def test_run_takes_every_kind_of_step(root: Path, start: str, target: str) -> None:
    """The tests below interrupt these steps; a kind of step that is missing here would no longer be tested."""
    kinds = {step for step, _path in boundaries(root, start, target)}
    always = {"lock", "plan", "prepare", "sweep", "swapping", "committed", "clear"}
    if target == "new" or (start, target) == ("nothing", "adopting"):
        always |= {"note"}
    if start == "old":
        always |= {"drained", "release"}
    if "adopting" not in (start, target):
        always |= {"swap", "activate", "health"}
    if target == "new":
        always |= {"stage", "build", "validate"}
    assert always <= kinds


@pytest.mark.parametrize("following", ["target", "start"])
@pytest.mark.parametrize(("start", "target"), WAYS)
def test_killed_at_every_step(root: Path, subtests: pytest.Subtests, start: str, target: str, following: str) -> None:
    """Killed between two bundles; the next run completes the new one, or restores the old one."""
    end = target if following == "target" else start
    at_start = host_at(root / "start", start)
    wanted = whole(at_start) if end == start else expected(root / "end", start, target)
    steps = boundaries(root / "steps", start, target)
    for number, (step, path) in enumerate(steps):
        place = root / str(number)
        with subtests.test(f"killed before {number}: {step} {path.removeprefix(str(root / 'steps'))}"):
            host = host_at(place, start)
            assert killed_at(number, host, BUNDLES[target](host))
            host.run(*BUNDLES[end](host))
            require_whole(host, end, wanted)
        shutil.rmtree(place)
    host = host_at(root / "last", start)
    assert not killed_at(len(steps), host, BUNDLES[target](host)), "the run has more steps than an undisturbed run"


@pytest.mark.parametrize("first", ["prepare", "swap", "activate", "clear", "manifest"])
def test_recovering_run_is_killed_at_every_step(root: Path, subtests: pytest.Subtests, first: str) -> None:
    """The first run is killed at the last step of a kind, the second at any step; the third completes."""
    steps = boundaries(root / "steps", "old", "new")
    last = max(number for number, (step, _path) in enumerate(steps) if step == first)
    wanted = whole(host_at(root / "old", "old"))
    for number in range(200):
        place = root / str(number)
        host = host_at(place, "old")
        assert killed_at(last, host, new_bundle(host))
        again = killed_at(number, host, old_bundle(host))
        with subtests.test(f"killed before the last {first}, then before {number}"):
            host.run(*old_bundle(host))
            require_whole(host, "old", wanted)
        shutil.rmtree(place)
        if not again:
            assert number > 10
            return
    pytest.fail("the second run never ended")


@contextlib.contextmanager
def small_disk(root: Path) -> t.Iterator[None]:
    """Mount a file system of 256 KiB."""
    root.mkdir()
    try:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(root)], capture_output=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("mount is not installed")
    if done.returncode != 0:
        pytest.skip(f"mounting needs root: {done.stderr.decode()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(root)], check=True)


def fill(root: Path) -> None:
    """Fill the file system to the last octet."""
    with open(root / "filler", "ab", buffering=0) as filler:
        for size in (65536, 4096, 1):
            with contextlib.suppress(OSError):
                while filler.write(b"x" * size):
                    pass


def require_clean_failure_or_success(host: Sandbox, observe: Observer, before: Tree, after: Tree) -> str:
    """Require that the service has read the tree and nothing is left over; return the failure, or an empty text."""
    fake = MemoryHost(host)
    fake.read = files_of(before)
    states = fake.states_now
    failure, tree = "", after
    try:
        host.run(*new_bundle(host), observe=observe, fake=fake)
    except TransactionFailed as failed:
        failure, tree = f"{failed.outcome}: {failed}", before
        assert fake.states_now == states
    assert (host.tree(), fake.read, host.debris()) == (tree, files_of(tree), [])
    return failure


@pytest.mark.parametrize("start", STARTS)
def test_disk_full_from_any_step_on(root: Path, subtests: pytest.Subtests, start: str) -> None:
    """A real file system without a free octet: a clean failure before the swap, no effect after it."""
    steps = boundaries(root / "steps", start, "new")
    before = host_at(root / "before", start).tree()
    after = expected(root / "after", start, "new")[0]
    swapping = [step for step, _path in steps].index("swapping")
    outcomes = []
    for number, (step, path) in enumerate(steps):
        disk = root / "disk"
        with small_disk(disk), subtests.test(f"full before {number}: {step} {path}"):
            host = host_at(disk, start)
            observe = at(number, functools.partial(fill, disk))
            failure = require_clean_failure_or_success(host, observe, before, after)
            outcomes.append(failure)
            clean = failure.startswith(core.UNTOUCHED) and "No space left" in failure
            assert not failure or (clean and number < swapping)
        disk.rmdir()
    assert outcomes[0]
    assert not outcomes[-1]


@pytest.mark.parametrize("start", STARTS)
def test_no_file_may_grow_from_any_step_on(root: Path, subtests: pytest.Subtests, start: str) -> None:
    """The same without root: the process cannot write another octet."""
    steps = boundaries(root / "steps", start, "new")
    before = host_at(root / "before", start).tree()
    after = expected(root / "after", start, "new")[0]
    swapping = [step for step, _path in steps].index("swapping")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for number, (step, path) in enumerate(steps):
        host = host_at(root / str(number), start)
        with subtests.test(f"limit before {number}: {step} {path}"):
            observe = at(number, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard)))
            try:
                failure = require_clean_failure_or_success(host, observe, before, after)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            assert not failure or (failure.startswith(core.UNTOUCHED) and number < swapping)


def raise_full() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("start", STARTS)
def test_failure_of_any_step(root: Path, subtests: pytest.Subtests, start: str) -> None:
    """The tree is as before the run, or as declared if the new files were already committed."""
    steps = boundaries(root / "steps", start, "new")
    at_start = host_at(root / "before", start)
    before, services = at_start.tree(), at_start.services
    wanted = expected(root / "after", start, "new")
    committed = [step for step, _path in steps].index("committed")
    for number, (step, path) in enumerate(steps):
        host = host_at(root / str(number), start)
        with subtests.test(f"fails {number}: {step} {path}"):
            with pytest.raises(TransactionFailed) as caught:
                host.run(*new_bundle(host), observe=at(number, raise_full))
            cause, outcome = caught.value.cause, caught.value.outcome
            assert (cause.step, "No space left" in str(cause)) == (step, True)
            if number > committed:
                assert outcome == core.NOT_CLEARED
                assert files_of(host.tree()) == files_of(wanted[0])
            else:
                assert outcome in (core.UNTOUCHED, core.PUT_BACK)
                assert (host.tree(), host.services) == (before, services)
                assert host.loaded == files_of(before)
                assert host.debris() == []
            host.run(*new_bundle(host))
            require_whole(host, "new", wanted)


def failing_at_and_from(once: int, on: int, seen: list[str]) -> Observer:
    """Return an observer that fails step ``once`` and every step from ``on``; it appends the steps to ``seen``."""

    def observe(step: str, _path: str) -> None:
        seen.append(step)
        if len(seen) - 1 == once or len(seen) - 1 >= on:
            raise_full()

    return observe


def test_failed_undo_is_completed_by_the_next_run(root: Path, subtests: pytest.Subtests) -> None:
    """The swap fails, and then every step of the undo from some step on."""
    wanted = whole(host_at(root / "old", "old"))
    steps = [step for step, _path in boundaries(root / "steps", "old", "new")]
    swap = max(number for number, step in enumerate(steps) if step == "swap")
    for way in range(1, 40):
        host = host_at(root / str(way), "old")
        seen: list[str] = []
        with pytest.raises(TransactionFailed) as caught:
            host.run(*new_bundle(host), observe=failing_at_and_from(swap, swap + way, seen))
        if caught.value.outcome == core.PUT_BACK:
            assert way > 10
            return
        with subtests.test(f"{way} steps after the swap: {seen[-1]}"):
            assert caught.value.outcome in (core.NOT_BACK, core.NOT_ACTIVE)
            assert caught.value.then is not None
            host.run(*old_bundle(host))
            require_whole(host, "old", wanted)
    pytest.fail("the undo never ended")
