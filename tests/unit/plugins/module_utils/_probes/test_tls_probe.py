# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS versions and weak suites, against OpenSSL's own server; and answers to a ClientHello that are damaged.

Covers _probes/tls_probe.py, _probes/hello.py and _probes/suites.py.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._evidence.smtp_probes import SmtpProbes, TlsOfferFacts
from ansible_collections.mailops.smtp.plugins.module_utils._probes.hello import NotTls, client_hello, read_answer
from ansible_collections.mailops.smtp.plugins.module_utils._probes.lines import ProbeOptions
from ansible_collections.mailops.smtp.plugins.module_utils._probes.probes import run_probes
from ansible_collections.mailops.smtp.plugins.module_utils._probes.suites import SUITES, VERSIONS, WEAK, weak_groups
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.settings import ServerSettings
from ansible_collections.mailops.smtp.tests.fault.peer import Fault, Peer
from ansible_collections.mailops.smtp.tests.unit.support.authority import Authority, authority_for
from ansible_collections.mailops.smtp.tests.unit.support.probed import IMPLICIT, STARTTLS, by_path, probe

OPENSSL = shutil.which("openssl")
#: The suites that OpenSSL 3 still has, all allowed.
ALL = "ALL:eNULL:@SECLEVEL=0"
WITHOUT_WEAKNESS = dict.fromkeys(WEAK, False)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority_for("localhost", tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of RSA 2048 and its key, in one file."""
    folder = tmp_path_factory.mktemp("openssl")
    both = folder / "both.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 9 -subj /CN=localhost"
    subprocess.run([*command.split()], cwd=folder, check=True, capture_output=True)
    both.write_text((folder / "cert.pem").read_text() + (folder / "key.pem").read_text())
    return both


@contextlib.contextmanager
def openssl_server(certificate: Path, *options: str) -> t.Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", str(certificate), *options]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            for _attempt in range(100):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.05)
            yield port
        finally:
            server.kill()


def ask(port: int, connections: int = 30) -> tuple[SmtpProbes, dict[str, str]]:
    facts, unknown = run_probes(
        ServerSettings("127.0.0.1", port, IMPLICIT, timeout=5), ["tls"], ProbeOptions(connections=connections)
    )
    return facts, by_path(unknown)


def versions(tls: TlsOfferFacts | None) -> list[str]:
    return [one.version for one in tls.versions if one.accepted] if tls else []


def weak(tls: TlsOfferFacts | None, version: str) -> list[str]:
    found = {one.version: one.weak for one in tls.versions} if tls else {}
    return [group for group, accepted in found[version].items() if accepted]


#: Options of the server -> versions, weak groups of the newest one before TLS 1.3, connections.
SERVERS: list[tuple[tuple[str, ...], list[str], list[str], int]] = [
    ((), ["TLSv1.2", "TLSv1.3"], ["CBC"], 4),
    (("-tls1_2", "-cipher", "ECDHE+AESGCM"), ["TLSv1.2"], [], 5),
    (("-tls1_2", "-cipher", "ECDHE+AESGCM:ECDHE+AES"), ["TLSv1.2"], ["CBC"], 4),
    (("-tls1_2", "-cipher", "ADH-AES128-GCM-SHA256:ECDHE+AESGCM:@SECLEVEL=0"), ["TLSv1.2"], ["ANON"], 6),
    (("-tls1_2", "-cipher", "NULL-SHA256:ECDHE+AESGCM:@SECLEVEL=0"), ["TLSv1.2"], ["NULL"], 5),
    (("-tls1_3",), ["TLSv1.3"], [], 3),
    (("-tls1", "-cipher", ALL), ["TLSv1.0"], ["NULL", "ANON", "CBC"], 8),
    (("-tls1_1", "-cipher", ALL), ["TLSv1.1"], ["NULL", "ANON", "CBC"], 8),
    (("-cipher", ALL), ["TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"], ["NULL", "ANON", "CBC"], 16),
]


@pytest.mark.skipif(OPENSSL is None, reason="needs openssl")
@pytest.mark.parametrize(("options", "accepted", "groups", "connections"), SERVERS)
def test_versions_and_weak_groups(
    certificate: Path, options: tuple[str, ...], accepted: list[str], groups: list[str], connections: int
) -> None:
    with openssl_server(certificate, *options) as port:
        facts, unknown = ask(port)
    assert versions(facts.tls) == accepted
    assert [*unknown] == (["probes.tls.certificate"] if accepted == ["TLSv1.3"] else [])
    older = [one for one in accepted if one != "TLSv1.3"]
    if older:
        assert weak(facts.tls, older[-1]) == groups
        assert facts.tls
        own = facts.tls.certificate
        assert own
        assert (own.key_type, own.key_bits, own.signature_hash) == ("rsa", 2048, "sha256")
    assert facts.connections <= connections


@pytest.mark.skipif(OPENSSL is None, reason="needs openssl")
def test_what_there_is_no_connection_for_is_not_known(certificate: Path) -> None:
    with openssl_server(certificate) as port:
        facts, unknown = ask(port, connections=2)
    assert facts.tls
    assert {one.version: one.accepted for one in facts.tls.versions} == {
        "SSLv3": False,
        "TLSv1.0": False,
        "TLSv1.1": False,
        "TLSv1.2": None,
        "TLSv1.3": None,
    }
    assert "no connection was left of the 2" in unknown["probes.tls.versions[3].weak.CBC"]
    assert "probes.tls.versions[3].weak.RC4" not in unknown


@pytest.mark.skipif(OPENSSL is None, reason="needs openssl")
def test_key_exchange_is_read(certificate: Path) -> None:
    with openssl_server(certificate, "-tls1_2", "-groups", "P-384") as port:
        facts, _unknown = ask(port)
    assert facts.tls
    seen = {(one.group, one.signature) for one in facts.tls.handshakes if one.version}
    assert ("secp384r1", "rsa_pss_rsae_sha256") in seen


def test_starttls_server_is_asked_behind_starttls(authority: Authority) -> None:
    with Peer(tls=authority.server) as peer:
        facts, unknown = probe(peer, "tls", tls=STARTTLS, connections=10)
    assert (versions(facts.tls), unknown) == (["TLSv1.2", "TLSv1.3"], {})
    assert peer.commands.count("STARTTLS") == peer.connections
    assert facts.tls
    own = facts.tls.certificate
    assert own
    assert (own.key_type, own.key_curve, own.sha256) == ("ec", "P-256", authority.digest)


def test_version_of_another_session_need_not_be_asked_for(authority: Authority) -> None:
    with Peer(tls=authority.server, replies={"RCPT": "554 5.7.1 no"}) as peer:
        facts, unknown = probe(peer, "relay", "tls", tls=STARTTLS)
    assert (versions(facts.tls), unknown, peer.connections) == (["TLSv1.2", "TLSv1.3"], {}, 5)


#: What a server does -> part of the reason.
NO_TLS: list[tuple[dict[str, t.Any], str]] = [
    ({}, "does not offer STARTTLS"),
    ({"extensions": ["STARTTLS"], "replies": {"STARTTLS": "454 4.7.0 TLS not available"}}, "refuses STARTTLS"),
    ({"extensions": ["STARTTLS"]}, "cannot be read"),  # the reply 250, then SMTP in place of TLS
    ({"replies": {"GREETING": "421 busy"}}, "421 busy"),
]


@pytest.mark.parametrize(("options", "reason"), NO_TLS)
def test_server_without_tls(options: dict[str, t.Any], reason: str) -> None:
    with Peer(**options) as peer:
        facts, unknown = probe(peer, "tls", tls=STARTTLS, timeout=1)
    assert facts.tls is None
    assert reason in unknown["probes.tls"]


@pytest.mark.parametrize("fault", [Fault.CLOSE, Fault.RESET, Fault.STALL])
def test_server_that_closes_each_handshake_proves_nothing(authority: Authority, fault: Fault) -> None:
    with Peer(tls=authority.server, faults={"TLS": fault}) as peer:
        facts, unknown = probe(peer, "tls", tls=STARTTLS, timeout=0.5, connections=10, seconds=3)
    assert facts.tls is None or {one.accepted for one in facts.tls.versions} == {None}
    assert "probes.tls" in unknown or "probes.tls.versions[0].accepted" in unknown


# The suites


def test_each_group_has_suites() -> None:
    found = {group for name in SUITES.values() for group in weak_groups(name)}
    assert found == set(WEAK)
    assert len(set(SUITES.values())) == len(SUITES)


GROUPS_OF = [
    ("TLS_RSA_EXPORT_WITH_RC4_40_MD5", ("EXPORT", "RC4")),
    ("TLS_RSA_WITH_NULL_SHA256", ("NULL",)),
    ("TLS_DH_anon_WITH_AES_128_GCM_SHA256", ("ANON",)),
    ("TLS_ECDH_anon_WITH_3DES_EDE_CBC_SHA", ("3DES", "ANON")),
    ("TLS_RSA_WITH_DES_CBC_SHA", ("DES",)),
    ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", ("CBC",)),
    ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", ()),
    ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", ()),
]


@pytest.mark.parametrize(("name", "groups"), GROUPS_OF)
def test_weak_groups_of_a_suite(name: str, groups: tuple[str, ...]) -> None:
    assert name in SUITES.values()
    assert weak_groups(name) == groups


@pytest.mark.skipif(OPENSSL is None, reason="needs openssl")
def test_names_and_numbers_are_those_of_openssl() -> None:
    listed = subprocess.run(
        ["openssl", "ciphers", "-V", "-stdname", ALL], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    known = {}
    for line in listed:
        numbers, _dash, name = line.split()[:3]
        known[int("".join(one.removeprefix("0x") for one in numbers.split(",")), 16)] = name
    assert {number: name for number, name in SUITES.items() if number in known} == {
        number: known[number] for number in SUITES if number in known
    }
    assert len([number for number in SUITES if number in known]) > 40


# The octets


def reader(data: bytes) -> t.Callable[[], bytes]:
    """Return a stream that has these octets and then ends."""
    parts = [data[at : at + 7] for at in range(0, len(data), 7)]
    return lambda: parts.pop(0) if parts else b""


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["mx.peer.test", "192.0.2.1", "2001:db8::1", ""])
def test_lengths_of_a_client_hello(version: str, name: str) -> None:
    hello = client_hello(version, SUITES, name)
    assert int.from_bytes(hello[3:5], "big") == len(hello) - 5
    assert int.from_bytes(hello[6:9], "big") == len(hello) - 9
    assert (b"mx.peer.test" in hello) is (name == "mx.peer.test" and version != "SSLv3")


@given(st.binary(max_size=400), st.sampled_from([b"", b"\x16\x03\x03", b"\x15\x03\x03\0\2\2"]))
def test_any_answer_is_read_or_refused(data: bytes, start: bytes) -> None:
    try:
        answer = read_answer(reader(start + data))
    except NotTls:
        return
    assert answer.complete


@given(st.data())
def test_damaged_server_hello(data: st.DataObject) -> None:
    body = b"\3\3" + bytes(32) + b"\0" + b"\xc0\x2f" + b"\0" + b"\0\0"
    message = b"\2" + len(body).to_bytes(3, "big") + body + b"\x0c" + b"\0\0\x05" + b"\3\0\x1d\0\0" + b"\x0e\0\0\0"
    octets = bytearray(b"\x16\3\3" + len(message).to_bytes(2, "big") + message)
    octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(NotTls):
        assert read_answer(reader(bytes(octets))).complete


def test_endless_answer_is_bounded() -> None:
    with pytest.raises(NotTls, match="longer than"):
        read_answer(lambda: b"\x17\3\3\x40\0" + bytes(0x4000))


#: The first octets of other answers.
OTHERS = [b"220 mx.peer.test ESMTP\r\n", b"HTTP/1.1 400 Bad Request\r\n", b"-ERR\r\n", b"\0\0\0\0\0\0"]


@pytest.mark.parametrize("octets", OTHERS)
def test_answer_that_is_not_tls(octets: bytes) -> None:
    with pytest.raises(NotTls, match="not TLS"):
        read_answer(reader(octets))


#: Alerts -> what is told.
ALERTS = [
    (b"\2\x46", "alert protocol_version"),
    (b"\2\x28", "alert handshake_failure"),
    (b"\2\xfe", "alert 254"),
    (b"\1\0", "alert close_notify"),
    (b"\1\x70", "it closed the connection"),  # only a warning
]


@pytest.mark.parametrize(("alert", "told"), ALERTS)
def test_alert(alert: bytes, told: str) -> None:
    assert read_answer(reader(b"\x15\3\1\0\2" + alert)).refusal == told
