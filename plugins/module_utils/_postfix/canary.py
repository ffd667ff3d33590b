# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The canary: try a Postfix configuration before it goes live.

Postfix's own tools find errors in the files. To find the rest, the configuration is started beside the live Postfix,
with its own directories, and each of its listeners is probed over SMTP. ``postfix check`` is not used: it accepts a
missing key, a misspelled restriction and an open relay, and in places reads the live main.cf.
"""

from __future__ import annotations

import functools
import os
import re
import typing as t
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from ipaddress import ip_address, ip_network

from . import canary_process, canary_upstreams
from .canary_checks import Checks, read
from .canary_config import Canary, CanaryListener, Home, build, move
from .canary_files import lay_out, make_queue, settle, write
from .canary_process import CanaryError, Instance, cleanup
from .canary_questions import Conversation, converse
from .config import Configuration, split_words
from .problem import ConfigText, Problem

__all__ = ["CanaryError", "Problem", "cleanup", "find_problems"]

#: Addresses that are in no use (RFC 5737, RFC 2544, RFC 3849), in the form of XCLIENT.
_OUTSIDERS = ("192.0.2.25", "198.51.100.25", "203.0.113.25", "198.18.0.25")
_OUTSIDERS_6 = ("IPV6:2001:db8::25", "IPV6:2001:db8:ffff::25")

#: Complaints that are not problems of the configuration.
_NO_PROBLEM = re.compile(
    "|".join(
        (
            # consequences of another complaint, effects of the canary itself, and servers that do not run yet
            r"process \S+ pid \d+ (?:exit status|killed)|bad command startup|Wrapper-mode request dropped",
            r"lookup failure|lookup error for|is unavailable|problem talking to server|connect to ",
            r"(?:premature|unexpected) end-of-input|does not resolve|dns_|database \S+ is older than source file",
            r"is useful only in|SASL per-process initialization failed",
            # the moment: since Linux 6.13, the time of a new file may be some milliseconds ahead of time(2), which is a
            # second if one begins then; the clock may be set, and the host may be busy
            r"file system clock is -?\d+ seconds|resetting file time stamps|backward time jump|average delay is \d+ ms",
        )
    )
)


def find_problems(
    stage: str,
    live: str = "/etc/postfix",
    removed: t.Collection[str] = (),
    upstreams: t.Sequence[t.Mapping[str, str]] = (),
) -> list[Problem]:
    """Try a staged configuration. The live Postfix, if there is one, is not affected.

    :param stage: the directory with the staged files, under their full paths.
    :param live: the live configuration directory. Its files that are not staged are part of the configuration.
    :param removed: paths that will no longer exist on the host.
    :param upstreams: servers to connect to and log in at, unless they are used in the same way already; each with the
        ``transport`` and the ``nexthop`` that lead to it.
    :returns: the problems of the configuration; empty if it has none.
    :raises CanaryError: the configuration could not be tried, for example because Postfix is not installed.
    """
    with canary_process.home() as home:
        moved = lay_out(home, os.path.abspath(stage), live, removed)
        trial = _Trial(home, home.tree + live, moved, _source(home, live))
        return list(dict.fromkeys(trial.problems(upstreams, live)))


def _source(home: Home, live: str) -> ConfigText:
    texts = []
    for name in ("main.cf", "master.cf"):
        path = f"{home.tree}{live}/{name}"
        if not os.path.exists(path):
            raise CanaryError(f"{live}/{name} is neither staged nor on the host")
        if not os.path.islink(path):
            settle(path)
        with open(path, encoding="utf-8", errors="replace") as stream:
            texts.append(stream.read())
    return ConfigText(live, *texts)


class _Trial:
    def __init__(self, home: Home, directory: str, moved: t.Mapping[str, str], source: ConfigText) -> None:
        self._home = home
        self._directory = directory
        self._moved = moved
        self._source = source

    def problems(self, upstreams: t.Sequence[t.Mapping[str, str]], live: str) -> list[Problem]:
        staged, found = read(self._directory, self._source, self._localize)
        if not staged:
            return found
        trials = canary_upstreams.choose(upstreams, staged, self._home.tree, live)
        canary = build(
            staged, self._home, self._moved, canary_upstreams.services(trials), canary_upstreams.routes(trials)
        )
        for name, text in (("main.cf", canary.main), ("master.cf", canary.master)):
            path = f"{self._directory}/{name}"
            os.unlink(path)  # it may be a link to the live file
            write(path, text.encode("utf-8", "surrogateescape"))
        moved = functools.partial(move, paths=self._moved)
        checks = Checks(self._home, staged, self._directory, self._source, moved, self._localize)
        found += [*checks.tables(), *checks.certificates(), *checks.ports()]
        try:
            make_queue(self._home, staged.value("mail_owner"), staged.value("setgid_group"))
        except KeyError as error:
            return found or [self._source.on(f"unknown user or group: {error}", "mail_owner")]
        return found + self._watch(canary, staged, trials, explained=bool(found))

    def _watch(
        self, canary: Canary, staged: Configuration, trials: t.Sequence[canary_upstreams.Trial], explained: bool
    ) -> list[Problem]:
        """Start the canary, probe each of its listeners, try the upstreams and read its log.

        :param explained: whether a problem was found that may keep the canary from working.
        """
        with ThreadPoolExecutor(max_workers=8) as pool:
            with Instance(self._home, staged.value("daemon_directory"), self._directory) as instance:
                talks = self._ask(pool, canary, staged)
                asked = pool.submit(canary_upstreams.ask, self._home.socket(canary_upstreams.ASKING), trials)
                ready = [instance.start_client(service) for service in canary.clients]
                instance.watch(
                    lambda: (
                        all(talk.done() or instance.died(listener.name) for listener, talk in talks)
                        and all(is_ready() for is_ready in ready)
                        and len(canary_upstreams.find_hops(instance.log())) >= len(trials)
                    )
                )
                complaints = list(filter(is_problem, instance.complaints()))
                alive, log = instance.alive, instance.log()
                last_lines = self._localize(instance.last_lines())
            conversations = [(listener, talk.result()) for listener, talk in talks]  # all end with the canary
            asked.result()
        found = [self._source.blame(self._localize(line).rstrip(".")) for line in complaints]
        explained = explained or bool(found)
        if not alive and not explained:
            said = last_lines or "Its log is empty."
            found.append(Problem("master(8) does not start", said, self._source.master_path))
        for listener, conversation in conversations:
            found += self._judge(listener, conversation, staged, explained or not alive, last_lines)
        return found or list(canary_upstreams.judge(trials, log, self._source))

    def _localize(self, text: str) -> str:
        return text.replace(self._home.tree, "")

    def _ask(
        self, pool: Executor, canary: Canary, staged: Configuration
    ) -> list[tuple[CanaryListener, Future[Conversation]]]:
        own_names = list(filter(None, dict.fromkeys(staged.value(name) for name in ("myhostname", "mydomain"))))
        outsiders = choose_outsiders(staged.value("mynetworks"), staged.value("inet_protocols"))
        return [
            (one, pool.submit(converse, self._home.socket(one.name), one.implicit_tls, outsider, own_names))
            for one in canary.listeners
            for outsider in ([""] if one.screens else outsiders)
        ]

    def _judge(
        self,
        listener: CanaryListener,
        conversation: Conversation,
        staged: Configuration,
        explained: bool,
        last_lines: str,
    ) -> t.Iterator[Problem]:
        """Turn a conversation into problems.

        :param explained: whether Postfix logged a problem that may be the cause of a missing greeting or TLS.
        :param last_lines: the end of Postfix's log, for a problem that nothing explains.
        """
        name = f"{listener.service.name} {listener.service.type}"
        if not explained and conversation.tls_failure:
            said = f"{name}: {conversation.tls_failure}"
            advice = f"Check its certificate, key and TLS protocols. {last_lines}".rstrip()
            yield self._source.on_service(said, listener.service, advice)
        elif not explained and not conversation.greeted:
            advice = f"Check its options. {last_lines}".rstrip()
            yield self._source.on_service(f"{name} sends no greeting", listener.service, advice)
        elif not explained and conversation.unasked:
            said = f"{name} cannot be tested as an open relay: {conversation.unasked}"
            yield self._source.on_service(said, listener.service, f"Check its options. {last_lines}".rstrip())
        if listener.public and conversation.login_in_clear:
            said = f'{name} offers "{conversation.login_in_clear}" before TLS'
            yield self._source.on(said, "smtpd_tls_auth_only", "Set smtpd_tls_auth_only = yes.")
        if listener.public and conversation.relayed:
            yield self._open_relay(f"{name} is an open relay: {conversation.relayed}", staged)

    def _open_relay(self, said: str, staged: Configuration) -> Problem:
        mynetworks = staged.value("mynetworks")
        if any(all(_inside(one, mynetworks) for one in family) for family in (_OUTSIDERS, _OUTSIDERS_6)):
            return self._source.on(said, "mynetworks", "List only networks whose hosts may all send to any domain.")
        names = ("smtpd_relay_restrictions", "smtpd_recipient_restrictions")
        name = next(filter(self._source.sets, names), names[0])
        return self._source.on(
            said, name, "Put reject_unauth_destination before every rule that permits unknown clients."
        )


def is_problem(complaint: str) -> bool:
    """Whether a complaint of Postfix is one of the configuration."""
    return not _NO_PROBLEM.search(complaint)


def choose_outsiders(mynetworks: str, protocols: str) -> list[str]:
    """Choose an IPv4 and an IPv6 address outside ``mynetworks``, or the first one if all are inside."""
    families = {"ipv4": _OUTSIDERS, "ipv6": _OUTSIDERS_6}
    spoken = [family for name, family in families.items() if name in protocols] or list(families.values())
    return [next((one for one in family if not _inside(one, mynetworks)), family[0]) for family in spoken]


def _inside(address: str, mynetworks: str) -> bool:
    """Whether a network of ``mynetworks`` contains an address. Lookup tables are not evaluated."""
    known = ip_address(address.replace("IPV6:", ""))
    for word in split_words(mynetworks):
        try:
            if known in ip_network(word.replace("[", "").replace("]", ""), strict=False):
                return True
        except ValueError:
            continue
    return False
