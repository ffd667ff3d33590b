# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Header and command injection: no value of any option adds a line to a header or a command."""

from __future__ import annotations

import re
import typing as t
from email import message_from_bytes, message_from_string, policy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._module.message import Composer
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.capabilities import Capabilities
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.delivery import Envelope
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.transaction import mail_command, rcpt_command
from ansible_collections.mailops.smtp.tests.unit.support.messages import check_lines

ALL = Capabilities(dict.fromkeys(("SIZE", "DSN", "SMTPUTF8", "8BITMIME", "REQUIRETLS"), ()))
GIVEN = {"from": "a@a.test", "to": "b@b.test", "subject": "s", "body": "text"}

#: Parts of an injection, after something that the option would accept.
HOSTILE = st.builds(
    lambda start, middle, end: start + "".join(middle) + end,
    st.sampled_from(["", "x", "x@y.test", "Jo <x@y.test>", '"Jo', "<x@y.test>", "https://y.test/", "2026-11-21"]),
    st.lists(
        st.sampled_from(
            ["\r\n", "\n", "\r", "\0", "\x85", "\u2028", " ", "\t", ",", ">", "<", '"', "\\", "ü", ";", "="]
        )
    ),
    st.sampled_from(["", "Evil: 1", "Evil: 1\r\n\r\nnew body", "RCPT TO:<evil@y.test>", "@y.test", ">"]),
)

#: Option: its value, made from one text.
OPTIONS: t.Mapping[str, t.Callable[[str], t.Any]] = {
    **dict.fromkeys(
        ["from", "to", "cc", "bcc", "reply_to", "envelope_from", "subject", "headers", "charset", "date", "message_id"],
        lambda text: text,
    ),
    **dict.fromkeys(["message_id_domain", "idempotency_key", "in_reply_to", "references"], lambda text: text),
    "list_unsubscribe": lambda text: [text],
    "header name": lambda text: {"headers": {text: "x"}},
    "header value": lambda text: {"headers": {"X-A": text}},
    "header address": lambda text: {"headers": {"Disposition-Notification-To": text}},
    "file name": lambda text: {"attachments": [attachment(name=text)]},
    "file type": lambda text: {"attachments": [attachment(type=text)]},
    "file cid": lambda text: {"attachments": [attachment(cid=text)], "html": "<p>x</p>"},
    "dsn": lambda text: {"dsn": {"notify": ["failure"], "full": False, "envelope_id": text}},
}


def attachment(**changes: str) -> dict[str, t.Any]:
    return {"path": None, "content": "x", "name": "a.txt", "type": None, "cid": None, **changes}


def envelope(**options: t.Any) -> Envelope:
    return Composer({**GIVEN, **options}).envelope({})


@pytest.mark.parametrize("option", OPTIONS)
@settings(max_examples=50)
@given(text=HOSTILE)
def test_no_option_adds_a_line(option: str, text: str) -> None:
    value = OPTIONS[option](text)
    try:
        made = envelope(**(value if isinstance(value, dict) else {option: value}))
    except UnicodeError:
        raise  # a ValueError without a text for the user
    except ValueError:
        return
    for command in [mail_command(made, ALL), *(rcpt_command(made, address, ALL) for address in made.recipients)]:
        assert re.fullmatch(rb"(?:MAIL FROM|RCPT TO):<[^<>\r\n\0]*>[^\r\n\0]*\r\n", command), command
    check_lines(made.content)
    header = made.content.partition(b"\r\n\r\n")[0]
    if header.isascii():
        parsed = message_from_bytes(made.content, policy=policy.default)
    else:
        parsed = message_from_string(made.content.decode(), policy=policy.default)
    fields = [name.lower() for name in parsed]
    assert len(fields) == len(set(fields)) or option == "headers"
    assert "evil" not in fields or option in ("headers", "header name")
    assert not re.search(r"(?i)^new body", str(parsed.get_payload()))


def test_image_given_as_text_is_shown_in_the_html() -> None:
    """The same text with two content IDs is two images."""
    images = [attachment(content="<svg/>", name="a.svg", cid=cid) for cid in ("one", "two")]
    parsed = message_from_bytes(
        envelope(html='<img src="cid:one"><img src="cid:two">', attachments=images).content, policy=policy.default
    )
    related = next(part for part in parsed.walk() if part.get_content_type() == "multipart/related")
    assert [part["Content-ID"] for part in related.iter_parts()][1:] == ["<one>", "<two>"]
