# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages are followed through logs of Postfix 3.7 (short queue IDs) and 3.10 (long ones), and made-up lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._postfix.log import (
    Line,
    Trace,
    arrival,
    parse_line,
    trace,
)

RELEASES = ("3.7", "3.10")


def read_log(release: str) -> list[Line]:
    text = Path(__file__).with_name(f"postfix-{release}.log").read_text()
    return [line for line in map(parse_line, text.splitlines()) if line]


def named(lines: list[Line], name: str) -> str:
    """The first queue ID of the message whose Message-ID begins with ``name``."""
    return next(line.text.partition(": ")[0] for line in lines if line.text.endswith(f"message-id=<{name}@c.test>"))


def follow(release: str, name: str) -> Trace:
    lines = read_log(release)
    return trace(lines, named(lines, name))


def lines_of(*texts: str, head: str = "Nov 21 23:00:00 relay postfix/smtp[12]: ") -> list[Line]:
    parsed = [parse_line(head + text) for text in texts]
    return [line for line in parsed if line]


SENT = (
    "4dDwwB5hD2z4w: to=<a@b.test>, relay=smtp.p.test[2001:db8::1]:587, delay=0.2, delays=0.1/0/0/0.1, dsn=2.0.0, "
    "status=sent (250 2.0.0 Ok: queued as 4dDwwC0KT5z4x)"
)
DEFERRED = (
    "4dDwwB5hD2z4w: to=<c@d.test>, orig_to=<c>, relay=none, delay=30, delays=0/0/30/0, dsn=4.4.1, "
    "status=deferred (connect to smtp.p.test[203.0.113.20]:587: Connection refused)"
)
ACTIVE = "4dDwwB5hD2z4w: from=<x@y.test>, size=400, nrcpt=1 (queue active)"
REMOVED = "4dDwwB5hD2z4w: removed"


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("name", "relays"),
    [
        ("ok", ["smtp.provider.test[127.0.0.2]:2525", "none"]),
        ("six", ["::1[::1]:2525", "none"]),
        (
            "filter",
            ["127.0.0.1[127.0.0.1]:10025", "127.0.0.1[127.0.0.1]:10027", "smtp.provider.test[127.0.0.2]:2525", "none"],
        ),
    ],
)
def test_every_hop_on_this_host_is_followed(release: str, name: str, relays: list[str]) -> None:
    found = follow(release, name)
    assert found.sent
    assert [hop.relay for hop in found.hops] == relays
    for hop, following in zip(found.hops, found.hops[1:], strict=False):
        assert hop.next_queue_id == following.queue_id


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("name", "certificate"), [("ok", "verified"), ("six", "trusted"), ("may", "untrusted"), ("wrongname", None)]
)
def test_hop_has_the_tls_of_its_connection(release: str, name: str, certificate: str | None) -> None:
    tls = follow(release, name).hops[0].tls
    assert tls
    assert tls.protocol == "TLSv1.3"
    assert certificate in (tls.certificate, None)
    assert follow(release, "refused").hops[0].tls is None


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", ["unknown", "size", "denied5", "loop"])
def test_bounce_names_the_notification_of_the_sender(release: str, name: str) -> None:
    found = follow(release, name)
    assert [hop.status for hop in found.hops] == ["bounced"]
    assert found.tried
    assert not found.sent
    (notification,) = trace(read_log(release), found.hops[0].notification_id).hops
    assert notification.recipient == "a@sender.test"


@pytest.mark.parametrize("release", RELEASES)
def test_complaint_about_a_connection_belongs_to_the_next_delivery(release: str) -> None:
    (hop,) = follow(release, "wrongname").hops
    assert hop.status == "deferred"
    assert hop.complaints == (
        "server certificate verification failed for other.test[127.0.0.3]:2525: num=62:hostname mismatch",
    )
    assert follow(release, "six").hops[0].complaints == ()


