# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""roles/relay/files/relay_certificate.py, run as on a host: files that openssl made, and programs that record calls."""

from __future__ import annotations

import datetime
import json
import os
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[3] / "roles/relay/files/relay_certificate.py"
NAME = "relay.a.test"
#: Stands for certbot, sendmail and the others: records how it was called, and does what its environment says.
RECORDER = """#!/bin/sh
echo "$(basename "$0") $*" >> "$CALLS"
case $(basename "$0") in
  sendmail) cat >> "$MAIL" ;;
  certbot)
    [ "$1" = --version ] && { echo "certbot ${CERTBOT_VERSION:-4.0.0}"; exit 0; }
    [ -n "$CERTBOT_FAILS" ] && { echo "  Detail: $CERTBOT_FAILS" >&2; exit 1; }
    cd "$RELAY_CERTIFICATE_CERTBOT" || exit 1
    mkdir -p renewal live accounts/server/directory/abc
    live=live/mailops-relay
    [ -e renewal/mailops-relay.conf ] || mkdir "$live" || exit 1
    cp "$ISSUED" "$live/fullchain.pem"; cp "$ISSUED" "$live/cert.pem"; cp "$ISSUED" "$live/privkey.pem"
    echo "version = 4" > renewal/mailops-relay.conf
    ;;
esac
"""


class Host(t.NamedTuple):
    """A host of which all files are in one folder."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "home/relay.pem"

    @property
    def source(self) -> Path:
        return self.folder / "own.pem"

    def settings(self, **changes: t.Any) -> dict[str, t.Any]:
        """Return the settings of a relay that follows the source and has no listener."""
        return {
            "file": str(self.file),
            "names": [NAME],
            "listeners": [],
            "source": {"chain": str(self.source), "key": str(self.source)},
            "acme": {},
            "unit": "postfix.service",
            "authorities": str(self.folder / "authorities.pem"),
            "addresses": [],
            **changes,
        }

    def acme(self, **changes: t.Any) -> dict[str, t.Any]:
        """Return the settings of a relay that orders its certificate."""
        live = self.folder / "certbot/live/mailops-relay"
        order = {
            "names": [NAME],
            "directory": "https://acme.a.test/dir",
            "email": "",
            "challenge": "http-01",
            "key_type": "ecdsa",
            "profile": "",
            "ca_file": "",
            "dns": {},
            **changes,
        }
        return self.settings(
            acme=order, source={"chain": str(live / "fullchain.pem"), "key": str(live / "privkey.pem")}
        )

    def write(self, settings: dict[str, t.Any]) -> None:
        (self.folder / "home/settings.json").write_text(json.dumps(settings))

    def environment(self, **more: str) -> dict[str, str]:
        return {
            **os.environ,
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "RELAY_CERTIFICATE_HOME": str(self.folder / "home"),
            "RELAY_CERTIFICATE_CERTBOT": str(self.folder / "certbot"),
            "RELAY_CERTIFICATE_RUN": str(self.folder / "run"),
            "CALLS": str(self.folder / "calls"),
            "MAIL": str(self.folder / "mail"),
            "ISSUED": str(self.folder / "issued.pem"),
            **more,
        }

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, str(PROGRAM), *arguments]
        return subprocess.run(
            argv, env=self.environment(**more), capture_output=True, text=True, timeout=60, check=False
        )

    def calls(self, program: str) -> list[str]:
        found = self.folder / "calls"
        lines = found.read_text().splitlines() if found.exists() else []
        return [line for line in lines if line.startswith(f"{program} ") and "--version" not in line]

    def left_over(self) -> list[str]:
        return [path.name for path in self.file.parent.iterdir() if path.name.endswith(".new")]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    for name in ("home", "bin", "certbot"):
        (tmp_path / name).mkdir()
    for name in ("certbot", "sendmail", "systemctl", "postconf", "doveconf", "ss", "ip"):
        (tmp_path / "bin" / name).write_text(RECORDER)
        (tmp_path / "bin" / name).chmod(0o755)
    return Host(tmp_path)


def issue(path: Path, name: str = NAME, begins: float = -1, ends: float = 60) -> str:
    """Write a certificate with its key, and return the text.

    :param begins, ends: days from now.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=begins))
        .not_valid_after(now + datetime.timedelta(days=ends))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(certificate.public_bytes(encoding) + private)
    return path.read_text()


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


