# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What smtp_send says about unusable files, sockets and proxies: option, path, what was expected.

This covers server.py, message.py and send.py, and the rooms below them as far as a user reads them.
"""

from __future__ import annotations

import json
import os
import socket
import typing as t
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from ansible_collections.mailops.smtp.plugins.module_utils._module.send import SEND_SPEC
from ansible_collections.mailops.smtp.tests.fault.peer import Peer

Run = t.Callable[..., dict[str, t.Any]]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with good and bad files."""
    folder = tmp_path_factory.mktemp("pki")
    ca = trustme.CA()
    for name in ("client", "other"):
        leaf = ca.issue_cert(f"{name}@a.test")
        leaf.private_key_pem.write_to_path(folder / f"{name}.key")
        leaf.private_key_and_cert_chain_pem.write_to_path(folder / f"{name}-both.pem")
        (folder / f"{name}.pem").write_bytes(leaf.cert_chain_pems[0].bytes())
        key = serialization.load_pem_private_key(leaf.private_key_pem.bytes(), None)
        kept = serialization.BestAvailableEncryption(b"pass")
        (folder / f"{name}-locked.key").write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, kept)
        )
        (folder / f"{name}-locked-old.key").write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, kept)
        )
    ca.cert_pem.write_to_path(folder / "ca.pem")
    (folder / "empty").write_text("")
    (folder / "text.pem").write_text("not a certificate\n")
    (folder / "binary.der").write_bytes(bytes(range(256)))
    (folder / "damaged.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    (folder / "damaged.key").write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    (folder / "bare").mkdir()
    (folder / "unhashed").mkdir()
    ca.cert_pem.write_to_path(folder / "unhashed/ca.pem")
    (folder / "hashed").mkdir()
    ca.cert_pem.write_to_path(folder / "hashed/1a2b3c4d.0")
    return folder


BOTH = {"client_cert": "client.pem", "client_key": "client.key"}
#: Options with the names of files, and what the error says; None if they can be used.
TLS_FILES: list[tuple[dict[str, str], str | None]] = [
    ({"ca_file": "ca.pem"}, None),
    ({"ca_file": "nowhere"}, "ca_file {}/nowhere cannot be read: No such file or directory; expected a file in PEM"),
    ({"ca_file": "bare"}, "ca_file {}/bare cannot be read: Is a directory"),
    ({"ca_file": "empty"}, "ca_file {}/empty has no certificate in PEM form; expected -----BEGIN CERTIFICATE-----"),
    ({"ca_file": "text.pem"}, "ca_file {}/text.pem has no certificate in PEM form"),
    ({"ca_file": "binary.der"}, "ca_file {}/binary.der has no certificate in PEM form"),
    ({"ca_file": "client.key"}, "ca_file {}/client.key has no certificate in PEM form"),
    ({"ca_file": "damaged.pem"}, "ca_file {}/damaged.pem cannot be used: PEM is damaged"),
    ({"ca_path": "hashed"}, None),
    ({"ca_path": "nowhere"}, "ca_path {}/nowhere cannot be read: No such file or directory; expected a directory"),
    ({"ca_path": "ca.pem"}, "ca_path {}/ca.pem cannot be read: Not a directory"),
    ({"ca_path": "bare"}, "ca_path {}/bare has no certificate that OpenSSL finds"),
    (
        {"ca_path": "unhashed"},
        "ca_path {}/unhashed has no certificate that OpenSSL finds; expected PEM files with names",
    ),
    (BOTH, None),
    ({"client_cert": "client-both.pem"}, None),
    ({"client_cert": "client.pem"}, "client_cert {}/client.pem has no private key in PEM form; set client_key"),
    ({"client_cert": "client.key"}, "client_cert {}/client.key has no certificate in PEM form"),
    ({"client_cert": "nowhere"}, "client_cert {}/nowhere cannot be read: No such file"),
    ({**BOTH, "client_key": "nowhere"}, "client_key {}/nowhere cannot be read: No such file"),
    ({**BOTH, "client_key": "client.pem"}, "client_key {}/client.pem has no private key in PEM form; expected -----"),
    ({**BOTH, "client_key": "text.pem"}, "client_key {}/text.pem has no private key in PEM form"),
    ({**BOTH, "client_key": "other.key"}, "client_cert {0}/client.pem and client_key {0}/other.key do not belong"),
    ({**BOTH, "client_key": "client-locked.key"}, "the key in client_key {}/client-locked.key has a pass phrase"),
    (
        {**BOTH, "client_key": "client-locked-old.key"},
        "the key in client_key {}/client-locked-old.key has a pass phrase",
    ),
    (
        {**BOTH, "client_key": "damaged.key"},
        "client_cert {0}/client.pem and client_key {0}/damaged.key cannot be used: PEM is",
    ),
    (
        {**BOTH, "client_cert": "damaged.pem"},
        "client_cert {0}/damaged.pem and client_key {0}/client.key cannot be used",
    ),
]


@pytest.mark.parametrize(("files", "words"), TLS_FILES)
def test_unusable_tls_file_is_named_with_its_option(
    run: Run, pki: Path, files: dict[str, str], words: str | None
) -> None:
    given = {option: str(pki / name) for option, name in files.items()}
    result = run(None, tls="starttls", _check=True, **given)
    assert bool(result.get("failed")) is (words is not None), result
    if words:
        assert result["msg"].startswith(f"Nothing was sent: {words.format(pki)}")
        assert "_ssl" not in result["msg"]
        assert "[" not in result["msg"]


@pytest.mark.parametrize("name", ["nowhere", "text.pem", "damaged.pem"])
def test_unusable_authority_of_the_token_server_is_named(run: Run, pki: Path, name: str) -> None:
    oauth = {
        "token_url": "https://127.0.0.1:1/",
        "client_id": "c",
        "client_secret": "hidden",
        "ca_file": str(pki / name),
    }
    result = run(None, username="u", oauth=oauth, tls="starttls")
    assert result["msg"].startswith(f"Nothing was sent: oauth.ca_file {pki / name} ")


# Sockets and proxies


def sockets(folder: Path) -> dict[str, Path]:
    """Paths that are not sockets with a server."""
    closed = socket.socket(socket.AF_UNIX)
    closed.bind(str(folder / "closed"))
    closed.close()
    (folder / "file").write_text("")
    return {name: folder / name for name in ("closed", "file", "nowhere", "file/below")}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere", "stage connect: the socket does not exist. Check unix_socket"),
        ("file/below", "stage connect: the socket does not exist: a part of its path is not a directory"),
        ("closed", "stage connect: no server listens on the socket. Check unix_socket"),
        ("file", "stage connect: no server listens on the socket. Check unix_socket"),
    ],
)
def test_unusable_unix_socket_is_told_as_what_it_is(run: Run, tmp_path: Path, name: str, words: str) -> None:
    path = sockets(tmp_path)[name]
    result = run(None, unix_socket=str(path))
    assert f"{path}, {words}" in result["msg"]
    assert "firewall" not in result["msg"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to every socket")
def test_forbidden_unix_socket(run: Run, tmp_path: Path) -> None:
    path = sockets(tmp_path)["closed"]
    path.chmod(0)
    assert "permission denied for the socket. Check unix_socket, and run" in run(None, unix_socket=str(path))["msg"]


@pytest.mark.parametrize("kind", ["socks5", "http"])
def test_error_of_a_proxy_names_its_address_and_the_option(run: Run, kind: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        result = run(None, proxy=f"{kind}://u:hidden-login@127.0.0.1:{port}")
    assert (
        f"stage connect: no connection to the proxy 127.0.0.1:{port}: Connection refused. Check proxy" in result["msg"]
    )
    with Peer() as peer:  # does not speak the protocol of a proxy
        result = run(None, proxy=f"{kind}://u:hidden-login@127.0.0.1:{peer.port}", connect_timeout=2)
    assert f"the proxy 127.0.0.1:{peer.port}" in result["msg"]
    assert "heck proxy" in result["msg"].replace("the option ", "")
    assert "hidden-login" not in json.dumps({**result, "invocation": None})


# Paths and pace

PATHS = [name for name, spec in SEND_SPEC["argument_spec"].items() if spec["type"] == "path"]


@pytest.mark.parametrize("option", [*PATHS, "attach", "attachments"])
def test_path_with_a_nul_is_refused_with_its_option(run: Run, option: str) -> None:
    more = {"client_key": {"client_cert": "/etc/hostname"}}.get(option, {})
    result = run(None, tls="starttls", **{option: "/a\0b", **more})
    assert result["failed"] is True
    assert option in result["msg"]
    assert "NUL" in result["msg"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"attach": "/nowhere"},
            "attach: the attachment /nowhere cannot be read: No such file or directory on the host",
        ),
        (
            {"attachments": [{"path": "nowhere"}]},
            "on the host that sends, looked for in {}; for a file on the controller",
        ),
        ({"inline": [{"path": "/nowhere", "cid": "c"}]}, "inline[0]: the attachment /nowhere cannot be read: "),
        (
            {"body_file": "/nowhere"},
            "body_file /nowhere cannot be read: No such file or directory on the host that sends",
        ),
        ({"html_file": "/nowhere"}, "html_file /nowhere cannot be read: No such file"),
        ({"messages_file": "/nowhere.csv"}, "messages_file /nowhere.csv cannot be read: No such file"),
        ({"messages_file": "/dev/null", "messages_format": "csv"}, "messages_file /dev/null is not a regular file"),
    ],
)
def test_missing_file_is_named_with_its_option_and_place(run: Run, options: dict[str, t.Any], words: str) -> None:
    assert words.format(os.getcwd()) in run(None, **options)["msg"]


@pytest.mark.parametrize(
    ("pace", "right"), [(0.5, True), (0.001, True), (0, False), (-1, False), (float("inf"), False)]
)
def test_pace_may_be_a_fraction(run: Run, pace: float, right: bool) -> None:
    result = run(None, _check=True, messages_per_minute=pace)
    assert bool(result.get("failed")) is not right
    assert right or "messages_per_minute is" in result["msg"]


@pytest.mark.parametrize("more", [{}, {"_check": True}, {"journal": "journal"}])
def test_no_messages_are_told_as_nothing_to_send(run: Run, tmp_path: Path, more: dict[str, t.Any]) -> None:
    if "journal" in more:
        more = {"journal": str(tmp_path / "journal")}
    with Peer() as peer:
        result = run(peer, messages=[], to=None, **more)
    assert (result["changed"], result.get("failed"), peer.connections) == (False, None, 0)
    assert result["msg"] == "Nothing to send, and no connection was opened: messages has no messages."
    assert (result["messages"], result["summary"]["sent"]) == ([], 0)
