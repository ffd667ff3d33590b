# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program as a relay has it: from its files alone, with programs that record their calls.

Covers program.py, installing.py, ordering.py, lineage.py, telling.py, places.py and files.py.
"""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._renewal.files import folders_of
from ansible_collections.mailops.smtp.tests.unit.support.renewing import NAME, Host, issue, new_host


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return new_host(tmp_path)


def test_certificate_is_joined_with_its_key_first_for_root_only(host: Host) -> None:
    text = issue(host.source)
    host.write(host.settings())
    first, second = host.run("install"), host.run("install")
    assert (first.returncode, second.returncode, second.stdout) == (0, 0, "")
    assert "valid until" in first.stdout
    assert host.file.read_text().startswith("-----BEGIN PRIVATE KEY-----")
    assert set(host.file.read_text().splitlines()) == set(text.splitlines())
    assert host.file.stat().st_mode & 0o777 == 0o600
    assert host.left_over() == []


REFUSED: list[tuple[dict[str, t.Any], str]] = [
    ({"ends": -0.5, "begins": -9}, "the certificate expired on"),
    ({"begins": 1 / 24}, "earlier; expected a certificate that is valid now. If the clock of this host is wrong"),
    ({"name": "other.a.test"}, f"the certificate is not for {NAME}, which clients connect to"),
]


@pytest.mark.parametrize(("issued", "words"), REFUSED)
def test_unfit_certificate_leaves_the_old_one(host: Host, issued: dict[str, t.Any], words: str) -> None:
    issue(host.source)
    host.write(host.settings())
    assert host.run("install").returncode == 0
    before = host.file.read_bytes()
    issue(host.source, **issued)
    done = host.run("install")
    assert done.returncode == 1
    assert words in done.stderr
    assert str(host.source) in done.stderr
    assert host.file.read_bytes() == before
    assert host.left_over() == []


def test_wrong_key_beside_a_new_chain_is_told_to_root_once(host: Host) -> None:
    issue(host.source)
    host.write(host.settings())
    assert host.run("install").returncode == 0
    before = host.file.read_bytes()
    key = host.folder / "other.pem"
    issue(key)
    issue(host.source)
    host.write(host.settings(source={"chain": str(host.source), "key": str(key)}))
    for _attempt in range(2):
        done = host.run("install", "--tell")
        assert done.returncode == 1
        assert "the key is not that of the certificate" in done.stderr
    assert host.file.read_bytes() == before
    assert host.calls("sendmail") == ["sendmail -i -f root -- root"]
    assert "the key is not that of the certificate" in (host.folder / "mail").read_text()
    host.write(host.settings())
    assert host.run("install", "--tell").returncode == 0
    assert not (host.folder / "home/told").exists()


@pytest.mark.parametrize("comes_back", [False, True], ids=["replaced", "away for a moment"])
def test_certificate_that_comes_while_the_unit_runs_is_installed_as_well(host: Host, comes_back: bool) -> None:
    """systemd does not start the unit again for a change during its run."""
    issue(host.source)
    host.write(host.settings())
    argv = [sys.executable, "-I", str(host.folder / "lib"), "install", "--tell"]
    with subprocess.Popen(argv, env=host.environment(), stdout=subprocess.PIPE, text=True) as running:
        while not host.file.exists():
            time.sleep(0.01)
        if comes_back:
            host.source.unlink()
            time.sleep(0.5)
        newer = issue(host.source)
        said, _errors = running.communicate(timeout=60)
    assert running.returncode == 0
    assert said.count("valid until") == 1
    assert set(host.file.read_text().splitlines()) == set(newer.splitlines())


def test_missing_file_and_file_without_key_are_named(host: Host) -> None:
    host.write(host.settings())
    assert f"{host.source}: No such file or directory; expected a file of this host" in host.run("install").stderr
    text = issue(host.source)
    host.source.write_text(text.partition("-----BEGIN PRIVATE")[0])
    assert "has no private key in PEM format" in host.run("install").stderr


@pytest.mark.parametrize(("moment", "left"), [("put_in_place", [".relay.pem.new"]), ("judge", [])])
def test_killed_before_or_at_the_rename_leaves_a_whole_file_and_the_next_run_repairs(
    host: Host, moment: str, left: list[str]
) -> None:
    issue(host.source)
    host.write(host.settings())
    assert host.run("install").returncode == 0
    before = host.file.read_bytes()
    after = issue(host.source)
    kill = f"one.{moment} = lambda *given: os.kill(os.getpid(), signal.SIGKILL)"
    done = host.python("installing", f"{kill}; main(['install'], print, print)")
    assert done.returncode == -signal.SIGKILL
    assert host.file.read_bytes() == before
    assert host.left_over() == left
    assert host.run("install").returncode == 0
    assert set(host.file.read_text().splitlines()) == set(after.splitlines())
    assert host.left_over() == []


def test_relay_has_a_self_signed_certificate_until_the_first_order(host: Host) -> None:
    host.write(host.acme())
    done = host.run("install")
    assert "self-signed certificate until the authority has issued one" in done.stdout
    assert host.calls("certbot") == []
    assert host.file.stat().st_mode & 0o777 == 0o600


def test_openssl_that_fails_is_told_with_the_file_and_what_to_do(host: Host) -> None:
    (host.folder / "bin/openssl").write_text("#!/bin/sh\necho no entropy >&2; exit 1\n")
    (host.folder / "bin/openssl").chmod(0o755)
    host.write(host.acme())
    (line,) = host.run("install").stderr.splitlines()
    said = f"openssl could not make a self-signed certificate for {host.file}: no entropy"
    assert line == f"{said}; correct that, and run the role again."
    assert not host.file.exists()
    assert host.left_over() == []


def test_order_is_made_once_and_again_when_the_names_change(host: Host) -> None:
    issue(host.folder / "issued.pem")
    host.write(host.acme())
    assert host.run("order").returncode == 0
    assert host.run("order").returncode == 0
    (ordered,) = host.calls("certbot")
    assert "--cert-name mailops-relay" in ordered
    assert f"--domain {NAME} --standalone --preferred-challenges http" in ordered
    assert "--force-renewal" not in ordered
    host.write(host.acme(names=[NAME, "www.a.test"]))
    host.run("order")
    again = host.calls("certbot")[1]
    assert "--force-renewal --renew-with-new-domains" in again
    assert "--domain www.a.test" in again


def test_key_of_another_certificate_in_the_lineage_is_replaced_by_an_order(host: Host) -> None:
    issue(host.folder / "issued.pem")
    host.write(host.acme())
    assert host.run("order").returncode == 0
    issue(host.folder / "certbot/live/mailops-relay/privkey.pem")
    assert host.run("install").returncode == 1
    assert host.examine(host.acme())["due"] == "key and certificate of certbot do not belong together"
    assert host.run("order").returncode == 0
    assert "--force-renewal" in host.calls("certbot")[1]


def test_refused_order_says_why_and_leaves_the_relay_its_certificate(host: Host) -> None:
    host.write(host.acme())
    host.run("install")
    before = host.file.read_bytes()
    done = host.run("order", CERTBOT_FAILS="no A record for relay.a.test")
    assert done.returncode == 1
    assert "issued no certificate for relay.a.test: no A record for relay.a.test. The relay keeps" in done.stderr
    assert host.file.read_bytes() == before


@pytest.mark.parametrize("conf", [None, ""])
def test_killed_order_does_not_break_the_next(host: Host, conf: str | None) -> None:
    """Beside a lineage that is not whole, certbot would make another one with another name."""
    issue(host.folder / "issued.pem")
    certbot = host.folder / "certbot"
    for name in ("live", "archive"):
        (certbot / name / "mailops-relay").mkdir(parents=True)
    if conf is not None:
        (certbot / "renewal").mkdir()
        (certbot / "renewal/mailops-relay.conf").write_text(conf)
        (host.folder / "home/before.json").write_text("[]")
    host.write(host.acme())
    done = host.run("order")
    assert done.returncode == 0, done.stderr
    assert "--force-renewal" not in host.calls("certbot")[0]
    assert host.run("order").stdout == ""


#: What certbot says, and what is made of it.
REASONS = [
    ("  Detail: no A record", "no A record. The relay keeps"),
    (
        (
            "Encountered exception during recovery: certbot.errors.PluginError: Encountered error when making query:"
            " The peer didn't like the signature we sent\nEncountered error when making query: The peer didn't like the"
            " signature we sent"
        ),
        (
            "a.test: Encountered error when making query: The peer didn't like the signature we sent. Expected"
            " relay_tls.acme.dns.secret and algorithm as the name server has them. The relay keeps"
        ),
    ),
    (
        "The peer didn't know the key we used",
        "we used. Expected relay_tls.acme.dns.key_name as the name server has it.",
    ),
    ("", "certbot gave no reason. The relay keeps"),
]


@pytest.mark.parametrize(("said", "words"), REASONS)
def test_reason_of_certbot_is_told_once_and_explained(host: Host, said: str, words: str) -> None:
    host.write(host.acme())
    done = host.run("order", CERTBOT_FAILS="yes", CERTBOT_SAYS=said)
    assert done.returncode == 1
    assert words in done.stderr


def test_order_beside_a_certificate_of_the_same_name_is_refused(host: Host) -> None:
    (host.folder / "certbot/renewal").mkdir()
    (host.folder / "certbot/renewal/mailops-relay.conf").write_text("of an administrator")
    host.write(host.acme())
    done = host.run("order")
    assert done.returncode == 1
    assert "that this role did not order" in done.stderr
    assert host.calls("certbot") == []


def test_dns_01_uses_the_key_file(host: Host) -> None:
    issue(host.folder / "issued.pem")
    host.write(host.acme(challenge="dns-01", dns={"propagation": 5}))
    host.run("order")
    (ordered,) = host.calls("certbot")
    assert f"--dns-rfc2136-credentials {host.folder}/home/dns.ini --dns-rfc2136-propagation-seconds 5" in ordered
    assert "--standalone" not in ordered


LIVES: list[tuple[str, float, str]] = [
    ("2.1.0", 64, "renew_before_expiry = 520 hours"),
    ("2.1.0", 6, "renew_before_expiry = 84 hours"),
    ("2.1.0", 90, ""),
    ("4.0.0", 6, "renew_before_expiry = 84 hours"),  # its default is still 30 days
    ("5.5.0", 6, ""),
]


@pytest.mark.parametrize(("version", "days", "line"), LIVES)
def test_old_certbot_renews_short_lived_certificates_by_their_life(
    host: Host, version: str, days: float, line: str
) -> None:
    issue(host.folder / "issued.pem", ends=days)
    host.write(host.acme())
    assert host.run("order", CERTBOT_VERSION=version).returncode == 0
    conf = (host.folder / "certbot/renewal/mailops-relay.conf").read_text()
    assert [one for one in conf.splitlines() if "renew_before" in one] == ([line] if line else [])


#: Days since the beginning and until the end, and whether root is told.
LATE = [(-60, 29, False), (-60, 10, True), (-5, 1.2, True), (-3, 3, False)]


@pytest.mark.parametrize(("begins", "ends", "late"), LATE)
def test_late_renewal_is_told_by_the_share_of_the_life_that_is_left(
    host: Host, begins: float, ends: float, late: bool
) -> None:
    issue(host.source, begins=begins, ends=ends)
    host.write(host.settings())
    for _day in range(2):
        done = host.run("check", "--tell")
        assert (done.returncode == 1) == late, done.stderr
    assert len(host.calls("sendmail")) == (2 if late else 0)


def test_everything_made_is_forgotten(host: Host) -> None:
    issue(host.folder / "issued.pem")
    host.write(host.acme())
    other = host.folder / "certbot/accounts/server/directory/other"
    other.mkdir(parents=True)
    (other / "private_key.json").touch()
    assert host.run("order").returncode == 0
    (host.folder / "lib/__pycache__").mkdir(exist_ok=True)  # of a run by hand
    done = subprocess.run(
        [sys.executable, "-I", "-B", host.folder / "lib", "forget"], env=host.environment(), timeout=60, check=False
    )
    assert done.returncode == 0
    assert not list((host.folder / "lib").rglob("__pycache__"))
    assert [path.name for path in (host.folder / "home").iterdir()] == ["settings.json"]
    left = sorted(str(path.relative_to(host.folder / "certbot")) for path in (host.folder / "certbot").rglob("*"))
    account = "accounts/server/directory/other"
    kept = ["accounts", "accounts/server", "accounts/server/directory", account, f"{account}/private_key.json"]
    assert left == kept


def test_another_way_forgets_the_order(host: Host) -> None:
    issue(host.folder / "issued.pem")
    host.write(host.acme())
    assert host.run("order").returncode == 0
    archive, keys = host.folder / "certbot/archive/mailops-relay", host.folder / "certbot/keys"
    for folder in (archive, keys):
        folder.mkdir(parents=True)
    (archive / "privkey2.pem").write_text("key of a renewal")
    (keys / "0001_key-certbot.pem").write_text("key of a renewal")
    (keys / "0002_key-certbot.pem").write_text("key of another certificate")
    issue(host.source)
    host.write(host.settings())
    assert host.run("install").returncode == 0
    left = [path.relative_to(host.folder / "certbot") for path in (host.folder / "certbot").rglob("*")]
    assert sorted(map(str, left)) == ["keys", "keys/0002_key-certbot.pem"]


def test_examination_changes_nothing_and_says_what_is_wrong(host: Host) -> None:
    text = issue(host.source)
    found = host.examine(host.settings())
    assert found == {
        "problems": [],
        "due": f"{host.file} does not have the current certificate",
        "installed": False,
        "folders": [str(host.folder)],
    }
    host.source.write_text(text.partition("-----BEGIN CERT")[0])
    (problem,) = host.examine(host.settings())["problems"]
    assert problem.startswith("relay_tls: ")
    found = host.examine(host.acme(names=["relay.invalid"]))
    (problem,) = found["problems"]
    assert problem.startswith("relay_tls.acme.names: relay.invalid has no address in the DNS, so the authority cannot")
    assert found["due"].startswith("the authority has not issued a certificate for relay.invalid yet")
    assert not host.file.exists()


def test_folders_are_those_of_the_paths_and_of_what_links_lead_to(host: Host) -> None:
    (host.folder / "own").mkdir()
    (host.folder / "own/own.pem").symlink_to(host.source)
    source = {"chain": str(host.folder / "own/own.pem"), "key": str(host.folder / "own/own.pem")}
    found = host.examine(host.settings(source=source))
    assert found["folders"] == [str(host.folder / "own"), str(host.folder)]


#: Links with where they lead, all within one directory; a path there; the directories of which it is followed.
LINKS: list[tuple[dict[str, str], str, list[str]]] = [
    ({}, "ssl/own.pem", ["ssl"]),
    (
        {"ssl/own.pem": "{}/tls/current/full.pem", "tls/current": "{}/tls/2026-11"},
        "ssl/own.pem",
        ["ssl", "tls/current", "tls", "tls/2026-11"],
    ),
    (
        {"ssl/own.pem": "../tls/./current//full.pem", "tls/current": "2026-11"},
        "ssl/own.pem",
        ["ssl", "tls/current", "tls", "tls/2026-11"],
    ),
    ({"ssl/a.pem": "b.pem", "ssl/b.pem": "{}/tls/c.pem"}, "ssl/a.pem", ["ssl", "tls"]),
    ({"ssl/live": "{}/tls/2026-11"}, "ssl/live/full.pem", ["ssl/live", "ssl", "tls/2026-11"]),
    # the directory above a link is not the one above what it leads to
    ({"ssl/live": "{}/tls/2026-11", "tls/a.pem": "../ssl/live/../b.pem"}, "tls/a.pem", ["tls", "ssl"]),
    ({"ssl/own.pem": "{}/missing/own.pem"}, "ssl/own.pem", ["ssl", "missing"]),
    ({"ssl/own.pem": "own.pem"}, "ssl/own.pem", ["ssl"]),
    ({"ssl/a": "{}/tls/b", "tls/b": "{}/ssl/a"}, "ssl/a/own.pem", ["ssl/a", "ssl", "tls/b", "tls"]),
]


@pytest.mark.parametrize(("links", "path", "folders"), LINKS)
def test_each_directory_that_can_lead_a_path_elsewhere_is_followed(
    tmp_path: Path, links: dict[str, str], path: str, folders: list[str]
) -> None:
    for folder in ("ssl", "tls/2026-11"):
        (tmp_path / folder).mkdir(parents=True)
    for link, target in links.items():
        (tmp_path / link).symlink_to(target.format(tmp_path))
    found = dict.fromkeys(folders_of(f"{tmp_path}/{path}"))
    assert list(found) == [f"{tmp_path}/{folder}" for folder in folders]


#: Where a link leads, and what is told.
UNFOLLOWED = [
    ("own/own.pem", "Too many levels of symbolic links; expected a file of this host"),
    ("a\nUnit=reboot.target/own.pem", "\\nUnit=reboot.target', which no unit of systemd can follow"),
    ("a\\/own.pem", "which no unit of systemd can follow; expected a path of printable characters. Correct the link."),
]


@pytest.mark.parametrize(("target", "words"), UNFOLLOWED)
def test_link_that_cannot_be_followed_is_told(host: Host, target: str, words: str) -> None:
    (host.folder / target).parent.mkdir()
    issue(host.source)
    link = host.folder / "link.pem"
    link.symlink_to(host.folder / target)
    (host.folder / target).symlink_to(link if words.startswith("Too many") else host.source)
    found = host.examine(host.settings(source={"chain": str(link), "key": str(link)}))
    assert [problem for problem in found["problems"] if words in problem], found


def test_two_runs_wait_for_each_other(host: Host) -> None:
    issue(host.source)
    host.write(host.settings())
    argv = [sys.executable, "-I", str(host.folder / "lib"), "install"]
    with (host.folder / "home/.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = subprocess.Popen(argv, env=host.environment(), stdout=subprocess.DEVNULL)
        ending = time.monotonic() + 60
        while run.poll() is None and not waits_for_a_lock(run.pid) and time.monotonic() < ending:
            time.sleep(0.01)
        assert (run.poll(), waits_for_a_lock(run.pid), host.file.exists()) == (None, True, False)
    assert run.wait(timeout=60) == 0
    assert host.file.exists()
    assert host.left_over() == []


def waits_for_a_lock(pid: int) -> bool:
    """Whether the kernel lists a process as one that waits (proc_locks(5))."""
    lines = Path("/proc/locks").read_text().splitlines()
    return any(words[1] == "->" and str(pid) in words for words in map(str.split, lines))


def test_killed_order_is_remembered_and_everything_it_made_is_forgotten(host: Host) -> None:
    issue(host.folder / "issued.pem")
    host.write(host.acme())
    assert host.run("order", CERTBOT_KILLS="yes").returncode == -signal.SIGKILL
    assert host.run("order").returncode == 0
    assert host.run("forget").returncode == 0
    assert list((host.folder / "certbot").iterdir()) == []
    assert [path.name for path in (host.folder / "home").iterdir()] == ["settings.json"]


def test_killed_order_is_forgotten_without_another_one(host: Host) -> None:
    host.write(host.acme())
    host.run("order", CERTBOT_KILLS="yes")
    assert host.run("forget").returncode == 0
    assert list((host.folder / "certbot").iterdir()) == []


def test_certificate_of_the_same_name_that_was_not_ordered_is_told_and_stays(host: Host) -> None:
    conf = host.folder / "certbot/renewal/mailops-relay.conf"
    conf.parent.mkdir()
    conf.write_text("of an administrator")
    (problem, *_others) = host.examine(host.acme())["problems"]
    assert problem.startswith("relay_tls.acme: certbot has a certificate mailops-relay that this role did not order")
    issue(host.source)
    host.write(host.settings())
    assert host.run("install").returncode == 0
    assert host.run("forget").returncode == 0
    assert conf.read_text() == "of an administrator"


#: What is in place of the certificate of an own authority, and what is said.
AUTHORITIES: list[tuple[t.Callable[[Path], object], str]] = [
    (lambda path: None, "is not a file of this host that can be read (No such file or directory)"),
    (lambda path: path.mkdir(), "is not a file of this host that can be read (Is a directory)"),
    (lambda path: path.write_text("hello"), "has no certificate in PEM format"),
]


@pytest.mark.parametrize(("place", "words"), AUTHORITIES)
def test_authority_that_cannot_be_read_is_named(host: Host, place: t.Callable[[Path], object], words: str) -> None:
    path = host.folder / "root.pem"
    place(path)
    problems = host.examine(host.acme(ca_file=str(path)))["problems"]
    assert f"relay_tls.acme.ca_file: {path} {words}; expected the authority's certificate." in problems


def test_full_disk_is_told_and_the_old_certificate_stays(host: Host) -> None:
    issue(host.source)
    host.write(host.settings())
    assert host.run("install").returncode == 0
    before = host.file.read_bytes()
    issue(host.source)
    full = "def full(descriptor):\n    raise OSError(28, 'No space left on device')\none.os.fsync = full\n"
    done = host.python("files", f"{full}sys.exit(main(['install', '--tell'], print, print))")
    assert (done.returncode, done.stderr) == (1, "")
    assert f"{host.file} cannot be written: No space left on device; it stays as it is." in done.stdout
    assert f"root was told by mail, and may be told the same again: {host.folder}/home/told cannot" in done.stdout
    assert len(host.calls("sendmail")) == 1
    assert host.file.read_bytes() == before
    assert host.left_over() == []


def test_root_that_cannot_be_told_does_not_hide_what_is_wrong(host: Host) -> None:
    (host.folder / "bin/sendmail").write_text("no program")
    host.write(host.settings())
    done = host.run("install", "--tell")
    assert done.returncode == 1
    assert f"{host.source}: No such file or directory" in done.stderr
    assert "root could not be told by mail: sendmail cannot be run: Exec format error" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [[], ["--help"], ["remove"], ["install", "now"]])
def test_unknown_command_is_answered_with_the_usage(host: Host, arguments: list[str]) -> None:
    done = host.run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: relay-certificate install")
