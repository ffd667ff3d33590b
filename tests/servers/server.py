# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that others wrote, each started for one test on a port of the loopback, with STARTTLS and the login PLAIN.

A server's configuration is the folder ``config/NAME``. Its messages have arrived when they are files in one folder.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
import typing as t
from pathlib import Path

USERNAME, PASSWORD = "app", "correct-horse-41"
HERE = Path(__file__).parent
SERVERS = HERE.parents[1] / ".build/servers"
# Sendmail's queue files have flags before the name of a header field.
_MESSAGE_ID = re.compile(rb"^(?:H\?\S*\?)?Message-ID:\s*(<[^>]+>)", re.IGNORECASE | re.MULTILINE)
START = 15.0


class Server(t.NamedTuple):
    """A server.

    :param origin: ``npm`` or ``debian``.
    :param queue_id: what its reply to a message has as queue ID.
    :param login: whether it offers TLS and a login.
    :param takes_ahead: whether it takes commands behind the end of a message; None if it does not offer PIPELINING.
    """

    name: str
    origin: str
    queue_id: str
    login: bool = True
    takes_ahead: bool | None = True


class Unavailable(Exception):
    """The server cannot be had or run on this machine."""


class Running(t.NamedTuple):
    """A server that accepts connections.

    :param arrived: the folder with its messages.
    """

    port: int
    arrived: Path

    def arrived_of(self, sent: t.Collection[str], patience: float = 20) -> list[str]:
        """Return the Message-ID of each message that arrived, if it is one of ``sent``.

        Some servers deliver after their reply: this waits until as many have arrived.
        """
        end = time.monotonic() + patience
        while True:
            with contextlib.suppress(FileNotFoundError):  # a message moves from tmp to new in a maildir
                contents = [path.read_bytes() for path in self.arrived.rglob("*") if path.is_file()]
                found = [one.decode() for content in contents for one in _MESSAGE_ID.findall(content)]
                arrived = [one for one in found if one in sent]
                if len(arrived) >= len(sent) or time.monotonic() > end:
                    return arrived
            time.sleep(0.1)


@contextlib.contextmanager
def running(server: Server, pem: bytes, folder: Path) -> t.Iterator[Running]:
    """Run a server.

    :param pem: its key and certificate.
    :param folder: an empty folder for its configuration, log and messages.
    :raises Unavailable: it cannot be had on this machine.
    """
    command = _command(server, folder)
    port = _free_port()
    arrived = folder / "arrived"
    arrived.mkdir()
    values = {"PORT": str(port), "USERNAME": USERNAME, "PASSWORD": PASSWORD, "PEM": str(folder / "root/etc/server.pem")}
    _configure(HERE / "config" / server.name, folder / "root", values)
    (folder / "root/etc").mkdir(exist_ok=True)
    (folder / "root/etc/server.pem").write_bytes(pem)
    (folder / "root/etc/server.pem").chmod(0o600)
    environment = {
        "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin",
        "NODE_PATH": str(SERVERS / "npm/node_modules"),
        "HARAKA": str(folder / "root"),
        "ARRIVED": str(arrived),
    }
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            command, cwd=folder / "root", env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        ) as process,
    ):
        try:
            _wait_for_greeting(process, port, folder / "log")
            yield Running(port, arrived)
        finally:
            process.kill()  # the first process of a namespace ignores SIGTERM; all others end with it


def _command(server: Server, folder: Path) -> list[str]:
    source = server.name if server.origin == "debian" else "npm"
    reason = SERVERS / f"{source}.missing"
    if reason.exists():
        raise Unavailable(reason.read_text().strip())
    if server.name == "haraka":
        return ["node", str(SERVERS / "npm/node_modules/Haraka/haraka.js")]
    if server.name == "smtp-server":
        return ["node", "server.js"]
    # Debian's servers want their own users and fixed paths: they get them in a mount namespace.
    namespace = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
    if os.getuid() != 0:
        namespace[1:1] = ["--user", "--map-root-user", "--map-auto"]
    try:
        subprocess.run([*namespace, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", b"").decode().strip() or error
        raise Unavailable(f"no mount namespace to run it in: {said}") from None
    return [*namespace, str(HERE / "overlay"), str(folder), str(SERVERS / server.name)]


def _configure(source: Path, target: Path, values: dict[str, str]) -> None:
    """Copy a folder, and replace ``@NAME@`` in its files."""
    shutil.copytree(source, target)
    for path in [path for path in target.rglob("*") if path.is_file()]:
        text = path.read_text()
        for name, value in values.items():
            text = text.replace(f"@{name}@", value)
        path.write_text(text)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for_greeting(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as connection:
            if connection.recv(4) == b"220 ":
                connection.sendall(b"QUIT\r\n")
                return
        time.sleep(0.1)
    raise AssertionError(f"the server did not start:\n{log.read_text(errors='replace')[-4000:]}")
