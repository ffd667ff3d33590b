# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of a transaction: ownership, precedence, restored originals, and refusals."""

from __future__ import annotations

import errno
import os
import signal
import stat
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._transaction import disk
from ansible_collections.mailops.smtp.plugins.module_utils._transaction import transaction as core
from ansible_collections.mailops.smtp.plugins.module_utils._transaction.model import TransactionError, WantedFile
from ansible_collections.mailops.smtp.plugins.module_utils._transaction.plan import Plan
from ansible_collections.mailops.smtp.plugins.module_utils._transaction.transaction import (
    ConfigTransaction,
    TransactionFailed,
)
from ansible_collections.mailops.smtp.tests.unit.support.transaction_host import GROUP, OWNER, FakeHost, Sandbox


@pytest.fixture
def host(tmp_path: Path) -> Sandbox:
    return Sandbox(tmp_path)


def plan_of(host: Sandbox, *files: WantedFile) -> Plan:
    return ConfigTransaction(str(host.state / "app"), lambda _step, _path: None).plan(FakeHost(host), files)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_second_run_changes_nothing(host: Sandbox) -> None:
    old = host.write("old.cf", "before", 0o604)
    files = [host.wanted("old.cf", "after"), host.wanted("deep/er/fresh.cf", "new", 0o600)]
    assert host.run(files) is True
    assert (old.read_text(), mode_of(old)) == ("after", 0o640)
    assert (host.live / "deep/er/fresh.cf").read_text() == "new"
    assert host.loaded == {"old.cf": ("after", 0o640, os.geteuid()), "deep/er/fresh.cf": ("new", 0o600, os.geteuid())}
    assert host.run(files) is False
    assert host.debris() == []


@pytest.mark.parametrize("difference", ["content", "mode", "missing"])
def test_declaration_takes_precedence_over_an_edit(host: Sandbox, difference: str) -> None:
    """A difference since the last run is a change and an edit."""
    file = host.wanted("x.cf", "declared")
    host.run([file])
    path = Path(file.path)
    if difference == "content":
        path.write_text("edited")
    elif difference == "mode":
        path.chmod(0o600)
    else:
        path.unlink()
    plan = plan_of(host, file)
    assert [(change.path, change.edited) for change in plan.changes] == [(file.path, True)]
    assert host.run([file]) is True
    assert (path.read_text(), mode_of(path)) == ("declared", 0o640)


def test_edit_that_equals_the_next_declaration_is_not_a_change(host: Sandbox) -> None:
    host.run([host.wanted("x.cf", "one")])
    (host.live / "x.cf").write_text("two")
    assert plan_of(host, host.wanted("x.cf", "two")).changes == ()
    assert host.run([host.wanted("x.cf", "two")]) is False
    host.run([])
    assert host.tree() == {}


@pytest.mark.parametrize("edited", [False, True])
def test_file_no_longer_declared_is_replaced_by_its_original(host: Sandbox, edited: bool) -> None:
    """A file without an original is removed, even if edited, and so are directories that were made."""
    host.write("had.cf", "original", 0o604)
    inode = (host.live / "had.cf").stat().st_ino
    host.run([host.wanted("had.cf", "ours"), host.wanted("d/had_not.cf", "ours"), host.wanted("stays.cf", "ours")])
    host.run(
        [host.wanted("had.cf", "ours again"), host.wanted("d/had_not.cf", "ours"), host.wanted("stays.cf", "ours")]
    )
    if edited:
        (host.live / "had.cf").write_text("edited")
        (host.live / "d/had_not.cf").write_text("edited")
    plan = plan_of(host, host.wanted("stays.cf", "ours"))
    assert {change.path: (change.edited, change.after) for change in plan.changes} == {
        str(host.live / "had.cf"): (edited, b"original"),
        str(host.live / "d/had_not.cf"): (edited, b""),
    }
    host.run([host.wanted("stays.cf", "ours")])
    uid = os.geteuid()
    assert host.tree() == {"had.cf": ("original", 0o604, uid), "stays.cf": ("ours", 0o640, uid)}
    assert (host.live / "had.cf").stat().st_ino == inode
    assert (host.originals(), host.debris()) == ({}, [])


