# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of every kind, sent in one task and read back from a real mailbox with the parser of the standard library.

They are sent once directly to port 25 of the destination, and once through a provider that requires a login.
"""

from __future__ import annotations

import base64
import re
import typing as t
import uuid
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.conftest import parse

AUTHOR = "deploy@provider.test"
FOLDER = "/srv/lab-message"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
FORWARDED = b"From: a@sender.test\r\nSubject: the first one\r\nMIME-Version: 1.0\r\n\r\n.Hello\r\n"
FILES = {
    "größen 2026.csv": "größe;wert\n1;2\n".encode(),
    "报告.pdf": b"%PDF-1.4\n\0\xff\r\n.\r\n",
    "logo.png": PNG,
    "forwarded.eml": FORWARDED,
    "eight-bit.eml": FORWARDED.replace(b"Hello", "Größe".encode()),
    "unknown": bytes(range(256)),
}
INVITATION = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//lab//EN
METHOD:REQUEST
BEGIN:VEVENT
UID:1@sender.test
DTSTAMP:20260301T110000Z
DTSTART:20260302T110000Z
SUMMARY:Größenprüfung
ORGANIZER:mailto:deploy@provider.test
ATTENDEE:mailto:inbox@dest.test
END:VEVENT
END:VCALENDAR
"""


def path(name: str) -> str:
    return f"{FOLDER}/{name}"


#: Name of a message, which is its subject if it sets none: options of the message, over DEFAULTS.
MESSAGES: dict[str, dict[str, t.Any]] = {
    "text": {"body": "Hello\n\nWorld"},
    "subject alone": {},
    "empty body": {"body": ""},
    "text and HTML": {"body": "Zeile eins", "html": "<p>Zeile <b>eins</b></p>"},
    "HTML alone": {"html": '<h1>Fertig</h1><p>Mehr <a href="https://sender.test/x">hier</a>.</p>'},
    "HTML by subtype": {"body": "<p>Größe</p>", "subtype": "html"},
    "line ends": {"body": "a\r\nb\rc\n\nd \t\n \n"},
    "dots": {"body": ".\n..\n.x\n\n.\nQUIT\n."},
    "eight bits": {"body": "Größe 部署完成 🚀\n.ü\n" + "ü" * 3000},
    "another charset": {"body": "größe", "charset": "iso-8859-1", "subject": "Größe"},
    "a line of 998": {"body": "x" * 998},
    "long lines": {"body": "x" * 999 + "\n" + "yz " * 5000 + "\n."},
    "long subject": {"subject": "部署完成 Größe " * 40 + "Ende"},
    "names": {"from": f'"Doe, Jö" <{AUTHOR}>', "to": '"Köln; Büro (2)" <inbox@dest.test>'},
    "comma": {"to": "inbox@dest.test, Ops <ops@dest.test>", "cc": ["Cc <postmaster@dest.test>"]},
    "bcc": {"bcc": "Hidden <ops@dest.test>"},
    "IDN": {"to": "info@bücher.test"},
    "SMTPUTF8": {"to": "Jörg <jörg@dest.test>"},
    "attachments by path": {
        "body": "Anbei",
        "attachments": [{"path": path("größen 2026.csv")}, {"path": path("报告.pdf")}, {"path": path("unknown")}],
    },
    "attachments by content": {
        "attachments": [
            {
                "name": 'of "quotes" \\ and 报告 of a name that is far too long for one line of a header.txt',
                "content": "ü",
            },
            {"name": "data", "content": "{}\n", "type": "application/json; schema=x"},
        ]
    },
    "attach": {"attach": f"{path('logo.png')},{path('unknown')}"},
    "inline image": {
        "html": '<p>Logo: <img src="cid:logo"></p>',
        "inline": [{"path": path("logo.png"), "cid": "logo", "mime_type": "image/png"}],
        "attachments": [{"path": path("größen 2026.csv")}],
    },
    "message": {"body": "Below", "attachments": [{"path": path("forwarded.eml")}]},
    "8-bit message": {"attachments": [{"path": path("eight-bit.eml")}]},
    "large": {"attachments": [{"path": path("large")}]},
    "invitation": {"body": "Come", "invitation": INVITATION},
    "replies": {
        "reply_to": ["Büro <office@sender.test>", "b@sender.test"],
        "in_reply_to": "<2@sender.test>",
        "references": [f"<{'1' * 60}-{number}@sender.test>" for number in range(40)],
    },
    "list": {
        "list_unsubscribe": ["https://sender.test/u?a=1&b=2", "mailto:off@sender.test?subject=off"],
        "one_click_unsubscribe": True,
        "priority": "high",
        "auto_submitted": "no",
    },
    "headers": {"headers": {"X-Build": "4711 größe", "X-Step": ["one", "two"], "X-Long": "word " * 400 + "end"}},
    "headers as strings": {"headers": ["X-Build=4711|b"]},
    "date": {"date": "2026-03-01T12:00:00+01:00"},
    "idempotency key": {"idempotency_key": "build 4711"},
    "envelope": {"envelope_from": "bounces@provider.test"},
    "null sender": {"envelope_from": "<>"},
}
DEFAULTS = {"from": f"Bereitstellung <{AUTHOR}>", "to": "Jö Doe <inbox@dest.test>"}

