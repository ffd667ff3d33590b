# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What replies mean in the dialects of servers: the ID of a message, and too many recipients for one transaction."""

from __future__ import annotations

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._smtp.delivery import (
    DeliveryResult,
    DeliveryStatus,
    RecipientResult,
    too_many_recipients,
)
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.errors import Stage
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.reply import Reply, ReplyParser


def parsed(text: str) -> Reply:
    """The reply of these lines."""
    parser = ReplyParser()
    *_none, reply = [parser.feed(line.encode() + b"\r\n") for line in text.split("\n")]
    assert reply is not None
    return reply


#: Server -> its reply to the content, and the ID in it
QUEUE_IDS = {
    "Postfix": ("250 2.0.0 Ok: queued as 4dDwwB5hD2z4w", "4dDwwB5hD2z4w"),
    "Postfix, short": ("250 2.0.0 Ok: queued as 1B2C3", "1B2C3"),
    "Postfix behind amavis": (
        "250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 4FgXyz1AbCz9s",
        "4FgXyz1AbCz9s",
    ),
    "amavis with its own ID": (
        "250 2.0.0 Ok, id=12345-06, from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 4FgXyz1AbCz9s",
        "4FgXyz1AbCz9s",
    ),
    "Zimbra": ("250 2.0.0 Ok: queued as D3A5F1C2B4", "D3A5F1C2B4"),
    "Proxmox Mail Gateway": ("250 2.5.0 OK (2A4B6C8D0E1F3A5B)", "2A4B6C8D0E1F3A5B"),
    "Exim": ("250 OK id=1rABCD-000123-Xy", "1rABCD-000123-Xy"),
    "Exim 4.97": ("250 OK id=1rABCD-00000001abc-2Xyz", "1rABCD-00000001abc-2Xyz"),
    "Mail.ru": ("250 OK id=1rABCD-0001Ab-Cd", "1rABCD-0001Ab-Cd"),
    "GMX": ("250 Requested mail action okay, completed: id=0MOS5e-1t2W3X0abc-005abc", "0MOS5e-1t2W3X0abc-005abc"),
    "Sendmail": ("250 2.0.0 45SKXkZC012345 Message accepted for delivery", "45SKXkZC012345"),
    "FortiMail": (
        "250 2.0.0 4AS5xkZC012345-4AS5xkZD012345 Message accepted for delivery",
        "4AS5xkZC012345-4AS5xkZD012345",
    ),
    "OpenSMTPD": ("250 2.0.0 3f5b1a2c Message accepted for delivery", "3f5b1a2c"),
    "OpenSMTPD 5": ("250 2.0.0: 7d3e1f8a Message accepted for delivery", "7d3e1f8a"),
    "Kerio": ("250 2.0.0 5f3a1b2c-00001234 Message accepted for delivery", "5f3a1b2c-00001234"),
    "CommuniGate": ("250 12345678 message accepted for delivery", "12345678"),
    "qmail": ("250 ok 1700000000 qp 12345", "12345"),
    "MessageLabs": ("250 ok 1700000000 qp 312 server-5.tower-123.messagelabs.com!1700000000!12345!1", "312"),
    "Gmail": (
        "250 2.0.0 OK  1717171717 ffacd0b85a97d-35dd0667a5bsi12345f8f.10 - gsmtp",
        "ffacd0b85a97d-35dd0667a5bsi12345f8f.10",
    ),
    "Gmail with a verdict": ("250 2.0.0 OK DMARC:Quarantine 1438000000 abc123def.4 - gsmtp", "abc123def.4"),
    "Ethereal": ("250 Accepted [STATUS=new MSGID=ZXyabc.def-1]", "ZXyabc.def-1"),
    "OpenSMTPD, letters": ("250 2.0.0 deadbeef Message accepted for delivery", "deadbeef"),
    "OpenSMTPD 5, letters": ("250 2.0.0: abcdefab Message accepted for delivery", "abcdefab"),
    "queue ID with a hyphen": ("250 Queue-Id: AB12", "AB12"),
    "queue ID with an underscore": ("250 2.0.0 OK queue_id=AB12", "AB12"),
    "queue ID in one word": ("250 ok QueueID: AB12.", "AB12"),
    "ID with a colon": ("250 2.0.0 Ok Id: 12-ab", "12-ab"),
    "ID of letters": ("250 Accepted: id=xyz for delivery", "xyz"),
    "ID in parentheses": ("250 (id abc-9)", "abc-9"),
    "ID in parentheses, last": ("250 2.0.0 Message accepted (id=abc-9)", "abc-9"),
    "hexadecimal digits": ("250 OK 0123456789abcdef0123456789abcdef queued", "0123456789abcdef0123456789abcdef"),
    "in angle brackets": ("250 OK <0123456789abcdef0123456789abcdef> queued", "0123456789abcdef0123456789abcdef"),
    "Message-ID": ("250 OK; Message-Id: <abc12@x>", "abc12@x"),
    "with another form of the code": ("250 [2.0.0] 45SKXkZC012345 Message accepted for delivery", "45SKXkZC012345"),
    "Amazon SES": (
        "250 Ok 0102018f1b2c3d4e-12345678-90ab-cdef-1234-567890abcdef-000000",
        "0102018f1b2c3d4e-12345678-90ab-cdef-1234-567890abcdef-000000",
    ),
    "Exchange": (
        "250 2.6.0 <a@c.test> [InternalId=5368709120, Hostname=EX1] 1 bytes in 0.1, 9 KB/sec Queued mail for delivery",
        "5368709120",
    ),
    "Microsoft 365, submission": (
        "250 2.0.0 OK <DB9PR01@DB9PR01.eurprd01.prod.outlook.com> [Hostname=DB9PR01.eurprd01.prod.outlook.com]",
        "DB9PR01@DB9PR01.eurprd01.prod.outlook.com",
    ),
    "Windows SMTP service": ("250 2.6.0 <SRVabc00000001@srv.test> Queued mail for delivery", "SRVabc00000001@srv.test"),
    "Haraka": ("250 Message Queued (5F0D1F2E-6A3B-4C1D-9E8F-0A1B2C3D4E5F.1)", "5F0D1F2E-6A3B-4C1D-9E8F-0A1B2C3D4E5F.1"),
    "MDaemon": ("250 2.6.0 Ok, message saved <Message-ID: 1a2b@c.test>", "1a2b@c.test"),
    "Courier": ("250 Ok. 0000000000A1B2C3.000000006543210F.00001234", "0000000000A1B2C3.000000006543210F.00001234"),
    "SendGrid": ("250 Ok: queued as -x1Q2_hTSyKabc0dEfGhIj", "-x1Q2_hTSyKabc0dEfGhIj"),
    "Mailjet": ("250 OK queued as 1c2b3a4d-0000-4000-8000-1234567890ab", "1c2b3a4d-0000-4000-8000-1234567890ab"),
    "Brevo": (
        "250 2.0.0 OK: queued as <202401011234.12345678901@smtp-relay.mailin.fr>",
        "202401011234.12345678901@smtp-relay.mailin.fr",
    ),
    "SparkPost": ("250 2.0.0 OK B5/D8-24371-0E2C1A56", "B5/D8-24371-0E2C1A56"),
    "Elastic Email": ("250 OK 5fdbc0de-1234-4abc-8def-001122334455", "5fdbc0de-1234-4abc-8def-001122334455"),
    "Yandex": (
        "250 2.0.0 Ok: queued on mail-nwsmtp-smtp-production-main-12.iva.yp-c.yandex.net 1700000000-AbCdEf1Ghi-XyZ",
        "1700000000-AbCdEf1Ghi-XyZ",
    ),
    "Yandex, older": ("250 2.0.0 Ok: queued on smtp2m.mail.yandex.net as 1540000000-Xy1", "1540000000-Xy1"),
    "163": (
        "250 Mail OK queued as gzga-smtp-mta-g1-0,_____wDnL1aBcD12.12345S2 1700000000",
        "gzga-smtp-mta-g1-0,_____wDnL1aBcD12.12345S2",
    ),
    "Alibaba DirectMail": ("250 Data Ok: queued as freedom ### envid=600000123456", "600000123456"),
    "Sina": ("250 ok queue id 1234567890", "1234567890"),
    "Stalwart": ("250 2.0.0 Message queued with id 1a2b3c4d5e.", "1a2b3c4d5e"),
    "Cyrus": ("250 2.1.5 Ok SESSIONID=<cyrus-1234-1700000000-1-567890>", "cyrus-1234-1700000000-1-567890"),
    "Dovecot LMTP": ("250 2.0.0 <one@b.test> 8Gi6OvL7X1zwfQAAtxSqlw Saved", "8Gi6OvL7X1zwfQAAtxSqlw"),
    "iCloud": ("250 2.5.0 Ok, envelope id 0SAB00L12345AB@ms1.mac.test", "0SAB00L12345AB@ms1.mac.test"),
    "Mimecast": ("250 SmtpThread-1-2@eu-mta-1.test Received OK [AbCdEf0123456789.eu1]", "AbCdEf0123456789.eu1"),
    "Cisco": ("250 ok:  Message 123456789 accepted", "123456789"),
    "T-Online": ("250 2.0.0 Message accepted as 1rABCD-0ab1", "1rABCD-0ab1"),
    "XMail": ("250 OK <S1A2B3C>", "S1A2B3C"),
    "MailHog": ("250 Ok: queued as eV6SPv2cT7Yl0o8k=@mailhog.example", "eV6SPv2cT7Yl0o8k=@mailhog.example"),
    "ZoneMTA": ("250 Message queued as 15a8c0d0ab0000abcd", "15a8c0d0ab0000abcd"),
    "Strato": ("250 queued as z0abcdx0ABC1234DEF", "z0abcdx0ABC1234DEF"),
    "IceWarp": ("250 2.6.0 1234 bytes received in 00:00:01; Message id ABC12345 accepted for delivery", "ABC12345"),
    "two lines of Exim": ("250-thank you\n250 OK id=1rABCD-000123-Xy", "1rABCD-000123-Xy"),
    "two lines of Sendmail": (
        "250-2.0.0 hello\n250 2.0.0 45SKXkZC012345 Message accepted for delivery",
        "45SKXkZC012345",
    ),
    "several lines": ("250-2.0.0 Thank you\n250 2.0.0 Ok: queued as 4dDwwB5hD2z4w", "4dDwwB5hD2z4w"),
    # none
    "smtp-sink": ("250 2.0.0 Ok", None),
    "aiosmtpd": ("250 OK", None),
    "nodemailer": ("250 OK: message queued", None),
    "Maddy": ("250 2.0.0 OK: queued", None),
    "QQ": ("250 OK: queued as.", None),
    "hMailServer": ("250 Queued (0.123 seconds)", None),
    "Mailgun": ("250 Great success", None),
    "Yahoo": ("250 ok dirdel", None),
    "Zoho": ("250 Message received", None),
    "James": ("250 2.6.0 Message received", None),
    "PowerMTA": ("250 2.6.0 message received", None),
    "Domino": ("250 Message accepted for delivery", None),
    "Domino, enhanced": ("250 2.0.0 Message accepted for delivery", None),
    "MailEnable": ("250 Requested mail action okay, completed", None),
    "Axigen": ("250 Mail queued for delivery", None),
    "smtp4dev": ("250 Mail accepted", None),
    "word behind id": ("250 OK, id verified", None),
    "word with id": ("250 OK, message is valid for delivery", None),
    "octets": ("250 OK 12345678 bytes queued", None),
    "empty": ("250", None),
}


