# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare smtp_send with its peers in one run: medians and ratios, with a description of the machine.

All traffic stays on loopback. Contestants take turns, so that other load on the machine affects all of them alike.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import smtplib
import socket
import subprocess
import sys
import threading
import time
import typing as t
from pathlib import Path

from ansible_collections.mailops.smtp.plugins.module_utils._mailing.pool import Pace, Pool
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.delivery import Envelope
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.settings import ServerSettings
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls import TlsMode, TlsPolicy
from ansible_collections.mailops.smtp.tests.bench.measure import (
    BENCH,
    ROOT,
    Contestants,
    compare,
    describe_machine,
    ratio,
)

SINK_PORT, SLOW_PORT = 2600, 2601
SHORT = ("an empty play", "smtp_send, 1 message", "smtp_send, as a module", "community.general.mail, 1 message")
SENDER, RECIPIENT = "a@b.test", "c@d.test"
CONTENT = b"Subject: x\r\n\r\n" + (b"x" * 70 + b"\r\n") * 28
PLAINTEXT = TlsPolicy(TlsMode.NONE)


def main(rounds: int) -> None:
    """Run all comparisons and print them."""
    describe_machine()
    describe_peers()
    with sink():
        print(f"\n20,000 messages of 2 kB to smtp-sink, messages per second (median of {rounds})")
        rates = compare(rounds, volume(20_000))
        ratio(rates, "core, 1 connection, ahead", "smtp-source -s 1 -d", "1.5x")
        ratio(rates, "core, 1 connection, ahead", "smtplib, 1 connection", "4.0x")
        ratio(rates, "core, 1 connection, ahead", "a bare socket, replies only counted", "0.65x")
        ratio(rates, "core, 1 connection", "a bare socket, in turn", "0.65x")
        ratio(rates, "a bare socket, replies only counted", "smtplib, 1 connection", "4.0x")
        ratio(rates, "core, 4 connections", "smtp-source -s 4 -d", "0.7x")
        plays = one_task()
        short = {name: plays[name] for name in SHORT}
        print(f"\nOne task, wall-clock seconds as a user sees them (median of {3 * rounds}, the long ones of {rounds})")
        tasks = compare(3 * rounds, short)  # these differ by less than a second
        tasks.update(compare(rounds, {name: play for name, play in plays.items() if name not in SHORT}))
        loop = 20 / (tasks["community.general.mail, loop of 20"] - tasks["an empty play"])
        for where in ("in the task", "in a file"):
            per_message = 10_000 / tasks[f"smtp_send, 10,000 messages {where}"]
            gain = f"{per_message / loop:,.0f}x (goal: 1,000x)"
            print(f"  {where}: {per_message:,.0f} messages per second, against {loop:.1f} in a loop: {gain}")
        net = {name: seconds - tasks["an empty play"] for name, seconds in tasks.items()}
        for what, goal in (("1 message", 0.35), ("loop of 20", 0.25)):
            times = net[f"smtp_send, {what}"] / net[f"community.general.mail, {what}"]
            print(f"  {what}, less an empty play: {times:.2f} of community.general.mail (goal: at most {goal})")
        few, many, more = memory(10), memory(10_000), memory(100_000)
        print("\nPeak memory of the module, MB: ", end="")
        print(f"{few:.0f} with 10 messages, {many:.0f} with 10,000 (goal: at most 64 more), {more:.0f} with 100,000")
        with delay(SLOW_PORT, SINK_PORT, 0.025):
            print(f"\n50 ms round trip, milliseconds per message (median of {rounds})")
            compare(rounds, slow(200), unit="ms")


def describe_peers() -> None:
    manifest = json.loads((BENCH / "collections/ansible_collections/community/general/MANIFEST.json").read_text())
    print(f"community.general {manifest['collection_info']['version']}, smtp-sink at {shutil.which('smtp-sink')}")


# Volume


def volume(count: int) -> Contestants:
    return {
        "core, 1 connection, ahead": lambda: count / core(SINK_PORT, count, 1, ahead=True),
        "core, 1 connection": lambda: count / core(SINK_PORT, count, 1),
        "smtp-source -s 1 -d": lambda: count / smtp_source(count, 1),
        "smtplib, 1 connection": lambda: 2_000 / with_smtplib(2_000),
        "a bare socket, replies only counted": lambda: count / with_bare_socket(count),
        "a bare socket, in turn": lambda: count / with_bare_socket(count, ahead=False),
        "core, 4 connections": lambda: count / core(SINK_PORT, count, 4),
        "smtp-source -s 4 -d": lambda: count / smtp_source(count, 4),
    }


def core(port: int, count: int, connections: int, ahead: bool | None = None) -> float:
    """Return the seconds that the core takes to send this many messages; with ``ahead`` it sends commands ahead."""
    envelopes = [Envelope(SENDER, (RECIPIENT,), CONTENT, f"<{number}@b.test>") for number in range(count)]
    began = time.perf_counter()
    server = ServerSettings("127.0.0.1", port, PLAINTEXT, send_ahead=ahead)
    results = Pool(server, Pace(connections)).deliver(envelopes)
    sent = sum(result.recipients[0].status.value == "sent" for result in results)
    assert sent == count, f"only {sent} of {count} messages were sent"
    return time.perf_counter() - began


def smtp_source(count: int, sessions: int) -> float:
    command = ["smtp-source", "-s", str(sessions), "-d", "-l", "2048", "-m", str(count), "-f", SENDER, "-t", RECIPIENT]
    began = time.perf_counter()
    subprocess.run([*command, f"127.0.0.1:{SINK_PORT}"], check=True)
    return time.perf_counter() - began


