# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to a server: what is said of each state of its addresses, and which other port would do."""

from __future__ import annotations

import errno
import os
import socket
import typing as t

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._diagnosis import reaching
from ansible_collections.mailops.smtp.plugins.module_utils._diagnosis.questions import Answers, Questions
from ansible_collections.mailops.smtp.plugins.module_utils._diagnosis.walk import walk
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.smtp import Reach, ReachFacts
from ansible_collections.mailops.smtp.plugins.module_utils._firewall import reach
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.reach import Attempt
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.settings import ServerSettings
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls import TlsMode, TlsPolicy

V4, V6 = "192.0.2.1", "2001:db8::1"
HOST = "smtp.example.com"

#: By address and port what becomes of a connection: a word of ``reach``, or the number of an error.
Network = t.Mapping[tuple[str, int], t.Any]


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., None]:
    """``network(addresses, {(address, port): state})`` stands for the network; other ports do not answer."""

    def build(addresses: t.Sequence[str], states: Network) -> None:
        families = {one: socket.AF_INET6 if ":" in one else socket.AF_INET for one in addresses}

        def attempt(address: str, port: int) -> Attempt:
            state = states.get((address, port), states.get((address, 0), reach.FILTERED))
            source = "" if state == reach.NO_ROUTE else "192.0.2.9"
            tried = Attempt(port, address, source, reach.FILTERED if isinstance(state, int) else state, "no answer")
            if state == reach.OPEN:
                return tried._replace(detail="", milliseconds=12.0)
            return reach._ended(tried, state)._replace(milliseconds=12.0) if isinstance(state, int) else tried

        monkeypatch.setattr(reaching, "addresses_of", lambda _host: families)
        monkeypatch.setattr(
            reaching,
            "try_addresses",
            lambda chosen, ports, _timeout: [attempt(address, port) for address in chosen for port in ports],
        )
        monkeypatch.setattr(
            "ansible_collections.mailops.smtp.plugins.module_utils._diagnosis.walk.refusing_outgoing",
            lambda _port, _sources: None,
        )

    return build


def ask(port: int = 587, provider: str | None = None) -> Answers:
    settings = ServerSettings(HOST, port, TlsPolicy(TlsMode.STARTTLS), connect_timeout=3.0)
    return walk(Questions(settings, provider))


