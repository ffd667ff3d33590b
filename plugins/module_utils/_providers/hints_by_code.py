# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What codes and common servers mean by their replies, and what to do about it, as data. The first that fits counts."""

from __future__ import annotations

from .._smtp.errors import Stage
from .provider import KnownReply

_ACCEPTING = (Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.BODY, Stage.END_OF_DATA)
_TOO_LARGE = "The message is larger than this server takes: make attachments smaller, or send a link."
_TOO_MANY_RECIPIENTS = "The server takes no more recipients for one message: send the rest in another one."
_NO_MAILBOX = "There is no such mailbox: check the spelling of the recipient."

BY_CODE: tuple[KnownReply, ...] = (
    # What has to come first: TLS, login
    KnownReply(
        "The server wants TLS first: set tls to starttls, or to implicit with port 465.",
        "RFC 3207 section 4",
        codes=(451, 454, 530, 538, 554),
        text=r"must issue a STARTTLS|STARTTLS (command )?(is )?(required|first)|encryption required",
    ),
    KnownReply(
        "The server wants a client certificate: name one that it knows in client_cert.",
        "https://www.postfix.org/postconf.5.html#smtpd_tls_req_ccert",
        codes=(421, 450, 454, 530, 550, 554),
        text=r"client certificate|certificate (is )?(required|needed)",
    ),
    KnownReply(
        "The server wants a login: give user name and password, on the submission port (587 or 465).",
        "RFC 4954 section 6",
        codes=(530, 550, 553, 554),
        text=r"authenticat\w+ (is )?(required|needed)|must authenticate|not authenticated",
    ),
    KnownReply(
        "The server refuses this kind of login as too weak for the account: use another mechanism, or an app password.",
        "RFC 4954 section 6",
        codes=(534,),
    ),
    KnownReply(
        "The server did not accept user name and password: check both, see whether the account wants an app password,"
        " and whether the user name is the full address.",
        "RFC 4954 section 6",
        codes=(535,),
    ),
    KnownReply(
        "The server cannot check logins right now: try again in a few minutes.",
        "RFC 4954 section 6",
        codes=(454,),
        stages=(Stage.AUTH,),
    ),
    # What an enhanced code says alone
    KnownReply(
        "The recipient's mailbox is full: tell the recipient in another way, and try again later.",
        "RFC 3463 section 3.3",
        enhanced=("4.2.2", "5.2.2"),
    ),
    KnownReply(_TOO_MANY_RECIPIENTS, "RFC 3463 section 3.6", enhanced=("4.5.3", "5.5.3")),
    KnownReply(_TOO_LARGE, "RFC 1870 section 6", enhanced=("5.2.3", "5.3.4")),
    KnownReply(_NO_MAILBOX, "RFC 3463 section 3.2", enhanced=("5.1.1",)),
    KnownReply(
        "The recipient's domain takes no mail or is not in DNS: check its spelling.",
        "RFC 3463 section 3.2, RFC 7505 section 4.2",
        enhanced=("4.1.2", "5.1.2", "5.1.10"),
    ),
    KnownReply(
        "The server takes no addresses beyond ASCII for this recipient: use its ASCII form.",
        "RFC 6531 section 3.2",
        enhanced=("5.6.7",),
    ),
    KnownReply(
        "SPF does not allow this address to send for the sender's domain: add it to the domain's SPF record, or send"
        " through the domain's own relay.",
        "RFC 7372 section 3.2",
        enhanced=("5.7.23", "5.7.24"),
    ),
    KnownReply(
        "The receiver wants a reverse name (PTR) for this address that leads back to it: have the owner of the address"
        " set it.",
        "RFC 7372 section 3.3",
        enhanced=("4.7.25", "5.7.25"),
    ),
    # What the words say
    KnownReply(
        "The receiver wants a reverse name (PTR) for this address that leads back to it: have the owner of the address"
        " set it.",
        "https://www.postfix.org/postconf.5.html#reject_unknown_client_hostname",
        codes=(450, 550, 554),
        text=r"cannot find your (reverse )?hostname|reverse (dns|hostname)|PTR record",
    ),
    KnownReply(
        "The receiver delays mail from senders it does not know (greylisting): try again in five to fifteen minutes,"
        " from the same address.",
        "RFC 6647 section 2",
        codes=(421, 450, 451),
        text=r"gr[ae]y[ -]?list|come back later|try again in \d+ ?(s|m)",
    ),
    KnownReply(
        "The address this mail comes from is on a block list: look it up at the list the reply names, end the cause,"
        " and ask for removal; or send through a relay.",
        "RFC 5782 section 2.1",
        codes=(421, 450, 451, 550, 553, 554),
        text=r"block ?list|blacklist|\bRBL\b|DNSBL|spamhaus|barracuda|spamcop|blocked using",
    ),
    KnownReply(
        "The server does not carry mail for this recipient from here: log in, or have its admin allow this host's"
        " address.",
        "RFC 5321 section 7.9",
        codes=(550, 551, 553, 554),
        text=r"\brelay(ing)?\b",
        stages=_ACCEPTING,
    ),
    KnownReply(
        "This login may not use that sender: use an address that belongs to it as the envelope sender.",
        "https://www.postfix.org/postconf.5.html#reject_sender_login_mismatch",
        codes=(550, 553),
        text=r"not owned by|sender address rejected: not logged in|not allowed to (use|send as|send from)",
    ),
    KnownReply(
        "The server wants a full host name with EHLO: set the EHLO name to this host's public name.",
        "RFC 5321 section 4.1.1.1",
        codes=(450, 501, 504, 550, 554),
        text=r"(helo|ehlo) .*(rejected|invalid|fully)|need fully-qualified hostname|invalid (helo|ehlo)",
    ),
    KnownReply(
        "The sender's domain is not in DNS: check its spelling, or use a domain that has an MX or address record.",
        "https://www.postfix.org/postconf.5.html#reject_unknown_sender_domain",
        codes=(450, 451, 501, 550, 553, 554),
        text=r"sender (address|domain).*not (found|exist|resolve)|domain of sender address .* does not (exist|resolve)",
    ),
    KnownReply(_TOO_MANY_RECIPIENTS, "RFC 5321 section 4.5.3.1.10", codes=(452, 552), text=r"too many recipients"),
    KnownReply(
        _TOO_LARGE,
        "RFC 1870 section 6",
        codes=(552, 554),
        text=r"(message|mail) (size|(is )?too (big|large|long))|exceeds.* size|size limit",
    ),
    KnownReply(
        "The server is out of space: try again later, or tell its postmaster.",
        "RFC 5321 section 4.2.2",
        codes=(452,),
        text=r"storage|space",
    ),
    KnownReply(
        _NO_MAILBOX,
        "RFC 5321 section 4.2.3",
        codes=(550, 551, 553),
        text=r"(user|mailbox|recipient|account|address).*(unknown|unavailable|not (found|exist)|does not exist)"
        r"|no such (user|mailbox|recipient)|unknown (user|recipient)",
        stages=(Stage.RCPT, Stage.END_OF_DATA),
    ),
    KnownReply(
        "The server takes the message for spam: check SPF, DKIM and DMARC of the sender's domain, the reverse name of"
        " this address, and the wording.",
        "RFC 5321 section 4.2.3",
        codes=(550, 552, 554),
        text=r"\bspam\b|unsolicited|content rejected",
        stages=(Stage.DATA, Stage.BODY, Stage.END_OF_DATA),
    ),
    KnownReply(
        "The server has too many connections, or too many messages in a short time: use fewer connections, slow down,"
        " and try again.",
        "RFC 5321 section 3.8",
        codes=(421, 450, 451, 452),
        text=r"too many|rate limit|too fast|too quickly|throttl|exceeded",
    ),
    # What is left when the words say nothing
    KnownReply(
        "The receiver puts this off, often by greylisting: try again in five to fifteen minutes, from the same"
        " address.",
        "RFC 6647 section 2",
        codes=(450, 451),
        enhanced=("4.2.0", "4.2.1", "4.7.1"),
        stages=_ACCEPTING,
    ),
    KnownReply(
        "The server holds this address back for a while, for its policy or reputation: send less, and try again later.",
        "RFC 3463 section 3.8",
        codes=(421,),
        enhanced=("4.7.0",),
    ),
    KnownReply(
        "The server is not available right now: try again later.",
        "RFC 5321 section 4.2.3",
        codes=(421,),
    ),
)