def test_nothing_declared_leaves_nothing_behind(host: Sandbox) -> None:
    """A directory into which a user put a file stays with that file."""
    host.write("had.cf", "original", 0o604)
    before = host.tree()
    host.run([host.wanted("had.cf", "ours"), host.wanted("made/x.cf", "ours"), host.wanted("used/x.cf", "ours")])
    host.write("used/by_a_user", "theirs")
    assert host.run([]) is True
    assert host.run([]) is False
    assert {path: seen for path, seen in host.tree().items() if not path.startswith("used")} == before
    assert sorted(path.name for path in (host.live / "used").iterdir()) == ["by_a_user"]
    assert not host.state.exists()


def test_file_that_matches_is_adopted_and_given_back(host: Sandbox) -> None:
    """Adoption does not activate a service, but keeps the original for a later change and for the removal."""
    host.write("same.cf", "same", 0o640)
    assert host.run([host.wanted("same.cf", "same")], fake=FakeHost(host, refuses="activate")) is False
    assert host.originals() == {"same.cf": ("same", 0o640)}
    host.run([host.wanted("same.cf", "other")])
    assert host.run([]) is True
    assert host.tree() == {"same.cf": ("same", 0o640, os.geteuid())}


def test_missing_original_is_named_and_the_file_kept(host: Sandbox) -> None:
    host.write("had.cf", "original")
    host.run([host.wanted("had.cf", "ours")])
    (host.live / ".mailops-app/had.cf.first").unlink()
    with pytest.raises(TransactionFailed, match="cannot be restored: its original is missing"):
        host.run([])
    assert (host.live / "had.cf").read_text() == "ours"
    (host.live / "had.cf").unlink()
    host.run([])
    assert host.tree() == {}


def test_built_file_is_rebuilt_when_its_source_changes(host: Sandbox) -> None:
    """A change of another file does not rebuild it, although each build gives different content."""

    def bundle(names: str, main: str) -> list[WantedFile]:
        table = host.wanted("names.table", names, 0o600)
        return [table, host.built("names.db", table, 0o600), host.wanted("main.cf", main)]

    built = host.live / "names.db"
    host.run(bundle("a", "1"))
    first = built.read_text()
    assert (first.startswith("built of a #"), mode_of(built)) == (True, 0o600)
    host.run(bundle("a", "2"))
    assert built.read_text() == first
    host.run(bundle("b", "2"))
    assert built.read_text().startswith("built of b #")
    built.write_text("damaged")
    assert host.run(bundle("b", "2")) is True
    assert built.read_text().startswith("built of b #")
    assert host.run(bundle("b", "2")) is False


def test_file_that_no_command_built_is_named(host: Sandbox) -> None:
    source = host.wanted("names.other", "x")
    with pytest.raises(TransactionFailed, match=r"/names\.db: no build command created it"):
        host.run([source, host.built("names.db", source)])
    assert (host.tree(), host.debris()) == ({}, [])


def test_directories_are_made_and_removed(host: Sandbox) -> None:
    """They get the declared mode, or 0755; an existing directory is not changed."""
    (host.live / "there").mkdir(mode=0o711)
    declared = [host.directory("made", 0o750), host.directory("made/in", 0o700), host.directory("there", 0o700)]
    files = [host.wanted("made/in/x.cf", "x"), host.wanted("plain/x.cf", "x")]
    assert host.run(files, declared) is True
    modes = {name: mode_of(host.live / name) for name in ("made", "made/in", "plain", "there")}
    assert modes == {"made": 0o750, "made/in": 0o700, "plain": 0o755, "there": 0o711}
    assert host.run(files, declared) is False
    assert host.run(files[1:], declared[:1]) is True
    assert sorted(path for path in host.tree() if path.startswith("made")) == ["made"]
    host.run([])
    assert list(host.tree()) == ["there"]


