# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run programs of Postfix, and a second instance of Postfix beside the live one."""

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

#: Only root can write there, and nothing survives a reboot.
_HOME = Home("/run/mailops-canary")
_LOCK = "/run/mailops-canary.lock"
#: Seconds after which master(8) exits, in case it is not stopped.
_LIFETIME = 60
#: Seconds that a program, or the start or end of a process, may take on a busy host.
_PATIENCE = 10.0
_LINE = re.compile(r"(\S+\[\d+\]|^\S+): (.*)", re.MULTILINE)
#: An smtp(8) that cannot read its CA file logs this without the word "warning".
_COMPLAINT = re.compile(r"(?:[0-9A-Za-z]+: )?(?:(?:warning|error|fatal|panic): |(?=.*: disabling TLS support\Z))(.*)")
#: Part of the name of processes that try an upstream.
TRIED = "canary-trial-"
_DIED = re.compile(r": (?:fatal|panic): |bad command startup")
#: Seconds for the other processes to finish after one has died.
_GRACE = 2.0
#: How much of the log an error quotes, since the log is removed with the canary.
_LAST_LINES = 5
#: ``error:CODE:LIBRARY:FUNCTION:REASON:...``, the format of OpenSSL.
_TLS_REASON = re.compile(r"TLS library problem: error:[^:]*:[^:]*:[^:]*:([^:]+)")


class CanaryError(Exception):
    """The configuration could not be tried. The text is a sentence without its full stop."""


class Output(t.NamedTuple):
    """The exit code, standard output and standard error of a program."""

    code: int
    output: str
    complaints: str


def run(*argv: str, patience: float = _PATIENCE, **environment: str) -> Output:
    """Run a program and wait until it exits.

    :param patience: how long to wait, in seconds.
    :param environment: variables to add to the minimal environment.
    :raises CanaryError: the program is missing, or does not exit in time.
    """
    try:
        done = subprocess.run(  # pylint: disable=ansible-bad-function
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
        raise CanaryError(f"{argv[0]} did not finish within {patience:g} s") from error
    return Output(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


def _environment(**more: str) -> dict[str, str]:
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", **more}


@contextmanager
def home() -> t.Iterator[Home]:
    """Provide the directory for one canary. Only one runs on a host at a time; leftovers are removed first.

    :raises CanaryError: the directory cannot be created, because the user is not root.
    """
    inherited = os.umask(0o022)  # Postfix's unprivileged processes read what is made here
    try:
        with open(_LOCK, "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            cleanup()
            os.mkdir(_HOME.path)
            os.chmod(_HOME.path, 0o711)  # noqa: S103 - Postfix's unprivileged processes must pass through it
            try:
                yield _HOME
            finally:
                cleanup()
    except PermissionError as error:
        raise CanaryError(f"{error.filename}: {error.strerror}: only root can try it, so set become: true") from error
    finally:
        os.umask(inherited)


def cleanup() -> None:
    """Kill every process of a canary and remove its directory, also those of an earlier run."""
    _end_all(_HOME.path)
    shutil.rmtree(_HOME.path, ignore_errors=True)


def _end_all(path: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while _kill_all(path) and time.monotonic() < deadline:
        time.sleep(0.005)


def _kill_all(path: str) -> bool:
    """Kill the processes with a configuration below ``path``.

    :returns: whether there were any.
    """
    wanted = f"MAIL_CONFIG={path}/".encode()
    found = False
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as stream:
                ours = any(variable.startswith(wanted) for variable in stream.read().split(b"\0"))
            if ours and _depth(pid) == _depth("self"):  # a container on this host may run its own canary
                os.kill(int(pid), signal.SIGKILL)
                found = True
        except OSError:  # it has exited, or belongs to another user
            continue
    return found


def _depth(pid: str) -> int:
    """The number of nested PID namespaces that a process is in, as seen from this one (proc(5))."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as stream:
        return next((len(line.split()) for line in stream if line.startswith("NSpid:")), 0)


class Instance:
    """A Postfix that runs for the duration of a ``with`` block.

    :param daemons: the daemon directory of Postfix.
    :param configuration: the configuration directory of the instance.
    """

    def __init__(self, home: Home, daemons: str, configuration: str) -> None:
        self._home = home
        self._configuration = configuration
        self._daemons = daemons
        self._argv = [f"{daemons}/master", "-d", "-e", str(_LIFETIME)]
        self._clients: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Instance:
        """Start master(8).

        :raises CanaryError: master(8) cannot be started.
        """
        with open(f"{self._home.path}/said", "wb") as said:
            try:
                self._master = subprocess.Popen(  # pylint: disable=consider-using-with,ansible-bad-function
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
        _end_all(self._home.path)  # this also ends the conversations that wait for them

    def start_client(self, service: MasterEntry) -> t.Callable[[], bool]:
        """Start a delivery agent for SMTP or LMTP, which master(8) starts only for the first message.

        :returns: a function that returns whether the agent is ready or has exited.
        """
        words = [word[1:-1].strip() if word.startswith("{") else word for word in service.arguments]
        output = f"{self._home.path}/client-{service.name}"
        with open(output, "wb") as said:
            client = subprocess.Popen(  # pylint: disable=consider-using-with,ansible-bad-function
                [f"{self._daemons}/{service.command}", "-S", "-u", "-n", service.name, "-t", service.type, *words],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.DEVNULL,
                cwd=self._home.queue,
                env=_environment(MAIL_CONFIG=self._configuration),
            )
        self._clients.append(client)
        # its first output is the protocol that it speaks with the queue manager
        return lambda: client.poll() is not None or os.path.getsize(output) > 0

    @property
    def alive(self) -> bool:
        """Whether its master(8) is running."""
        return self._master.poll() is None

    def wait(self, condition: t.Callable[[], bool]) -> None:
        """Wait until a condition holds, for ten seconds at most."""
        deadline = time.monotonic() + _PATIENCE
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.005)

    def watch(self, condition: t.Callable[[], bool]) -> None:
        """Wait until a condition holds, for half a minute at most, or two seconds after a process has died."""
        end = time.monotonic() + 3 * _PATIENCE
        troubled = False
        while not condition() and time.monotonic() < end:
            time.sleep(0.01)
            if not troubled and _DIED.search(self.log()):
                troubled, end = True, time.monotonic() + _GRACE

    def died(self, name: str) -> bool:
        """Whether a process with this ``syslog_name`` has died. No other process answers in its place."""
        return re.search(rf"\s{re.escape(name)}/\S+: (?:fatal|panic): ", self.log()) is not None

    def complaints(self) -> list[str]:
        """The complaints that its processes have logged so far, each once."""
        marker = f"canary {time.monotonic_ns()}"
        if self.alive:
            run("postlog", "-c", self._configuration, "-t", "canary", marker)
            self.wait(lambda: marker in self.log())
        return parse_log(self.log())

    def last_lines(self) -> str:
        """The end of what its processes have said: a sentence, or an empty text if they said nothing."""
        said = [line.strip() for line in self.log().splitlines() if line.strip()][-_LAST_LINES:]
        return f"Its log ends with: {' | '.join(said)}" if said else ""

    def log(self) -> str:
        """What its processes have logged so far."""
        texts = []
        for path in (f"{self._home.path}/said", self._home.log):
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as stream:
                    texts.append(stream.read())
        return "\n".join(texts)


def parse_log(text: str) -> list[str]:
    """The complaints of a log, each once, with the reason of the TLS library from the line after it."""
    complaints: dict[str, str] = {}
    last: dict[str, str] = {}
    for process, said in _LINE.findall(text):
        if TRIED in process:
            continue  # judged by what became of the probe
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