#: What happens -> addresses, network, port, states in the evidence, words of the problem, words of the advice.
CASES: dict[str, t.Any] = {
    "the port is closed": (
        *([V4], {(V4, 587): errno.ECONNREFUSED, (V4, 465): "open"}, 587, ["refused"]),
        ["Port 587 of smtp.example.com (192.0.2.1) refuses connections: nothing listens there"],
        ["Another port accepts connections: set port: 465 and tls: implicit."],
    ),
    "port 25 is blocked, as in a cloud": (
        *([V4], {(V4, 587): "open", (V4, 465): "open"}, 25, ["filtered"]),
        ["Port 25 of smtp.example.com (192.0.2.1) did not answer within 3 s", "a packet filter drops"],
        [
            "Other ports accept connections: set port: 587 and tls: starttls, or port: 465 and tls: implicit.",
            "Many networks, as those of most clouds, let no connection to port 25 out.",
        ],
    ),
    "every port is blocked": (
        *([V4], {}, 587, ["filtered"]),
        ["did not answer within 3 s"],
        ["The other ports for mail that were tried (465, 2525) accept none either."],
    ),
    "a router says no": (
        *([V4], {(V4, 587): errno.EHOSTUNREACH}, 587, ["unreachable"]),
        [f"cannot be reached: {os.strerror(errno.EHOSTUNREACH)}", "A router or a packet filter answered"],
        ["Check that the server is up, the routes of this host, and the firewalls in between."],
    ),
    "only IPv6, and no route": (
        *([V6], {(V6, 0): "no route"}, 587, ["no route"]),
        ["This host has no route to smtp.example.com (2001:db8::1)."],
        ["The server has only IPv6 addresses, and this host has no IPv6", "use a server with an IPv4 address"],
    ),
    "no network at all": (
        *([V4, V6], {(V4, 0): "no route", (V6, 0): "no route"}, 587, ["no route", "no route"]),
        ["This host has no route to smtp.example.com (192.0.2.1, 2001:db8::1)."],
        ["Check the network of this host"],
    ),
    "IPv6 without a route and IPv4 refused": (
        *([V6, V4], {(V6, 0): "no route", (V4, 587): errno.ECONNREFUSED}, 587, ["no route", "refused"]),
        ["(192.0.2.1) refuses connections", "2001:db8::1 was not tried: this host has no route to it."],
        ["Check host and port"],
    ),
    "the addresses differ": (
        *([V6, V4], {(V6, 587): errno.ENETUNREACH, (V4, 587): errno.ECONNREFUSED}, 587, ["unreachable", "refused"]),
        ["(2001:db8::1) cannot be reached", "192.0.2.1 refuses the connection."],
        ["Check that the server is up"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_why_no_address_accepts_a_connection(network: t.Callable[..., None], case: str) -> None:
    addresses, states, port, wanted, problem, advice = CASES[case]
    network(addresses, states)
    answers = ask(port)
    facts = answers.evidence.facts
    assert [one.state.value for one in facts.connections or ()] == wanted
    found = answers.problem
    assert found
    assert (found.step.value, found.state.value) == ("connect", "failed")
    assert [words for words in problem if words not in found.problem] == [], found.problem
    assert [words for words in advice if words not in found.advice] == [], found.advice
    assert facts.other_ports is not None
    assert facts.greeting is None
    unknown = {one.path for one in answers.evidence.unknown}
    assert unknown >= {"greeting", "tls"}
    assert ("firewall_refuses" in unknown) == (set(wanted) != {"no route"})


def test_the_other_ports_of_a_provider_are_its_own(network: t.Callable[..., None]) -> None:
    network([V4], {(V4, 2587): "open"})
    answers = ask(25, "ses")
    ports = {one.port: one.state.value for one in answers.evidence.facts.other_ports or ()}
    assert ports[2587] == "open"
    assert 25 not in ports
    assert answers.problem
    assert "set port: 2587 and tls: starttls" in answers.problem.advice


def test_a_chain_of_this_host_that_refuses_is_named(
    network: t.Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    network([V4], {})
    monkeypatch.setattr(
        "ansible_collections.mailops.smtp.plugins.module_utils._diagnosis.walk.refusing_outgoing",
        lambda port, sources: [f"inet filter output {port} {list(sources)}"],
    )
    answers = ask(25)
    assert answers.problem
    named = "inet filter output 25 ['192.0.2.9']"
    assert answers.evidence.facts.firewall_refuses == (named,)
    assert f'The packet filter of this host refuses it, in chain "{named}".' in answers.problem.problem
    assert "Let connections to port 25 out in that chain" in answers.problem.advice


def test_the_first_address_that_accepts_is_used(network: t.Callable[..., None]) -> None:
    """The others are told, in the order in which a client tries them."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        network([V6, "127.0.0.1"], {(V6, 0): "no route", ("127.0.0.1", port): "open"})
        answers = walk(Questions(ServerSettings(HOST, port, TlsPolicy(TlsMode.STARTTLS), timeout=0.2)))
    assert answers.evidence.facts.address == "127.0.0.1"
    assert answers.results[1].state.value == "passed"
    assert answers.evidence.facts.other_ports is None


def test_both_families_are_among_the_addresses_that_are_tried() -> None:
    families: dict[str, int] = {f"192.0.2.{number}": socket.AF_INET for number in range(5)}
    families[V6] = socket.AF_INET6
    assert reaching._mixed(families)[:3] == ["192.0.2.0", V6, "192.0.2.1"]
    found = reaching.try_each({f"127.0.0.{number}": socket.AF_INET for number in (1, 2, 3)}, 1, 2.0, 2)
    assert [one.state for one in found] == [Reach.REFUSED, Reach.REFUSED, Reach.NOT_TRIED]


@pytest.mark.parametrize("state", Reach)
def test_each_state_has_words(state: Reach) -> None:
    words = reaching.reach_words(ReachFacts(V4, 25, state, detail="No route to host"))
    assert words.startswith(f"{V4} ")
    assert words.endswith(".")


def test_a_name_that_is_not_there_is_known_and_a_dns_failure_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for code, known in ((socket.EAI_NONAME, True), (socket.EAI_AGAIN, False), (socket.EAI_FAIL, False)):

        def fail(_host: str, code: int = code) -> t.NoReturn:
            raise socket.gaierror(code, "said the resolver")

        monkeypatch.setattr(reaching, "addresses_of", fail)
        addresses, reason = reaching.resolve(HOST, 1.0)
        assert (addresses == {}) is known
        result = reaching.name_result(HOST, addresses, reason, 1.0)
        assert result.state.value == ("failed" if known else "unknown")
        assert result.problem == f"The name {HOST} does not resolve: said the resolver."
        assert ("spelling" in result.advice) is known