#: Fields that a message may contain only once (RFC 5322 section 3.6).
SINGULAR = ("From", "To", "Cc", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type")


class Way(t.NamedTuple):
    """The messages that arrived by one way: raw by name, and the copies for other recipients."""

    result: dict[str, t.Any]
    raw: dict[str, bytes]
    copies: list[bytes]

    def message(self, name: str) -> EmailMessage:
        assert name in self.raw, f"{name!r} did not arrive: {self.result['msg']}"
        return parse(self.raw[name])

    def parts(self, name: str) -> list[EmailMessage]:
        """Return the attachments of a message."""
        return t.cast("list[EmailMessage]", list(self.message(name).iter_attachments()))


@pytest.fixture(scope="module", params=["direct", "submission"])
def way(
    request: pytest.FixtureRequest,
    send: t.Callable[..., dict[str, t.Any]],
    find_mail: t.Callable[..., list[bytes]],
    put: t.Callable[[str, str, bytes], None],
    passwords: dict[str, str],
) -> Way:
    """Send all messages, and fetch them from the mailboxes; copies are fetched separately."""
    for name, content in {**FILES, "large": PNG * 45_000}.items():
        put("client", path(name), content)
    server: dict[str, t.Any] = {"host": "mx.dest.test"}
    if request.param == "submission":
        server = {"host": "smtp.provider.test", "tls": "starttls", "username": AUTHOR, "password": passwords[AUTHOR]}
    domain = f"{uuid.uuid4().hex}.test"
    result = send(
        "client",
        **server,
        **DEFAULTS,
        message_id_domain=domain,
        messages=[{"subject": name, **options} for name, options in MESSAGES.items()],
        partial="ok",
    )
    search = f'HEADER Message-ID "{domain}"'
    found = find_mail(search, count=len(MESSAGES))
    names = dict(zip((message["message_id"] for message in result.get("messages", [])), MESSAGES, strict=False))
    raw = {names[parse(message)["Message-ID"]]: message for message in found}
    assert len(raw) == len(found), "a message arrived twice"
    return Way(result, raw, find_mail(search, mailbox="ops@dest.test", count=2))


def addresses(value: t.Any) -> list[tuple[str, str]]:
    return [(address.display_name, address.addr_spec) for address in value.addresses]


def lines(text: str | None) -> list[str]:
    return (text or "").replace("\r\n", "\n").replace("\r", "\n").splitlines()


def test_all_messages_are_sent(way: Way) -> None:
    assert way.result["failed"] is False, way.result["msg"]
    assert [message["recipients"][0]["status"] for message in way.result["messages"]] == ["sent"] * len(MESSAGES)
    assert way.result["summary"]["sent"] == len(MESSAGES) + 3  # "comma" and "bcc" have more than one recipient
    assert all(message["queue_id"] for message in way.result["messages"])
    assert len(way.result["sessions"]) == 1
    assert way.result["sessions"][-1]["tls_verified"] is True


@pytest.mark.parametrize("name", MESSAGES)
def test_message_reads_back_as_written(way: Way, name: str) -> None:
    """Checks that apply to every message."""
    options = {**DEFAULTS, "subject": name, **MESSAGES[name]}
    message = way.message(name)
    assert message["Subject"] == options["subject"]
    assert not [defect for part in message.walk() for defect in part.defects]
    forgiven = [(field, value.defects) for field, value in message.items() if getattr(value, "defects", ())]
    assert not forgiven or name == "SMTPUTF8"  # the parser treats a local part beyond ASCII as a defect
    assert not [field for field in SINGULAR if len(message.get_all(field, [])) > 1]
    assert all(len(line) <= 998 for line in way.raw[name].split(b"\r\n"))
    assert way.raw[name].isascii() or name == "SMTPUTF8"
    assert message["MIME-Version"] == "1.0"
    assert message["Auto-Submitted"] == {"no": None}.get(options.get("auto_submitted", ""), "auto-generated")
    if "date" not in options:
        assert abs(datetime.now(UTC) - message["Date"].datetime) < timedelta(minutes=10)
    body = message.get_body(("plain",))
    html = message.get_body(("html",))
    if "html" in options:
        assert html is not None
        assert lines(html.get_content()) == [options["html"]]
    elif "subtype" not in options:
        assert html is None
        assert body is not None
        assert lines(body.get_content()) == lines(options.get("body", options["subject"]))


def test_html_alone_gets_a_derived_text(way: Way) -> None:
    for name, words in {"HTML alone": ["Fertig", "https://sender.test/x"], "inline image": ["Logo:"]}.items():
        body = way.message(name).get_body(("plain",))
        assert body is not None
        assert not [word for word in words if word not in body.get_content()], body.get_content()
        assert "<" not in body.get_content().replace("<https", "")


def test_html_by_subtype(way: Way) -> None:
    html = way.message("HTML by subtype").get_body(("html",))
    assert html is not None
    assert lines(html.get_content()) == ["<p>Größe</p>"]


def test_text_comes_before_html(way: Way) -> None:
    message = way.message("text and HTML")
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


def test_transfer_encoding_and_charset(way: Way) -> None:
    encodings = {
        name: way.message(name)["Content-Transfer-Encoding"] for name in ("text", "a line of 998", "long lines")
    }
    assert encodings == {"text": "7bit", "a line of 998": "7bit", "long lines": "quoted-printable"}
    assert way.message("another charset").get_content_charset() == "iso-8859-1"
    assert b"=?iso-8859-1?" in way.raw["another charset"].lower()


def test_names_and_addresses_in_the_header(way: Way) -> None:
    message = way.message("names")
    assert addresses(message["From"]) == [("Doe, Jö", AUTHOR)]
    assert addresses(message["To"]) == [("Köln; Büro (2)", "inbox@dest.test")]
    assert addresses(way.message("comma")["To"]) == [("", "inbox@dest.test"), ("Ops", "ops@dest.test")]
    assert addresses(way.message("comma")["Cc"]) == [("Cc", "postmaster@dest.test")]
    assert addresses(way.message("text")["From"]) == [("Bereitstellung", AUTHOR)]
    assert way.message("text")["Cc"] is None


def test_bcc_is_not_in_any_copy(way: Way) -> None:
    assert way.message("bcc")["Bcc"] is None
    assert b"ops@dest.test" not in way.raw["bcc"]
    copies = {parse(copy)["Subject"]: parse(copy) for copy in way.copies}
    assert set(copies) == {"comma", "bcc"}
    assert copies["bcc"]["Bcc"] is None
    assert addresses(copies["bcc"]["To"]) == [("Jö Doe", "inbox@dest.test")]


def test_addresses_beyond_ascii(way: Way) -> None:
    """A domain is sent as A-labels and needs no extension; a local part is sent unchanged and needs SMTPUTF8."""
    assert addresses(way.message("IDN")["To"]) == [("", "info@xn--bcher-kva.test")]
    assert "Jörg <jörg@dest.test>".encode() in way.raw["SMTPUTF8"]
    assert re.search(rb"with UTF8SMTP", way.raw["SMTPUTF8"])
    assert not re.search(rb"with UTF8SMTP", way.raw["IDN"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "attachments by path",
            [
                ("größen 2026.csv", "text/csv", FILES["größen 2026.csv"]),
                ("报告.pdf", "application/pdf", FILES["报告.pdf"]),
                ("unknown", "application/octet-stream", FILES["unknown"]),
            ],
        ),
        (
            "attachments by content",
            [
                (MESSAGES["attachments by content"]["attachments"][0]["name"], "text/plain", "ü".encode()),
                ("data", "application/json", b"{}\n"),
            ],
        ),
        ("attach", [("logo.png", "image/png", PNG), ("unknown", "application/octet-stream", FILES["unknown"])]),
        ("large", [("large", "application/octet-stream", PNG * 45_000)]),
        ("8-bit message", [("eight-bit.eml", "application/octet-stream", FILES["eight-bit.eml"])]),
    ],
)
def test_attachments_read_back_unchanged(way: Way, name: str, expected: list[tuple[str, str, bytes]]) -> None:
    parts = way.parts(name)
    found = [(part.get_filename(), part.get_content_type(), part.get_payload(decode=True)) for part in parts]
    assert [one[:2] for one in found] == [one[:2] for one in expected]
    assert [one[2] for one in found] == [one[2] for one in expected]
    assert {part.get_content_disposition() for part in parts} == {"attachment"}
    assert way.message(name).get_content_type() == "multipart/mixed"


