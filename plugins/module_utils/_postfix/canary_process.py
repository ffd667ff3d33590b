# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of Postfix, and a Postfix beside the live one, from its start to its end."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import time
import typing as t
from contextlib import contextmanager

from .canary_config import SASL_SERVICE, Home
from .config import MasterEntry

#: Only root can write there, and nothing outlives a reboot.
_HOME = Home("/run/mailops-canary")
_LOCK = "/run/mailops-canary.lock"
#: A master(8) that nobody stopped ends by itself after these seconds.
_LIFETIME = 60
#: Seconds that a program, or the start or the end of a process may take on a busy host.
_PATIENCE = 10.0
_LINE = re.compile(r"(\S+\[\d+\]|^\S+): (.*)", re.MULTILINE)
#: A client that cannot read its authorities says so without calling it a warning.
_COMPLAINT = re.compile(r"(?:[0-9A-Za-z]+: )?(?:(?:warning|error|fatal|panic): |(?=.*: disabling TLS support\Z))(.*)")
_DIED = re.compile(r": (?:fatal|panic): |bad command startup")
#: Seconds for what still goes on when a process has died.
_GRACE = 2.0
#: ``error:CODE:LIBRARY:FUNCTION:REASON:...``, as OpenSSL has it.
_TLS_REASON = re.compile(r"TLS library problem: error:[^:]*:[^:]*:[^:]*:([^:]+)")


class CanaryError(Exception):
    """The configuration could not be judged; the text is a sentence."""


class Output(t.NamedTuple):
    """What a program said."""

    code: int
    output: str
    complaints: str