REFUSALS = [
    ("validate", core.UNTOUCHED),
    ("activate", core.PUT_BACK),
    ("check", core.PUT_BACK),
    ("prove", core.PUT_BACK),
]


@pytest.mark.parametrize(("step", "outcome"), REFUSALS)
def test_refused_files_are_put_back(host: Sandbox, step: str, outcome: str) -> None:
    """The previous file comes back with its inode, not as a copy."""
    old = host.write("old.cf", "before", 0o604)
    inode = old.stat().st_ino
    fake = FakeHost(host, refuses=step, with_content="after")
    with pytest.raises(TransactionFailed, match=f"{step} was refused") as caught:
        host.run([host.wanted("old.cf", "after"), host.wanted("d/fresh.cf", "new")], fake=fake)
    assert caught.value.outcome == outcome
    assert host.tree() == {"old.cf": ("before", 0o604, os.geteuid())}
    assert (old.stat().st_ino, host.debris()) == (inode, [])
    assert not host.state.exists()


def test_service_that_fails_with_both_versions_is_retried_by_the_next_run(host: Sandbox) -> None:
    host.write("old.cf", "before")
    with pytest.raises(TransactionFailed) as caught:
        host.run([host.wanted("old.cf", "after")], fake=FakeHost(host, refuses="activate"))
    assert caught.value.outcome == core.NOT_ACTIVE
    assert host.tree()["old.cf"][0] == "before"
    assert host.run([]) is True
    assert host.loaded == host.tree()
    assert host.run([]) is False


class Recording(FakeHost):
    """Records the arguments of the last activation."""

    activated: tuple[set[str], set[str], bool]

    def activate(self, plan: Plan, unsettled: t.Collection[str], back: bool) -> None:
        super().activate(plan, unsettled, back)
        self.activated = (
            {Path(change.path).name for change in plan.changes},
            {Path(path).name for path in unsettled},
            back,
        )


def test_unsettled_files_of_earlier_runs_reach_the_next_activation(host: Sandbox) -> None:
    """Two runs in a row change different files and cannot activate them; the next run reports both to the host."""

    def bundle(one: str, two: str) -> list[WantedFile]:
        return [host.wanted("one.cf", one), host.wanted("two.cf", two)]

    host.run(bundle("1", "1"))
    for files in (bundle("2", "1"), bundle("1", "2")):
        with pytest.raises(TransactionFailed):
            host.run(files, fake=FakeHost(host, refuses="activate"))
    fake = Recording(host)
    host.run(bundle("1", "1"), fake=fake)
    assert fake.activated == (set(), {"one.cf", "two.cf"}, False)
    host.run(bundle("3", "1"), fake=fake)
    assert fake.activated == ({"one.cf"}, set(), False)


def test_refused_run_after_a_crash_activates_the_previous_files(host: Sandbox) -> None:
    """The service may have read files that were undone, and must not keep them because the next files are refused."""
    host.run([host.wanted("x.cf", "good")])
    if (child := os.fork()) == 0:
        host.run([host.wanted("x.cf", "killed")], observe=lambda step, _path: kill_before("committed", step))
        os._exit(3)
    os.waitpid(child, 0)
    assert host.loaded["x.cf"][0] == "killed"
    with pytest.raises(TransactionFailed, match="validate was refused") as caught:
        host.run([host.wanted("x.cf", "bad")], fake=FakeHost(host, refuses="validate"))
    assert caught.value.outcome == core.UNTOUCHED
    assert (host.tree()["x.cf"][0], host.loaded["x.cf"][0], host.debris()) == ("good", "good", [])


def kill_before(last: str, step: str) -> None:
    if step == last:
        os.kill(os.getpid(), signal.SIGKILL)


