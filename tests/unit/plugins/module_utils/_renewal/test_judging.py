# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What files of a host may be the certificate of a relay, and what is said of the others.

Covers judging.py, tls.py and the reading of files.py.
"""

from __future__ import annotations

import datetime
import os
import typing as t
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from ansible_collections.mailops.smtp.plugins.module_utils._renewal.judging import candidate, judge
from ansible_collections.mailops.smtp.plugins.module_utils._renewal.places import Trouble

NAME = "relay.a.test"
PEM = serialization.Encoding.PEM
PKCS8, TRADITIONAL = serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL
PASSWORD = serialization.BestAvailableEncryption(b"secret")
KEYS: dict[str, t.Callable[[], t.Any]] = {
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}
AUTHORITY = ec.generate_private_key(ec.SECP256R1())


def made(
    kind: str = "ec",
    form: serialization.PrivateFormat = PKCS8,
    locked: serialization.KeySerializationEncryption | None = None,
    names: t.Sequence[str] = (NAME,),
    days: tuple[float, float] = (-1, 60),
    common: str = NAME,
) -> tuple[bytes, bytes]:
    """Return key and certificate; with ``locked`` the key is encrypted."""
    key = KEYS[kind]()
    certificate = _signed(key.public_key(), common, AUTHORITY, names, days)
    return key.private_bytes(PEM, form, locked or serialization.NoEncryption()), certificate


def root() -> bytes:
    return _signed(AUTHORITY.public_key(), "Authority", AUTHORITY, (), (-9, 900))


def _signed(public: t.Any, common: str, by: t.Any, names: t.Sequence[str], days: tuple[float, float]) -> bytes:
    now = datetime.datetime.now(datetime.UTC)
    subject, issuer = (x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, one)]) for one in (common, "Authority"))
    begins, ends = (now + datetime.timedelta(days=one) for one in days)
    builder = x509.CertificateBuilder(issuer, subject, public, x509.random_serial_number(), begins, ends)
    if names:
        alternatives = x509.SubjectAlternativeName([x509.DNSName(one) for one in names])
        builder = builder.add_extension(alternatives, critical=False)
    return builder.sign(by, hashes.SHA256()).public_bytes(PEM)


def joined(*parts: bytes, **options: t.Any) -> bytes:
    """Return a new key and certificate with other parts, in the order of ``order``."""
    return b"".join([*made(**options), *parts])


def judged(path: Path, name: str = NAME) -> str:
    """Return what is wrong with a file; empty if nothing is."""
    source = {"chain": str(path), "key": str(path)}
    try:
        judge(candidate(source), str(path), [name])
    except Trouble as trouble:
        return str(trouble)
    return ""


def test_encrypted_key_is_told_with_its_own_path(tmp_path: Path) -> None:
    key, certificate = made(locked=PASSWORD)
    source = {"chain": str(tmp_path / "chain.pem"), "key": str(tmp_path / "key.pem")}
    Path(source["chain"]).write_bytes(certificate)
    Path(source["key"]).write_bytes(key)
    with pytest.raises(Trouble, match=f"^{source['key']}: the key is encrypted"):
        candidate(source)


GOOD: dict[str, t.Callable[[], bytes]] = {
    "RSA, PKCS#8": lambda: joined(kind="rsa"),
    "RSA, traditional": lambda: joined(kind="rsa", form=TRADITIONAL),
    "EC, traditional, with its parameters": lambda: (
        b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + joined(form=TRADITIONAL)
    ),
    "Ed25519": lambda: joined(kind="ed25519"),
    "certificate before key": lambda: b"".join(reversed(made())),
    "with its root": lambda: joined(root()),
    "line ends of Windows": lambda: joined(root()).replace(b"\n", b"\r\n"),
    "line ends of old Macs": lambda: joined(root()).replace(b"\n", b"\r"),
    "text around the blocks": lambda: b"Bag Attributes\n  k\xc3\xb6y: 01\n" + joined() + b"end",
    "no line end at the end": lambda: joined().rstrip(),
    "wildcard": lambda: joined(names=["*.a.test"]),
    "one of several names, in upper case": lambda: joined(names=["a.test", "RELAY.a.test"]),
    "common name, without other names": lambda: joined(names=()),
}


@pytest.mark.parametrize("name", GOOD)
def test_file_that_postfix_can_use(tmp_path: Path, name: str) -> None:
    (tmp_path / "own.pem").write_bytes(GOOD[name]())
    assert judged(tmp_path / "own.pem") == ""
    text = candidate(dict.fromkeys(("chain", "key"), str(tmp_path / "own.pem")))
    assert text.startswith("-----BEGIN ")
    assert "PRIVATE KEY" in text.partition("\n")[0]
    assert text.isascii()
    assert not {"\r", "Bag Attributes"} & set(text.splitlines())


def _mixed() -> bytes:
    return made()[0] + made()[1]


BAD: list[tuple[str, t.Callable[[], bytes], str]] = [
    ("nothing", lambda: b"", "has no certificate in PEM format"),
    ("a certificate in DER", lambda: b"0\x82\x01\x00", "has no certificate in PEM format"),
    ("UTF-16", lambda: joined().decode().encode("utf-16"), "has no certificate in PEM format"),
    ("no key", lambda: made()[1], "has no private key in PEM format"),
    ("the key of another one", _mixed, "the key is not that of the certificate"),
    (
        "the chain in the wrong order",
        lambda: (parts := made())[0] + root() + parts[1],
        "expected the key that the certificate was requested with, and the relay's own certificate before its chain",
    ),
    ("an encrypted key, PKCS#8", lambda: joined(locked=PASSWORD), "the key is encrypted, and Postfix cannot ask"),
    (
        "an encrypted key, traditional",
        lambda: joined(form=TRADITIONAL, locked=PASSWORD),
        "the key is encrypted, and Postfix cannot ask",
    ),
    ("a damaged certificate", lambda: joined().replace(b"CERTIFICATE-----\nMII", b"CERTIFICATE-----\nAAA"), "damaged"),
    ("a damaged key", lambda: joined().replace(b"KEY-----\nMI", b"KEY-----\nAA"), "damaged"),
    ("expired", lambda: joined(days=(-9, -0.5)), "the certificate expired on"),
    ("not valid yet", lambda: joined(days=(1 / 24, 9)), "of this host is wrong, correct it ('timedatectl' shows"),
    ("other names", lambda: joined(names=["a.test", "b.test"]), f"is not for {NAME}, which clients connect to"),
    ("other names, listed", lambda: joined(names=["a.test", "b.test"]), "It is for a.test, b.test."),
    ("a wildcard of its domain", lambda: joined(names=["*.test"]), f"is not for {NAME}"),
    ("another common name", lambda: joined(names=(), common="mx.a.test"), "It is for mx.a.test."),
    ("too large", lambda: joined() + b"x" * 10_000_000, "Has more than 10000000 octets"),
]


@pytest.mark.parametrize(("make", "words"), [one[1:] for one in BAD], ids=[one[0] for one in BAD])
def test_file_that_postfix_cannot_use_is_told_in_a_sentence(
    tmp_path: Path, make: t.Callable[[], bytes], words: str
) -> None:
    path = tmp_path / "own.pem"
    path.write_bytes(make())
    told = judged(path)
    assert words in told
    assert told.startswith(f"{path}: ")
    assert "PRIVATE KEY-" not in told


def test_name_of_another_alphabet_is_compared_in_its_ascii_form(tmp_path: Path) -> None:
    (tmp_path / "own.pem").write_bytes(joined(names=["xn--bcher-kva.test"]))
    assert judged(tmp_path / "own.pem", "xn--bcher-kva.test") == ""


def _link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


#: What a path can be in place of a file.
PLACES: list[tuple[str, t.Callable[[Path], None], str]] = [
    ("nothing", lambda path: None, "No such file or directory"),
    ("a loop of links", _link_to_itself, "Too many levels of symbolic links"),
    ("a directory", lambda path: path.mkdir(), "Is a directory"),
    ("a pipe", os.mkfifo, "Is not a file"),
    ("a device", lambda path: path.symlink_to("/dev/zero"), "Is not a file"),
    ("below a file", lambda path: path.symlink_to("/etc/passwd/x"), "Not a directory"),
]


@pytest.mark.parametrize(("place", "words"), [one[1:] for one in PLACES], ids=[one[0] for one in PLACES])
def test_what_is_not_a_file_is_told_and_never_waited_for(
    tmp_path: Path, place: t.Callable[[Path], None], words: str
) -> None:
    path = tmp_path / "own.pem"
    place(path)
    assert judged(path).startswith(f"{path}: {words}; expected a file of this host with the ")


#: Modes of the directory and of the file -> which of both every user can replace
MODES = [(0o755, 0o644, ""), (0o755, 0o646, "own.pem"), (0o777, 0o600, "."), (0o1777, 0o600, "")]


@pytest.mark.parametrize(("folder", "file", "place"), MODES)
def test_file_that_every_user_can_replace_is_refused(tmp_path: Path, folder: int, file: int, place: str) -> None:
    (tmp_path / "own").mkdir()
    path = tmp_path / "own/own.pem"
    path.write_bytes(joined())
    path.chmod(file)
    path.parent.chmod(folder)
    link = tmp_path / "link.pem"
    link.symlink_to(path)
    for asked in (path, link):
        told = judged(asked)
        if place:
            assert f"every user of this host can write to {os.path.normpath(path.parent / place)};" in told
        else:
            assert told == ""