def test_complaint_of_tlsproxy_belongs_to_the_delivery_to_that_server() -> None:
    """tlsproxy opens the connections that smtp reuses. A complaint about another server is not used."""
    complaint = "server certificate verification failed for smtp.p.test[192.0.2.1]:587: num=62:hostname mismatch"
    delays = "delay=0.1, delays=0.02/0.04/0.05/0"
    status = "dsn=4.7.5, status=deferred (Server certificate not verified)"
    said = (
        f"postfix/tlsproxy[7]: {complaint}",
        "postfix/tlsproxy[7]: certificate verification failed for other.test[192.0.2.2]:587: certificate has expired",
        f"postfix/smtp[8]: 4jXPx11y6ZzQHZv: to=<a@b.test>, relay=smtp.p.test[192.0.2.1]:587, {delays}, {status}",
    )
    lines = [parse_line(f"1795342277.384244 relay {text}") for text in said]
    (hop,) = trace(filter(None, lines), "4jXPx11y6ZzQHZv").hops
    assert hop.complaints == (complaint,)


@pytest.mark.parametrize("release", RELEASES)
def test_original_recipient_of_an_alias_is_kept(release: str) -> None:
    hop = follow(release, "two").hops[0]
    assert (hop.recipient, hop.orig_recipient, hop.status) == ("real@ok.test", "alias@ok.test", "sent")


@pytest.mark.parametrize("release", RELEASES)
def test_held_and_discarded_messages_are_not_sent(release: str) -> None:
    lines = read_log(release)
    discarded = next(line.text for line in lines if ": discard: " in line.text).partition(": ")[0]
    for queue_id, status in ((discarded, "discarded"), (named(lines, "hold"), "held")):
        found = trace(lines, queue_id)
        assert [(hop.status, hop.recipient) for hop in found.hops] == [(status, "")]
        assert found.tried
        assert not found.sent


def test_fields_of_a_delivery() -> None:
    (hop,) = trace(lines_of(SENT, REMOVED), "4dDwwB5hD2z4w").hops
    assert (hop.recipient, hop.relay, hop.delays) == ("a@b.test", "smtp.p.test[2001:db8::1]:587", "0.1/0/0/0.1")
    assert (hop.dsn, hop.status, hop.text) == ("2.0.0", "sent", "250 2.0.0 Ok: queued as 4dDwwC0KT5z4x")
    assert hop.next_queue_id == "4dDwwC0KT5z4x"


def test_additional_attributes_of_later_releases_are_ignored() -> None:
    more = SENT.replace(" dsn=", " tls=secure/dane, dsn=")
    assert trace(lines_of(more, REMOVED), "4dDwwB5hD2z4w").sent


def test_message_is_sent_only_if_every_recipient_is() -> None:
    two = ACTIVE.replace("nrcpt=1", "nrcpt=2")
    assert not trace(lines_of(two, SENT), "4dDwwB5hD2z4w").tried
    found = trace(lines_of(two, SENT, DEFERRED), "4dDwwB5hD2z4w")
    assert found.tried
    assert [hop.recipient for hop in found.open] == ["c@d.test"]
    assert not trace(lines_of(SENT, DEFERRED.replace("deferred", "bounced"), REMOVED), "4dDwwB5hD2z4w").sent


def test_last_attempt_decides() -> None:
    later = DEFERRED.replace("dsn=4.4.1, status=deferred", "dsn=2.0.0, status=sent")
    assert trace(lines_of(DEFERRED, later, REMOVED), "4dDwwB5hD2z4w").sent


@pytest.mark.parametrize(
    "said",
    [
        "550 no, dsn=2.0.0, status=sent (250 fine)",
        "550 no), dsn=2.0.0, status=sent (250 fine",
        "550 to=<a@b.test>, relay=x, delays=0/0/0/0, dsn=2.0.0, status=sent (250 fine)",
    ],
)
def test_reply_of_the_next_server_cannot_forge_a_status(said: str) -> None:
    bounced = SENT.replace("status=sent (250 2.0.0 Ok: queued as 4dDwwC0KT5z4x", f"status=bounced ({said}")
    assert [hop.status for hop in trace(lines_of(bounced, REMOVED), "4dDwwB5hD2z4w").hops] == ["bounced"]