@pytest.mark.parametrize("server", QUEUE_IDS)
def test_queue_id_is_found(server: str) -> None:
    text, expected = QUEUE_IDS[server]
    sent = RecipientResult("a@b.test", DeliveryStatus.SENT, Stage.END_OF_DATA, parsed(text))
    refused = RecipientResult("c@b.test", DeliveryStatus.REFUSED, Stage.RCPT, parsed("550 2.0.0 Ok: queued as 111111"))
    assert DeliveryResult("", 1, (refused, sent)).queue_id == expected


TOO_MANY = [
    "452 4.5.3 Error: too many recipients",
    "452 4.5.3 Your message has too many recipients. For more information, see support.google.com",
    "452-4.5.3 Recipients belong to multiple regions\n452 4.5.3 ATTR38",
    "452 too many recipients",
    "452 Too many recipients received this hour",
    "452 sorry, too many recipients (#4.5.3)",
    "452 Too many RCPT TO",
    "452 recipient limit exceeded",
    "452 Maximum number of recipients exceeded",
    "452 4.3.2 too many recipients",
    "452",
    "451 4.5.3 too many recipients",
    "451 Too many recipients",
    "450 Error: too many recipients",
    "450 4.5.3 one recipient at a time, please",
    "552 5.5.3 too many recipients",
    "552 4.5.3 too many recipients",
    "552 too many recipients",
    "552 5.0.0 Too many recipients",
    "552 Number of recipients exceeds the limit",
    "550 5.5.3 too many recipients",
    "554 5.5.3 Too many recipients",
    "550 Too many recipients",
    "550 sorry, too many recipients (#5.5.3)",
]
OTHER = [
    "452 4.2.2 The recipient's mailbox is full",
    "452 4.3.1 Insufficient system storage",
    "452 Requested action not taken: insufficient system storage",
    "450 4.2.0 greylisted",
    "451 4.7.1 later",
    "552 5.2.2 mailbox full",
    "552 recipient exceeded storage quota",
    "552 Requested mail action aborted: exceeded storage allocation",
    "552 5.3.4 message too big",
    "550 5.1.1 unknown",
    "550 5.7.1 too many recipients are not allowed here",
    "550 the recipient is limited",
]


@pytest.mark.parametrize("text", TOO_MANY)
def test_reply_is_about_the_number_of_recipients(text: str) -> None:
    assert too_many_recipients(parsed(text))


@pytest.mark.parametrize("text", OTHER)
def test_reply_is_about_the_recipient(text: str) -> None:
    assert not too_many_recipients(parsed(text))