class RecordingValidator(FakeHost):
    """Records the files and the removed paths of the last validation."""

    def validate(self, stage: str, removed: t.Collection[str]) -> None:
        live = Path(stage + str(self._host.live))
        self.shown = {path.name: path.read_text() for path in live.glob("*") if path.is_file()}
        self.removed = [Path(path).name for path in removed]


def test_validator_gets_restored_originals_and_removed_paths(host: Sandbox) -> None:
    host.write("kept.cf", "original")
    host.run([host.wanted("kept.cf", "ours"), host.wanted("new.cf", "ours"), host.wanted("x.cf", "1")])
    fake = RecordingValidator(host)
    host.run([host.wanted("x.cf", "2")], fake=fake)
    assert (fake.shown, fake.removed) == ({"kept.cf": "original", "x.cf": "2"}, ["new.cf"])


def test_unhealthy_service_is_activated_without_a_change(host: Sandbox) -> None:
    files = [host.wanted("x.cf", "x")]
    host.run(files)
    with pytest.raises(TransactionFailed) as caught:
        host.run(files, fake=FakeHost(host, refuses="check"))
    assert caught.value.outcome == core.UNHEALTHY


def test_security_context_of_changed_restored_and_new_files(host: Sandbox) -> None:
    """A changed file keeps the context of the previous one, an original its own; a new file gets that of the policy."""
    path, label, other = host.write("x.cf", "original"), b"system_u:object_r:etc_t:s0\0", b"u:object_r:other_t:s0\0"
    try:
        os.setxattr(path, "security.selinux", label)
    except OSError as error:
        pytest.skip(f"no security contexts here: {error.strerror}")
    fake = FakeHost(host)
    host.run([host.wanted("x.cf", "ours"), host.wanted("new.cf", "ours")], fake=fake)
    assert os.getxattr(path, "security.selinux") == label
    assert [live for _path, live in fake.labels] == [str(host.live / "new.cf")]
    os.setxattr(path, "security.selinux", other)
    host.run([])
    assert os.getxattr(path, "security.selinux") == label


@pytest.mark.parametrize("error", [errno.EPERM, errno.EXDEV, errno.EOPNOTSUPP])
def test_put_back_and_restore_without_hard_links(host: Sandbox, monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    def no_link(*_arguments: t.Any, **_more: t.Any) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "link", no_link)
    old = host.write("old.cf", "before", 0o604)
    with pytest.raises(TransactionFailed):
        host.run([host.wanted("old.cf", "after")], fake=FakeHost(host, refuses="check", with_content="after"))
    assert (old.read_text(), mode_of(old)) == ("before", 0o604)
    host.run([host.wanted("old.cf", "after")])
    host.run([])
    assert (old.read_text(), mode_of(old), host.debris()) == ("before", 0o604, [])


def test_state_on_another_file_system(tmp_path: Path) -> None:
    memory = Path("/dev/shm")  # noqa: S108 - only asked for its device
    if not os.access(memory, os.W_OK) or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is one file system only")
    state = memory / f"mailops-{os.getpid()}"
    state.mkdir(mode=0o700)
    try:
        host = Sandbox(tmp_path, state)
        host.write("x.cf", "original", 0o604)
        host.run([host.wanted("x.cf", "ours"), host.wanted("d/y.cf", "ours")])
        assert host.tree()["x.cf"] == ("ours", 0o640, os.geteuid())
        host.run([])
        assert host.tree() == {"x.cf": ("original", 0o604, os.geteuid())}
    finally:
        for path in sorted(state.rglob("*"), reverse=True):
            path.rmdir()
        state.rmdir()