def test_missing_file_and_file_without_key_are_named(host: Host) -> None:
    host.write(host.settings())
    assert f"{host.source}: No such file or directory; expected a file of this host" in host.run("install").stderr
    text = issue(host.source)
    host.source.write_text(text.partition("-----BEGIN PRIVATE")[0])
    assert "has no private key in PEM format" in host.run("install").stderr


@pytest.mark.parametrize("moment", ["put_in_place", "judge"])
def test_killed_before_or_at_the_rename_leaves_a_whole_file_and_the_next_run_repairs(host: Host, moment: str) -> None:
    issue(host.source)
    host.write(host.settings())
    assert host.run("install").returncode == 0
    before = host.file.read_bytes()
    after = issue(host.source)
    stopped = (
        f"import os, signal, sys, relay_certificate as one\n"
        f"one.{moment} = lambda *given: os.kill(os.getpid(), signal.SIGKILL)\n"
        "one.main(['install'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", stopped],
        env=host.environment(PYTHONPATH=str(PROGRAM.parent)),
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert host.file.read_bytes() == before
    assert host.left_over() == [".relay.pem.new"]
    assert host.run("install").returncode == 0
    assert set(host.file.read_text().splitlines()) == set(after.splitlines())
    assert host.left_over() == []


def test_relay_has_a_self_signed_certificate_until_the_first_order(host: Host) -> None:
    host.write(host.acme())
    done = host.run("install")
    assert "self-signed certificate until the authority has issued one" in done.stdout
    assert host.calls("certbot") == []
    assert host.file.stat().st_mode & 0o777 == 0o600


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


def test_refused_order_says_why_and_leaves_the_relay_its_certificate(host: Host) -> None:
    host.write(host.acme())
    host.run("install")
    before = host.file.read_bytes()
    done = host.run("order", CERTBOT_FAILS="no A record for relay.a.test")
    assert done.returncode == 1
    assert "issued no certificate for relay.a.test: no A record for relay.a.test. The relay keeps" in done.stderr
    assert host.file.read_bytes() == before


def test_killed_order_does_not_break_the_next(host: Host) -> None:
    """certbot refuses a lineage whose directories exist without its configuration."""
    issue(host.folder / "issued.pem")
    for name in ("live", "archive"):
        (host.folder / "certbot" / name / "mailops-relay").mkdir(parents=True)
    host.write(host.acme())
    done = host.run("order")
    assert done.returncode == 0, done.stderr


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
    assert host.run("forget").returncode == 0
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
    found = json.loads(host.run("examine", json.dumps(host.settings())).stdout)
    assert found == {"problems": [], "due": f"{host.file} does not have the current certificate", "installed": False}
    host.source.write_text(text.partition("-----BEGIN CERT")[0])
    (problem,) = json.loads(host.run("examine", json.dumps(host.settings())).stdout)["problems"]
    assert problem.startswith("relay_tls: ")
    found = json.loads(host.run("examine", json.dumps(host.acme(names=["relay.invalid"]))).stdout)
    (problem,) = found["problems"]
    assert problem.startswith("relay_tls.acme.names: relay.invalid has no address in the DNS, so the authority cannot")
    assert found["due"].startswith("the authority has not issued a certificate for relay.invalid yet")
    assert not host.file.exists()


def test_two_runs_wait_for_each_other(host: Host) -> None:
    issue(host.source)
    host.write(host.settings())
    argv = [sys.executable, str(PROGRAM), "install"]
    began = time.monotonic()
    runs = [subprocess.Popen(argv, env=host.environment(), stdout=subprocess.DEVNULL) for _number in range(4)]
    assert [one.wait(timeout=60) for one in runs] == [0, 0, 0, 0]
    assert time.monotonic() - began < 60
    assert host.left_over() == []