def test_parameters_of_the_media_type(way: Way) -> None:
    csv, data = way.parts("attachments by path")[0], way.parts("attachments by content")[1]
    assert csv.get_content_charset() == "utf-8"
    assert data.get_param("schema") == "x"


def test_html_refers_to_its_inline_image(way: Way) -> None:
    message = way.message("inline image")
    alternative, csv = message.iter_parts()
    text, related = t.cast("EmailMessage", alternative).iter_parts()
    html, image = t.cast("EmailMessage", related).iter_parts()
    assert [part.get_content_type() for part in (message, alternative, text, related, html, image, csv)] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "text/csv",
    ]
    shown = re.search(r'src="cid:([^"]+)"', html.get_content())
    assert shown
    assert image["Content-ID"] == f"<{shown[1]}>"
    assert image.get_content() == PNG
    assert image.get_content_disposition() == "inline"
    assert related.get_param("type") == "text/html"


def test_attached_message_stays_a_message(way: Way) -> None:
    [part] = way.parts("message")
    assert part.get_content_type() == "message/rfc822"
    inner = part.get_content()
    assert inner["Subject"] == "the first one"
    assert lines(inner.get_content()) == [".Hello"]


def test_invitation_is_an_alternative_for_calendars(way: Way) -> None:
    message = way.message("invitation")
    assert message.get_content_type() == "multipart/alternative"
    text, event = message.iter_parts()
    assert (text.get_content_type(), event.get_content_type()) == ("text/plain", "text/calendar")
    assert event.get_param("method") == "REQUEST"
    assert event.get_content_charset() == "utf-8"
    assert event.get_content_disposition() is None
    assert lines(event.get_content()) == lines(INVITATION)