def test_second_run_is_refused_while_the_first_holds_the_lock(host: Sandbox) -> None:
    """It touches nothing; the lock ends when the first run is killed."""
    ready, held = os.pipe()

    def hold(step: str, _path: str) -> None:
        if step == "swap":
            os.write(held, b"x")
            signal.pause()

    if (child := os.fork()) == 0:
        host.run([host.wanted("x.cf", "first")], observe=hold)
        os._exit(0)
    os.read(ready, 1)
    try:
        with pytest.raises(TransactionFailed, match="another run of this transaction is in progress") as caught:
            host.run([host.wanted("x.cf", "second")])
        assert (caught.value.outcome, host.tree()) == (core.UNTOUCHED, {})
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert host.run([host.wanted("x.cf", "second")]) is True
    assert (host.tree()["x.cf"][0], host.debris()) == ("second", [])


def link_to_elsewhere(host: Sandbox) -> WantedFile:
    host.write("target", "mine")
    (host.live / "x.cf").symlink_to("target")
    return host.wanted("x.cf", "ours")


def directory_in_its_place(host: Sandbox) -> WantedFile:
    (host.live / "x.cf").mkdir()
    return host.wanted("x.cf", "ours")


def file_above(host: Sandbox) -> WantedFile:
    host.write("x", "mine")
    return host.wanted("x/y.cf", "ours")


def owner_unknown(host: Sandbox) -> WantedFile:
    return WantedFile(str(host.live / "x.cf"), b"", owner="no-such-user", group=GROUP)


def group_unknown(host: Sandbox) -> WantedFile:
    return WantedFile(str(host.live / "x.cf"), b"", owner=OWNER, group="no-such-group")


def owned_by_another(host: Sandbox) -> WantedFile:
    host.run([host.wanted("x.cf", "theirs")], name="other")
    return host.wanted("x.cf", "ours")


def private_directory_open(host: Sandbox) -> WantedFile:
    (host.live / ".mailops-app").mkdir(mode=0o755)
    return host.wanted("x.cf", "ours")


BAD: list[tuple[t.Callable[[Sandbox], WantedFile], str]] = [
    (link_to_elsewhere, "is a symbolic link to target; declare the file that it points to, or put a copy"),
    (directory_in_its_place, "is not a regular file"),
    (file_above, "Not a directory"),
    (owner_unknown, "no-such-user"),
    (group_unknown, "no-such-group"),
    (owned_by_another, "belongs to the transaction 'other'"),
    (private_directory_open, "can be entered by other users"),
]


@pytest.mark.parametrize(("prepare", "words"), BAD)
def test_refusal_changes_nothing(host: Sandbox, prepare: t.Callable[[Sandbox], WantedFile], words: str) -> None:
    file = prepare(host)
    before = host.tree()
    with pytest.raises(TransactionFailed, match=words) as caught:
        host.run([host.wanted("fine.cf", "ours"), file])
    assert caught.value.outcome == core.UNTOUCHED
    assert host.tree() == before


@pytest.mark.parametrize("protected", ["x.cf", "."])
def test_a_file_protected_by_chattr_is_refused_before_anything_is_changed(
    host: Sandbox, monkeypatch: pytest.MonkeyPatch, protected: str
) -> None:
    host.write("x.cf", "mine")
    path = os.path.normpath(host.live / protected)
    monkeypatch.setattr(disk, "is_fixed", lambda one: one == path)
    with pytest.raises(TransactionFailed, match=f"{path} is immutable or append-only.*chattr -ia {path}") as caught:
        host.run([host.wanted("a.cf", "ours"), host.wanted("x.cf", "ours")])
    assert (caught.value.outcome, host.tree()["x.cf"][0]) == (core.UNTOUCHED, "mine")


