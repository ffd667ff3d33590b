# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""judge.py DIRECTORY: judge the evidence that an earlier run of the role compliance has saved. Asks no host.

Exit status: 0 fine, 1 failures, 2 not decided, 3 a mistake in the arguments.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import gc
import os
import sys
import typing as t
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import yaml

# For a collection that is installed; tests of a clone set the path themselves.
_ROOT = Path(__file__).absolute().parents[5]
if (_ROOT / "ansible_collections").is_dir():
    sys.path.insert(0, str(_ROOT))

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.formats import FORMATS  # noqa: E402
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.report import Threshold  # noqa: E402
from ansible_collections.mailops.smtp.plugins.plugin_utils import _judging  # noqa: E402

UNDECIDED, USAGE = 2, 3
#: Hosts that a process judges at a time. For fewer, starting processes costs more than it saves.
_SHARE = 16


class Parser(argparse.ArgumentParser):
    """Exits with 3 for a mistake: 2 means that something could not be decided."""

    def error(self, message: str) -> t.NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def parser() -> Parser:
    """The arguments."""
    found = Parser(description=(__doc__ or "").partition(":")[2].strip())
    found.add_argument("evidence", type=Path, help="directory of an earlier run, or one of its files of evidence")
    found.add_argument("--directory", type=Path, help="where to write reports; by default none are written")
    found.add_argument("--format", action="append", choices=[*FORMATS], default=[], help="may be repeated")
    found.add_argument("--fail-on", choices=[one.value for one in Threshold], default="high")
    found.add_argument("--waivers", type=Path, metavar="FILE", help="YAML with a list, or with compliance_waivers")
    found.add_argument("--max-age", type=float, metavar="HOURS", help="do not judge evidence that is older")
    found.add_argument("--previous", type=Path, metavar="FILE", help="a JSON report to compare with")
    return found


def main(arguments: t.Sequence[str] | None = None) -> int:
    """Judge, print the report, and return the exit status."""
    given = parser().parse_args(arguments)
    try:
        options = _judging.Options(
            fail_on=given.fail_on,
            waivers=_waivers(given.waivers),
            waivers_place=str(given.waivers or ""),
            formats=tuple(given.format) or ("json", "html"),
            directory=given.directory,
            previous=given.previous,
        )
        saved = _judging.Saved(given.evidence, given.max_age)
        with _spread(len(saved)) as each:
            outcome = _judging.judge_all(saved, options, each)
        outcome = _judging.write_reports(outcome, options)
    except _judging.UsageError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    except BrokenProcessPool:
        sys.stderr.write("A process that judged was ended, perhaps for lack of memory. Nothing was decided.\n")
        return UNDECIDED
    sys.stdout.write(outcome.text)
    return outcome.verdict.exit_code


@contextlib.contextmanager
def _spread(hosts: int) -> t.Iterator[_judging.Each]:
    """``map`` over the processors of this machine."""
    processes = min(os.cpu_count() or 1, hosts // _SHARE)
    if processes < 2:
        yield map
        return
    with ProcessPoolExecutor(processes, initializer=gc.disable) as pool:
        yield functools.partial(pool.map, chunksize=_SHARE)


def _waivers(path: Path | None) -> t.Any:
    if path is None:
        return []
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise _judging.UsageError(f"--waivers: {path} cannot be read: {error}") from error
    return value.get("compliance_waivers", value) if isinstance(value, dict) else value


if __name__ == "__main__":
    gc.disable()  # what is read lives until the end
    sys.exit(main())
