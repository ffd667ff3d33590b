# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Count a queue of 100,000 messages as postfix_info does: seconds, and the memory of the process.

``PYTHONPATH=.build/collections .build/venv/bin/python tests/bench/queue_count.py [MESSAGES] [PYTHON]``
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._host.queue_maker import make_file

#: Runs in a process of its own, whose memory is what the count needs.
COUNT = """
import resource, sys, time
from ansible_collections.mailops.smtp.plugins.module_utils._host import queue
began = time.monotonic()
found = queue.count(sys.argv[1], "", sys.argv[1], time.time())
seconds, used = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF)
print(f"{found.messages} messages to {found.domains} domains: {seconds:.2f} s"
      f" ({used.ru_utime + used.ru_stime:.2f} s of CPU), {used.ru_maxrss / 1024:.0f} MB")
"""


def fill(folder: Path, messages: int) -> None:
    """Make a queue: nine of ten messages deferred, in hashed folders, to domains of very different size."""
    chance, now = random.Random(1), int(time.time())  # noqa: S311
    states = {"deferred": 90, "active": 4, "incoming": 3, "hold": 2, "maildrop": 1}
    for number in range(messages):
        (state,) = chance.choices([*states], [*states.values()])
        name = f"{0x10000000 + number * 7919:X}"
        place = folder / state / (name[-1] if state == "deferred" else "")
        place.mkdir(parents=True, exist_ok=True)
        count = chance.choice([1, 1, 1, 2, 5])
        recipients = [b"user@d%d.example" % chance.expovariate(1 / 200) for _recipient in range(count)]
        content = make_file(recipients, now - int(chance.expovariate(1 / 40000)), content=b"x" * 3000)
        (place / name).touch(mode=0o700)
        (place / name).write_bytes(content)


def main(messages: int, python: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), messages)
        for _round in range(3):
            subprocess.run([python, "-c", COUNT, folder], check=True)


if __name__ == "__main__":
    main(int(next(iter(sys.argv[1:]), "100000")), next(iter(sys.argv[2:]), sys.executable))