def test_reply_and_thread_fields(way: Way) -> None:
    message = way.message("replies")
    assert addresses(message["Reply-To"]) == [("Büro", "office@sender.test"), ("", "b@sender.test")]
    assert message["In-Reply-To"] == "<2@sender.test>"
    assert message["References"].split() == [*MESSAGES["replies"]["references"], "<2@sender.test>"]


def test_list_and_priority_fields(way: Way) -> None:
    message = way.message("list")
    https, mailto = MESSAGES["list"]["list_unsubscribe"]
    assert message["List-Unsubscribe"] == f"<{https}>, <{mailto}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (message["X-Priority"], message["Importance"], message["Priority"]) == ("1", "high", "urgent")


def test_custom_headers(way: Way) -> None:
    message = way.message("headers")
    assert message["X-Build"] == "4711 größe"
    assert message.get_all("X-Step") == ["one", "two"]
    assert message["X-Long"].split() == ["word"] * 400 + ["end"]
    assert way.message("headers as strings")["X-Build"] == "4711|b"


def test_given_date_is_used(way: Way) -> None:
    assert way.message("date")["Date"].datetime == datetime(2026, 3, 1, 11, tzinfo=UTC)


def test_return_path_is_the_envelope_sender(way: Way) -> None:
    paths = {name: way.message(name)["Return-Path"] for name in ("text", "envelope", "null sender")}
    assert paths == {"text": f"<{AUTHOR}>", "envelope": "<bounces@provider.test>", "null sender": "<>"}
    assert addresses(way.message("null sender")["From"]) == [("Bereitstellung", AUTHOR)]