def run(*argv: str, patience: float = _PATIENCE, **environment: str) -> Output:
    """Run a program to its end.

    :raises CanaryError: it is not there, or does not end.
    """
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=patience,
            check=False,
            env=_environment(**environment),
        )
    except OSError as error:
        raise CanaryError(f"{argv[0]} cannot be run: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise CanaryError(f"{argv[0]} took more than {patience:g} s") from error
    return Output(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


def _environment(**more: str) -> dict[str, str]:
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", **more}


@contextmanager
def home() -> t.Iterator[Home]:
    """A directory to run one canary in; one at a time on a host. What an earlier one left is removed first.

    :raises CanaryError: it cannot be made: only root can.
    """
    try:
        with open(_LOCK, "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            cleanup()
            os.mkdir(_HOME.path)
            os.chmod(_HOME.path, 0o711)  # noqa: S103 - Postfix's unprivileged processes go through, and cannot look around
            try:
                yield _HOME
            finally:
                cleanup()
    except PermissionError as error:
        raise CanaryError(f"only root can try a configuration: {error.filename}: {error.strerror}") from error


def cleanup() -> None:
    """End every process of a canary and remove its directory, whoever left them."""
    _end_all(_HOME.path)
    shutil.rmtree(_HOME.path, ignore_errors=True)


def _end_all(path: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while _kill_all(path) and time.monotonic() < deadline:
        time.sleep(0.005)


def _kill_all(path: str) -> bool:
    """:returns: whether there was anything to kill: a process with a configuration below ``path``."""
    wanted = f"MAIL_CONFIG={path}/".encode()
    found = False
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as stream:
                ours = any(variable.startswith(wanted) for variable in stream.read().split(b"\0"))
            if ours and _depth(pid) == _depth("self"):  # a container of this host may have a canary of its own
                os.kill(int(pid), signal.SIGKILL)
                found = True
        except OSError:  # it is gone, or none of ours
            continue
    return found


def _depth(pid: str) -> int:
    """In how many PID namespaces a process lives, as seen from here (proc(5))."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as stream:
        return next((len(line.split()) for line in stream if line.startswith("NSpid:")), 0)


class Instance:
    """A Postfix that works from ``with`` to the end of its block.

    :param daemons: the directory of Postfix's daemons.
    :param configuration: its configuration directory.
    """

    def __init__(self, home: Home, daemons: str, configuration: str) -> None:
        self._home = home
        self._configuration = configuration
        self._daemons = daemons
        self._argv = [f"{daemons}/master", "-d", "-e", str(_LIFETIME)]
        self._clients: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Instance:
        """:raises CanaryError: master(8) cannot be started."""
        with open(f"{self._home.path}/said", "wb") as said:
            try:
                self._master = subprocess.Popen(  # pylint: disable=consider-using-with
                    self._argv,
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                    env=_environment(MAIL_CONFIG=self._configuration),
                    start_new_session=True,
                )
            except OSError as error:
                raise CanaryError(f"{self._argv[0]} cannot be run: {error.strerror}") from error
        self.wait(lambda: os.path.exists(self._home.socket(SASL_SERVICE)) or self._master.poll() is not None)
        return self

    def __exit__(self, *_exception: object) -> None:
        for process in (self._master, *self._clients):
            process.kill()
            process.wait()
        _end_all(self._home.path)  # who waits for an answer of theirs waits no longer

    def start_client(self, service: MasterEntry) -> t.Callable[[], bool]:
        """Start what master(8) starts with the first message only: smtp(8), or another that delivers by SMTP or LMTP.

        :returns: asks whether it is ready, or has given up.
        """
        words = [word[1:-1].strip() if word.startswith("{") else word for word in service.arguments]
        output = f"{self._home.path}/client-{service.name}"
        with open(output, "wb") as said:
            client = subprocess.Popen(  # pylint: disable=consider-using-with
                [f"{self._daemons}/{service.command}", "-S", "-u", "-n", service.name, "-t", service.type, *words],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.DEVNULL,
                cwd=self._home.queue,
                env=_environment(MAIL_CONFIG=self._configuration),
            )
        self._clients.append(client)
        # the first thing it says is which protocol it speaks with the queue manager
        return lambda: client.poll() is not None or os.path.getsize(output) > 0

    @property
    def alive(self) -> bool:
        """Whether its master(8) works."""
        return self._master.poll() is None

    def wait(self, condition: t.Callable[[], bool]) -> None:
        """Wait until a condition holds, for as long as patience lasts."""
        deadline = time.monotonic() + _PATIENCE
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.005)

    def watch(self, condition: t.Callable[[], bool]) -> None:
        """Wait until a condition holds, but not much longer once a process has died that others may wait for."""
        end = time.monotonic() + 3 * _PATIENCE
        troubled = False
        while not condition() and time.monotonic() < end:
            time.sleep(0.01)
            if not troubled and _DIED.search(self._log()):
                troubled, end = True, time.monotonic() + _GRACE

    def died(self, name: str) -> bool:
        """Whether a process of this ``syslog_name`` has given up; nobody will answer in its place."""
        return re.search(rf"\s{re.escape(name)}/\S+: (?:fatal|panic): ", self._log()) is not None

    def complaints(self) -> list[str]:
        """What its processes complained of so far, the last word of each included, and each complaint once."""
        marker = f"canary {time.monotonic_ns()}"
        if self.alive:
            run("postlog", "-c", self._configuration, "-t", "canary", marker)
            self.wait(lambda: marker in self._log())
        return parse_log(self._log())

    def _log(self) -> str:
        texts = []
        for path in (f"{self._home.path}/said", self._home.log):
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as stream:
                    texts.append(stream.read())
        return "\n".join(texts)


def parse_log(text: str) -> list[str]:
    """The complaints of a log, each once, and with the reason that the TLS library gives in the line behind it."""
    complaints: dict[str, str] = {}
    last: dict[str, str] = {}
    for process, said in _LINE.findall(text):
        complaint, reason = _COMPLAINT.match(said), _TLS_REASON.search(said)
        if reason:
            told = last.pop(process, "")
            if told:
                complaints[told] = f"{told} ({reason.group(1)})"
            continue
        last[process] = complaint.group(1) if complaint else ""
        if complaint:
            complaints.setdefault(complaint.group(1), complaint.group(1))
    return list(complaints.values())
