# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The compliance suite: pytest COLLECTION/tests/compliance --hosts=ansible://relays --ansible-inventory=inventory

The evidence of all hosts is collected once, side by side, by the playbook mailops.smtp.compliance. ``test_controls.py``
has a test for each host and control, from that report; ``test_witness.py`` looks itself, by other means.
"""

from __future__ import annotations

import os
import sys
import typing as t
from pathlib import Path

import pytest

#: The folder that ansible_collections is in, for a collection that is installed.
_ROOT = Path(__file__).absolute().parents[5]
if (_ROOT / "ansible_collections").is_dir():
    sys.path.insert(0, str(_ROOT))

from ansible_collections.mailops.smtp.tests.compliance import run, witness  # noqa: E402

#: Names the report for the workers of pytest-xdist, so that only one process collects evidence.
_SHARED = "MAILOPS_COMPLIANCE_REPORT"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("compliance")
    group.addoption(
        "--compliance-vars",
        action="append",
        default=[],
        metavar="FILE",
        help="YAML file with variables of the role compliance, also encrypted with Ansible Vault; may be repeated",
    )
    group.addoption(
        "--compliance-directory",
        default="compliance",
        metavar="DIR",
        help="where the reports and the evidence go (default: compliance)",
    )
    group.addoption(
        "--compliance-report",
        metavar="DIR",
        help="directory of an earlier run of the role, to test by its report without asking the hosts again",
    )


def pytest_configure(config: pytest.Config) -> None:
    for name, about in (("control", "a control of the catalogue"), ("witness", "looks without the collection's code")):
        config.addinivalue_line("markers", f"{name}: {about}")
    run.use_own_ansible()
    config.stash[run.RUN] = run.Run(config, os.environ.get(_SHARED))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Collect before the tests are named, which needs the hosts and controls of the report."""
    one = session.config.stash[run.RUN]
    one.collect()
    os.environ[_SHARED] = str(one.directory)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    one = metafunc.config.stash[run.RUN]
    if "judged" in metafunc.fixturenames:
        metafunc.parametrize("judged", one.cases(), ids=str)
    if "observed" in metafunc.fixturenames:
        metafunc.parametrize("observed", one.hosts(), ids=str, indirect=True)


@pytest.fixture(scope="session")
def observations(request: pytest.FixtureRequest) -> t.Mapping[str, witness.Observed]:
    """What the witness saw of each host: looked at side by side, once."""
    one = request.config.stash[run.RUN]
    return witness.look(one.testinfra_hosts(), one.variables)


@pytest.fixture
def observed(request: pytest.FixtureRequest, observations: t.Mapping[str, witness.Observed]) -> witness.Observed:
    """What the witness saw of one host."""
    name = str(request.param)
    if name not in observations:
        pytest.skip(f"testinfra does not know {name}: give --hosts and --ansible-inventory")
    return observations[name]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" and not report.skipped:
        run.DECIDED.add(report.nodeid)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A run in which nothing was decided is red."""
    if exitstatus == 0 and not run.DECIDED and not session.config.option.collectonly:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: t.Any) -> None:
    if not run.DECIDED and not terminalreporter.config.option.collectonly:
        terminalreporter.write_line("Nothing was decided: every test was skipped. The run fails.", red=True)