def test_queue_id_on_the_next_server_is_not_followed() -> None:
    assert len(trace(lines_of(SENT, REMOVED, "4dDwwC0KT5z4x9: removed"), "4dDwwB5hD2z4w").hops) == 1


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ("4dDwwB5hD2z4w: from=<x@y.test>, status=expired, returned to sender", "expired"),
        ("4dDwwB5hD2z4w: from=<x@y.test>, status=force-expired, returned to sender", "expired"),
        ("4dDwwB5hD2z4w: placed on hold", "held"),
        ("4dDwwB5hD2z4w: milter-hold: END-OF-MESSAGE from c.test[192.0.2.1]: milter triggers HOLD action", "held"),
        (
            "4dDwwB5hD2z4w: milter-discard: END-OF-MESSAGE from c.test[192.0.2.1]: milter triggers DISCARD action",
            "discarded",
        ),
        ("4dDwwB5hD2z4w: removed", "deleted"),
    ],
)
def test_status_of_a_message_without_a_delivery(event: str, status: str) -> None:
    found = trace(lines_of(ACTIVE, event), "4dDwwB5hD2z4w")
    assert [hop.status for hop in found.hops] == [status]
    assert found.tried
    assert not found.sent
    assert not trace(
        lines_of(ACTIVE, "4dDwwB5hD2z4w: placed on hold", "4dDwwB5hD2z4w: released from hold"), "4dDwwB5hD2z4w"
    ).hops


def test_message_resubmitted_by_a_program_is_followed_by_message_id() -> None:
    filtered = SENT.replace("250 2.0.0 Ok: queued as 4dDwwC0KT5z4x", "delivered via filter service")
    pipe = lines_of(
        "4dDwwB5hD2z4w: message-id=<n@x>", filtered, REMOVED, head="Nov 21 23:00:00 relay postfix/pipe[9]: "
    )
    back = lines_of("4dDwwF0KT5z4y: message-id=<n@x>", SENT.replace("4dDwwB5hD2z4w", "4dDwwF0KT5z4y"))
    found = trace([*pipe, *back], "4dDwwB5hD2z4w")
    assert [hop.queue_id for hop in found.hops] == ["4dDwwB5hD2z4w", "4dDwwF0KT5z4y"]
    assert not found.tried
    assert "<n@x>" in found.words


def test_empty_message_id_is_not_followed() -> None:
    found = trace(lines_of("4dDwwB5hD2z4w: message-id=<>", SENT, REMOVED), "4dDwwB5hD2z4w")
    assert found.words == {"4dDwwB5hD2z4w", "4dDwwC0KT5z4x"}


@pytest.mark.parametrize("name", ["ok", "six", "filter"])
def test_trace_names_the_words_and_processes_to_search_for(name: str) -> None:
    """The lines with those words and of those processes give the same trace as the whole log."""
    lines = read_log("3.10")
    whole = trace(lines, named(lines, name))
    words: frozenset[str] = frozenset([named(lines, name)])
    for _round in range(9):
        words |= trace([line for line in lines if any(word in line.text for word in words)], named(lines, name)).words
    pids = trace([line for line in lines if any(word in line.text for word in words)], named(lines, name)).pids
    some = [line for line in lines if line.pid in pids or any(word in line.text for word in words)]
    assert trace(some, named(lines, name)) == whole
    assert len(some) < len(lines) / 2


HEADS: list[tuple[str, str]] = [
    ("1795325641.095954 relay postfix/smtp[612]: ", "2026-11-22T05:34:01.095+00:00"),
    ("Nov  2 05:34:01 relay postfix/smtp[612]: ", "Nov  2 05:34:01"),
    ("2026-11-22T05:34:01.095954+01:00 relay postfix/smtp[612]: ", "2026-11-22T05:34:01.095954+01:00"),
]


@pytest.mark.parametrize(("head", "time"), HEADS)
def test_timestamps_of_each_log_format(head: str, time: str) -> None:
    assert parse_line(f"{head}{REMOVED}\n") == Line(time, "postfix/smtp", 612, REMOVED)


def test_line_in_another_format_is_none() -> None:
    assert parse_line("-- Boot 4e7e277accf94a9889a583406e0a8e6d --") is None


@pytest.mark.parametrize(
    ("queue_id", "arrived"),
    [("4jXHn44GMCzHnsw", 1795325640.0), ("4jXHn42bzhzHnst", 1795325640.0), ("BCED5200649", None), ("ABCDEF1234", None)],
)
def test_long_queue_id_has_the_time_of_arrival(queue_id: str, arrived: float | None) -> None:
    assert arrival(queue_id) == arrived


def test_unknown_queue_id_has_no_hops() -> None:
    found = trace(read_log("3.10"), "4dDwwB5hD2z4w")
    assert not found.hops
    assert not found.sent
    assert not found.tried