def with_smtplib(count: int, port: int = SINK_PORT) -> float:
    began = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as client:
        for _number in range(count):
            client.sendmail(SENDER, [RECIPIENT], CONTENT)
    return time.perf_counter() - began


def with_bare_socket(count: int, ahead: bool = True) -> float:
    """Send and receive, and do nothing else: the upper bound for a Python client on one connection.

    :param ahead: whether the commands of the next message follow each content without waiting for its reply.
    """
    envelope = f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n".encode()
    began = time.perf_counter()
    with socket.create_connection(("127.0.0.1", SINK_PORT)) as stream:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream.recv(4096)
        stream.sendall(b"EHLO a.test\r\n")
        stream.recv(4096)
        stream.sendall(envelope)
        for number in range(count):
            _count_replies(stream, 4 if ahead and number else 3)
            stream.sendall(CONTENT + b".\r\n" + (envelope if ahead else b""))
            if not ahead:
                _count_replies(stream, 1)
                stream.sendall(envelope)
    return time.perf_counter() - began


def _count_replies(stream: socket.socket, replies: int) -> None:
    while replies:
        replies -= stream.recv(4096).count(b"\n")


# Tasks


def one_task() -> Contestants:
    server = {"host": "127.0.0.1", "port": SINK_PORT}
    message = {"from": SENDER, "to": RECIPIENT, "subject": "x", "body": "x" * 2000}
    many = {**server, **message, "tls": "none", "messages": "{{ many }}"}
    in_file = {**server, **message, "tls": "none", "messages_file": str(write_messages(10_000)), "connections": 3}
    ours, mail = {**server, **message, "tls": "none"}, {**server, **message, "secure": "never"}
    return {
        "an empty play": lambda: play({"ansible.builtin.debug": {"msg": "x"}}),
        "smtp_send, 1 message": lambda: play({"mailops.smtp.smtp_send": ours}),
        "smtp_send, as a module": lambda: play({"mailops.smtp.smtp_send": ours, "environment": {"AS_A_MODULE": "yes"}}),
        "community.general.mail, 1 message": lambda: play({"community.general.mail": mail}),
        "community.general.mail, loop of 20": lambda: play({"community.general.mail": mail, "loop": list(range(20))}),
        "smtp_send, loop of 20": lambda: play({"mailops.smtp.smtp_send": ours, "loop": list(range(20))}),
        "smtp_send, 10,000 messages in the task": lambda: play({"mailops.smtp.smtp_send": many}),
        "smtp_send, 10,000 messages in a file": lambda: play({"mailops.smtp.smtp_send": in_file}),
    }


def write_messages(count: int) -> Path:
    path = BENCH / f"{count}.jsonl"
    path.write_text("".join(json.dumps({"to": f"p{number}@d.test"}) + "\n" for number in range(count)))
    return path


def play(task: dict[str, t.Any]) -> float:
    """Return the wall-clock seconds of a play with one task on this machine."""
    path = BENCH / "play.json"
    variables = (
        {"many": [{"to": f"p{number}@d.test"} for number in range(10_000)]} if "many" in json.dumps(task) else {}
    )
    play_ = {"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": [task]}
    path.write_text(json.dumps([play_]))
    began = time.perf_counter()
    done = subprocess.run(
        ["ansible-playbook", "-i", "localhost,", "-c", "local", str(path)],
        env=ansible_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return time.perf_counter() - began


def ansible_environment() -> dict[str, str]:
    collections = f"{ROOT / '.build/collections'}:{BENCH / 'collections'}"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": collections,
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "PATH": path,
    }


def memory(count: int) -> float:
    """Return the peak resident memory, in MB, of a process that runs the module with this many messages."""
    code = """
import json, resource, sys
from ansible.module_utils.testing import patch_module_args
from ansible_collections.mailops.smtp.plugins.modules import smtp_send
options = {"host": "127.0.0.1", "port": 2600, "tls": "none", "from": "a@b.test", "subject": "x", "body": "x" * 2000}
options["messages_file"] = sys.argv[1]
out, sys.stdout = sys.stdout, open("/dev/null", "w")
with patch_module_args(options):
    try:
        smtp_send.main()
    except SystemExit:
        pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, file=out)
"""
    command = [sys.executable, "-c", code, str(write_messages(count))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


# A slow network


def slow(count: int) -> Contestants:
    return {
        "core, 1 connection, ahead": lambda: core(SLOW_PORT, count, 1, ahead=True) / count * 1000,
        "core, 1 connection": lambda: core(SLOW_PORT, count, 1) / count * 1000,
        "core, 8 connections": lambda: core(SLOW_PORT, count, 8) / count * 1000,
        "smtplib, 1 connection": lambda: with_smtplib(20, SLOW_PORT) / 20 * 1000,
    }


@contextlib.contextmanager
def sink() -> t.Iterator[None]:
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen(["smtp-sink", *user, f"127.0.0.1:{SINK_PORT}", "1000"], cwd="/")
    try:
        wait_for(SINK_PORT)
        yield
    finally:
        process.terminate()
        process.wait(5)


@contextlib.contextmanager
def delay(port: int, target: int, seconds: float) -> t.Iterator[None]:
    """Forward a port to the target with this delay in each direction and unlimited bandwidth."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while data := await reader.read(65536):
            loop.call_later(seconds, writer.write, data)
        loop.call_later(seconds, writer.close)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(connected, "127.0.0.1", port))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"port {port} does not accept connections within 10 s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
