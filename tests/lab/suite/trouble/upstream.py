# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The faulty upstream as tests use it: its faults, and the messages that arrived there."""

from __future__ import annotations

import time
import typing as t
from email import message_from_string

from ansible_collections.mailops.smtp.tests.lab.suite.journals import journal_from_now

HOST, PORT, CONTROL_PORT = "smtp.provider.test", 2526, 2527
#: Key and chain on the host: the valid ones, and others that tests add.
FOLDER = "/root/fault"
CERTIFICATE = f"{FOLDER}/good.pem"


class Arrival(t.NamedTuple):
    """One message received up to its end, and whether the upstream accepted it."""

    sender: str
    recipients: list[str]
    content: str
    accepted: bool

    @property
    def subject(self) -> str:
        return str(message_from_string(self.content)["Subject"])


class FaultyUpstream:
    """All mail of the relay goes to this server, so a message that is not here was not delivered."""

    def __init__(self, probe: t.Callable[..., t.Any], relay: t.Any) -> None:
        self._probe = probe
        self._relay = relay

    def ask(self, **request: t.Any) -> dict[str, t.Any]:
        """Send one request to tests/fault/serve.py and return the answer."""
        return dict(self._probe("upstream", "ask_peer", control_port=CONTROL_PORT, **request))

    def recover(self) -> None:
        """Remove all faults."""
        self.ask(rules=[], certificate=CERTIFICATE, listen=True)

    def taken(self, words: str) -> list[Arrival]:
        """Return the accepted messages, bounces included, that contain these words."""
        arrivals = [Arrival(**message) for message in self.ask()["taken"]]
        return [one for one in arrivals if one.accepted and words in one.content]

    def wait(self, words: str, count: int = 1, seconds: float = 30) -> list[Arrival]:
        """Wait until ``taken`` has ``count`` messages or time is up, and return them."""
        return self._until(lambda: self.taken(words), lambda found: len(found) >= count, seconds)

    def wait_for_empty_queue(self, seconds: float = 30) -> None:
        """Wait until the relay's queue is empty. Lists it twice, since a message may move between queues during one."""
        look = "postqueue -f && postqueue -j && postqueue -j"
        left = self._until(lambda: self._relay.check_output(look), lambda queue: not queue, seconds)
        assert not left, left

    @staticmethod
    def _until(look: t.Callable[[], t.Any], enough: t.Callable[[t.Any], bool], seconds: float) -> t.Any:
        deadline = time.monotonic() + seconds
        while not enough(seen := look()) and time.monotonic() < deadline:
            time.sleep(0.3)
        return seen


class MailLog:
    """The relay's mail log since the creation of this object."""

    def __init__(self, relay: t.Any) -> None:
        self._relay = relay
        self._journal = journal_from_now(relay)

    @property
    def text(self) -> str:
        return str(self._relay.check_output(f"{self._journal} -o cat -u 'postfix*'"))

    def wait(self, words: str, seconds: float = 15) -> bool:
        """Wait until the log contains these words; a failure shows the log."""
        text = FaultyUpstream._until(lambda: self.text, lambda text: words in text, seconds)
        assert words in text, f"{words!r} is not in:\n{text[-4000:]}"
        return True
