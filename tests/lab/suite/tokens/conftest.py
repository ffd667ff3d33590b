# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins by OAuth2: the provider's token server does what a test says, and as usual in the next test."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.oauth import converge, order, upstream, ways
from ansible_collections.mailops.smtp.tests.lab.suite.plays import RELAY, run_play


@pytest.fixture(autouse=True)
def provider(hosts: t.Any) -> t.Iterator[t.Any]:
    """The provider, its token server with the usual switches."""
    order(hosts["upstream"], reset=True)
    yield hosts["upstream"]
    order(hosts["upstream"], reset=True)


@pytest.fixture(scope="module")
def restored(hosts: t.Any) -> t.Iterator[None]:
    """The relay of the lab's inventory for other tests, after those of a file."""
    yield
    hosts["relay"].run("postsuper -d ALL")
    run_play("oauth-restored", RELAY).succeeded()


@pytest.fixture(scope="module")
def relay(hosts: t.Any, passwords: t.Any, restored: None) -> t.Any:
    """The relay with a client secret."""
    order(hosts["upstream"], reset=True)
    converge("secret", upstream(ways(passwords)["client_secret"])).succeeded()
    return hosts["relay"]
