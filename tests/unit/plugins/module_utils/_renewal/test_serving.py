# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services that read the certificate: a listener that shows it only after a reload, and what is said of others."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.tests.unit.support.renewing import Host, issue, new_host

#: What doveconf prints, by version.
CONFIGURED = {
    "2.3": "ssl_cert = <{file}\nssl_key = # hidden, use -P to show it\n",
    "2.4": "ssl = required\nssl_server {{\n  cert_file = {file}\n  key_file = {file}\n}}\n",
}
LISTENERS = """service imap-login {{
  inet_listener imap {{
    port = 143
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
service pop3-login {{
  inet_listener pop3s {{
    port = {closed}
    ssl = yes
  }}
}}
"""


class Dovecot(t.NamedTuple):
    """A listener with implicit TLS that shows the certificate of a file, which systemctl copies at a reload."""

    host: Host
    shown: Path

    def prepare(self, version: str, port: int, also: str = "") -> None:
        """Let doveconf name the file and the port."""
        (self.host.folder / "n").write_text(CONFIGURED[version].format(file=self.host.file) + also)
        (self.host.folder / "a").write_text(LISTENERS.format(port=port, closed=1))
        self._program("doveconf", f"cat {self.host.folder}/${{1#-}}")

    def reloads(self, works: bool = True) -> None:
        """Let a reload make it show the file, or nothing."""
        copy = f"cp {self.host.file} {self.shown}" if works else "true"
        self._program("systemctl", f'echo "systemctl $*" >>"$CALLS"; [ "$1" != reload ] || {copy}')

    def _program(self, name: str, line: str) -> None:
        (self.host.folder / "bin" / name).write_text(f"#!/bin/sh\n{line}\n")


@pytest.fixture
def dovecot(tmp_path: Path) -> Dovecot:
    return Dovecot(new_host(tmp_path), tmp_path / "shown.pem")


@pytest.fixture
def port(dovecot: Dovecot) -> t.Iterator[int]:
    """The port of the listener."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection = server.accept()[0]
                except OSError:  # the end
                    return
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(dovecot.shown)
                with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
                    secured.recv(1)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=10)


@pytest.mark.parametrize("version", CONFIGURED)
def test_dovecot_that_reads_the_file_is_reloaded_and_asked(dovecot: Dovecot, port: int, version: str) -> None:
    host = dovecot.host
    issue(host.source)
    issue(dovecot.shown)
    host.write(host.settings())
    dovecot.prepare(version, port)
    dovecot.reloads()
    done = host.run("install")
    assert (done.returncode, done.stderr) == (0, "")
    assert host.calls("systemctl") == [
        "systemctl is-active --quiet dovecot.service",
        "systemctl reload dovecot.service",
    ]
    assert dovecot.shown.read_text() == host.file.read_text()


def test_dovecot_that_missed_a_reload_is_found_by_the_next_run(dovecot: Dovecot, port: int) -> None:
    """An earlier run was killed after it had put the certificate in place."""
    host = dovecot.host
    issue(host.source)
    host.write(host.settings())
    assert host.run("install").returncode == 0
    issue(dovecot.shown)
    dovecot.prepare("2.4", port)
    dovecot.reloads()
    for _run in range(2):
        assert host.run("check").returncode == 0
    assert host.calls("systemctl").count("systemctl reload dovecot.service") == 1


def test_listener_that_keeps_its_old_certificate_is_told(dovecot: Dovecot, port: int) -> None:
    host = dovecot.host
    serving = host.folder / "lib/relay_certificate/_renewal/serving.py"
    serving.write_text(serving.read_text().replace("_SHOW = 30.0", "_SHOW = 0.5"))
    issue(host.source)
    issue(dovecot.shown)
    host.write(host.settings())
    dovecot.prepare("2.3", port)
    dovecot.reloads(works=False)
    done = host.run("install")
    assert done.returncode == 1
    assert f"Port {port} shows another certificate. Expected the certificate " in done.stderr
    assert "Restart dovecot.service, and see 'journalctl --unit=dovecot.service'." in done.stderr


@pytest.mark.parametrize(
    "block", ["local_name b.test {\n  ssl_cert = </etc/b.pem\n}\n", "alt_cert_file = /etc/b.pem\n"]
)
def test_dovecot_with_other_certificates_is_reloaded_and_not_asked(dovecot: Dovecot, port: int, block: str) -> None:
    host = dovecot.host
    issue(host.source)
    issue(dovecot.shown)
    host.write(host.settings())
    dovecot.prepare("2.3", port, block)
    dovecot.reloads(works=False)
    assert host.run("install").returncode == 0
    assert "systemctl reload dovecot.service" in host.calls("systemctl")


def test_dovecot_that_reads_another_file_is_left_alone(dovecot: Dovecot, port: int) -> None:
    host = dovecot.host
    issue(host.source)
    issue(dovecot.shown)
    host.write(host.settings())
    dovecot.prepare("2.3", port)
    (host.folder / "n").write_text(f"ssl_cert = <{host.file}.old\n")
    dovecot.reloads()
    assert host.run("install").returncode == 0
    assert host.calls("systemctl") == []