def test_a_file_that_cannot_be_replaced_is_no_damage(host: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a mount point: neither the swap nor the undo can replace it, and it is as it was."""
    host.write("a.cf", "mine a")
    host.write("x.cf", "mine x")
    before, replace = host.tree(), os.replace

    def refuse(source: str, target: str) -> None:
        if target == str(host.live / "x.cf"):
            raise OSError(errno.EBUSY, "Device or resource busy", target)
        replace(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(TransactionFailed, match="x.cf: Device or resource busy") as caught:
        host.run([host.wanted("a.cf", "ours"), host.wanted("x.cf", "ours"), host.wanted("z.cf", "ours")])
    assert (caught.value.outcome, host.tree(), host.debris()) == (core.PUT_BACK, before, [])


def test_file_declared_twice_is_refused(host: Sandbox) -> None:
    with pytest.raises(TransactionFailed, match=r"x\.cf is declared twice"):
        host.run([host.wanted("x.cf", "one"), host.wanted("x.cf", "two")])


@pytest.mark.parametrize("path", ["relative", "/", "/a/../b", "/a//b", "/a/"])
def test_path_that_is_not_normalised_is_refused(path: str) -> None:
    with pytest.raises(TransactionError, match="is not a normalised absolute path"):
        WantedFile(path, b"")


def test_unreadable_manifest_is_named(host: Sandbox) -> None:
    host.run([host.wanted("x.cf", "x")])
    (host.state / "app/manifest").write_text("{")
    with pytest.raises(TransactionFailed, match=r"manifest, which an earlier run left, cannot be read"):
        host.run([host.wanted("x.cf", "y")])
    assert host.tree()["x.cf"][0] == "x"


def test_incomplete_record_and_stage_are_removed(host: Sandbox) -> None:
    """A killed run may leave them; the next run removes them even if it has nothing else to do."""
    files = [host.wanted("x.cf", "x")]
    host.run(files)
    (host.state / "app/preparing.new").write_text("{")
    (host.state / "app/stage/etc").mkdir(parents=True)
    assert host.run(files) is False
    assert host.debris() == []


def test_versions_without_a_run_record_are_overwritten(host: Sandbox) -> None:
    """A crash may leave versions beside a file after the run record was removed."""
    files = [host.wanted("x.cf", "ours")]
    host.write("x.cf", "original")
    host.write(".mailops-app/x.cf.new", "half")
    host.write(".mailops-app/x.cf.old", "half")
    (host.live / ".mailops-app").chmod(0o700)
    host.run(files)
    assert (host.tree()["x.cf"][0], host.originals(), host.debris()) == ("ours", {"x.cf": ("original", 0o644)}, [])


def test_state_and_originals_are_private(host: Sandbox) -> None:
    host.write("x.cf", "original")
    host.run([host.wanted("x.cf", "ours")])
    assert mode_of(host.state / "app") == 0o700
    assert mode_of(host.state / "app/manifest") == 0o600
    assert mode_of(host.live / ".mailops-app") == 0o700


def test_service_is_given_back_in_its_first_state(host: Sandbox) -> None:
    """When it is no longer declared, and on removal; its state is noted once, before the first run touches it."""
    host.set_services({"main": "running", "login": "stopped"})
    files = [host.wanted("main.cf", "ours"), host.wanted("login.cf", "ours")]
    host.run(files, services=["main", "login"])
    assert host.services == {"main": "ours", "login": "ours"}
    assert host.run(files, services=["main", "login"]) is False
    assert host.run(files[:1], services=["main"]) is True
    assert host.services == {"main": "ours", "login": "stopped"}
    assert host.run(files[:1], services=["main"]) is False
    host.run(files, services=["main", "login"])
    assert host.run([]) is True
    assert host.services == {"main": "running", "login": "stopped"}
    assert not host.state.exists()


def test_noted_state_is_restored(host: Sandbox) -> None:
    """A change of the service after the note does not count, whether the first run is put back or succeeds."""
    host.set_services({"main": "stopped"})
    transaction = ConfigTransaction(str(host.state / "app"), lambda _step, _path: None)
    fake = FakeHost(host, refuses="check", with_content="bad")
    with transaction.alone(fake):
        transaction.note(["main"], fake)
    host.set_services({"main": "running"})
    with pytest.raises(TransactionFailed, match="check was refused") as caught:
        host.run([host.wanted("main.cf", "bad")], services=["main"], fake=fake)
    assert (caught.value.outcome, host.services) == (core.PUT_BACK, {"main": "stopped"})
    host.run([host.wanted("main.cf", "ours")], services=["main"])
    host.run([])
    assert (host.services, host.tree(), host.state.exists()) == ({"main": "stopped"}, {}, False)


@pytest.mark.parametrize("then", ["as before", "started since"])
@pytest.mark.parametrize("next_files", ["the same", "none"])
def test_service_that_only_an_undone_run_used(host: Sandbox, then: str, next_files: str) -> None:
    """It is back, so the next run forgets it and changes nothing; one that runs since then is given back."""
    host.set_services({"main": "stopped", "login": "stopped"})
    files = [host.wanted("main.cf", "ours"), host.wanted("login.cf", "bad")]
    if next_files == "the same":
        host.run(files[:1], services=["main"])
    with pytest.raises(TransactionFailed, match="check was refused"):
        host.run(files, services=["main", "login"], fake=FakeHost(host, refuses="check", with_content="bad"))
    if then == "started since":
        host.set_services({"login": "running"})
    again = (files[:1], ["main"]) if next_files == "the same" else ([], [])
    assert host.run(again[0], services=again[1]) is (then == "started since")
    assert host.services == {"main": "ours" if again[1] else "stopped", "login": "stopped"}
    assert host.run(again[0], services=again[1]) is False
    assert host.debris() == []
    host.run([])
    assert not host.state.exists()


class Filling(FakeHost):
    """Is drained at the first check, and not after the stop."""

    def release(self, first: t.Mapping[str, str]) -> None:
        super().release(first)
        raise TransactionError("one message arrived before the stop")


@pytest.mark.parametrize(("kind", "outcome"), [("before", core.UNTOUCHED), ("between", core.PUT_BACK)])
def test_service_that_is_not_drained_is_kept(host: Sandbox, kind: str, outcome: str) -> None:
    host.set_services({"main": "stopped"})
    host.run([host.wanted("main.cf", "ours")], services=["main"])
    before = host.tree()
    with pytest.raises(TransactionFailed) as caught:
        host.run([], fake=FakeHost(host, refuses="drained") if kind == "before" else Filling(host))
    assert (caught.value.outcome, host.tree(), host.services) == (outcome, before, {"main": "ours"})
    assert host.debris() == []


def test_service_that_is_not_drained_survives_the_removal_after_a_crash(host: Sandbox) -> None:
    """It continues with the files of the crashed first run, so that it can be drained, and is removed then."""
    host.set_services({"main": "stopped"})
    if (child := os.fork()) == 0:
        host.run(
            [host.wanted("main.cf", "killed")],
            services=["main"],
            observe=lambda step, _path: kill_before("committed", step),
        )
        os._exit(3)
    os.waitpid(child, 0)
    with pytest.raises(TransactionFailed, match="drained was refused") as caught:
        host.run([], fake=FakeHost(host, refuses="drained"))
    assert (caught.value.outcome, host.services) == (core.UNTOUCHED, {"main": "ours"})
    assert host.run([]) is True
    assert (host.services, host.tree(), host.state.exists()) == ({"main": "stopped"}, {}, False)


def test_adoption_after_a_crash_activates_the_service(host: Sandbox) -> None:
    """The service may still use the file of the crashed run, although no file has to be replaced."""
    host.write("x.cf", "good", 0o640)
    if (child := os.fork()) == 0:
        host.run([host.wanted("x.cf", "killed")], observe=lambda step, _path: kill_before("committed", step))
        os._exit(3)
    os.waitpid(child, 0)
    assert host.run([host.wanted("x.cf", "good")]) is True
    assert (host.loaded["x.cf"][0], host.debris()) == ("good", [])
