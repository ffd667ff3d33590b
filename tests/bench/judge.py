# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge saved evidence of many hosts, and open the page of a large fleet: judge.py [HOSTS]. The page needs what
tests/reports/get brings.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The imports need the path, since the environment links the collection there.
COLLECTIONS = ROOT / ".build" / "collections"
sys.path.insert(0, str(COLLECTIONS))

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.collected import Collected  # noqa: E402
from ansible_collections.mailops.smtp.tests.reports import made  # noqa: E402


def judge(hosts: int, directory: Path) -> None:
    """Save evidence of so many hosts, and judge it with the offline command."""
    fleet = list(made.HOSTS.values())
    for number in range(hosts):
        name = f"relay{number}.example.com"
        profiles, seen = fleet[number % len(fleet)]
        collected = Collected(made.head(name, profiles), tuple(seen.values()))
        (directory / f"{name}.json").write_text(json.dumps(collected.to_dict()), encoding="utf-8")
    command = [sys.executable, str(ROOT / "tests/compliance/judge.py"), str(directory), "--directory", str(directory)]
    environment = {**os.environ, "PYTHONPATH": str(COLLECTIONS)}
    began = time.monotonic()
    subprocess.run(
        [*command, "--format", "html", "--format", "json"], stdout=subprocess.DEVNULL, check=False, env=environment
    )
    took, used = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{hosts} hosts judged and reported: {took:.1f} s, {used.ru_utime + used.ru_stime:.1f} s of CPU,"
          f" {used.ru_maxrss / 1000:.0f} MB")  # fmt: skip
    for name in ("report.html", "report.json"):
        print(f"{name}: {(directory / name).stat().st_size / 1e6:.1f} MB")


def main() -> None:
    """Measure, and print."""
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as directory:
        judge(int(sys.argv[1]) if sys.argv[1:] else 1000, Path(directory))
        for folder in made.write(Path(directory), ["large"]):
            size = (folder / "report.html").stat().st_size / 1e6
            print(f"page of 1,000 hosts x 64 controls: {size:.1f} MB", flush=True)
        script = ROOT / "tests/reports/measure.mjs"
        subprocess.run(["node", script], env={**os.environ, "REPORTS": directory}, check=True)


if __name__ == "__main__":
    main()
