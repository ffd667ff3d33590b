# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hints for replies by code and text that any server may send, as data. The first entry that fits is used."""

from __future__ import annotations

from .._smtp.errors import Stage
from .provider import KnownReply

_ACCEPTING = (Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.BODY, Stage.END_OF_DATA)
_TOO_LARGE = "The message is larger than the server accepts: make the attachments smaller, or send a link."
_TOO_MANY_RECIPIENTS = (
    "The server accepts no more recipients for one message: send the rest in another one of messages."
)
_NO_SPACE = "The server is out of space: run the task again later, increase attempts, or inform its postmaster."
_SENDER = (
    "The server does not accept this sender: set from (sender) or envelope_from to an address that the login (username)"
    " may use, or log in as its owner."
)
_NO_MAILBOX = "There is no such mailbox: check the spelling of the recipient."

BY_CODE: tuple[KnownReply, ...] = (
    # What the server requires first: TLS, a login
    KnownReply(
        "The server requires TLS: set tls to starttls, or to implicit with port 465.",
        "RFC 3207 section 4",
        codes=(451, 454, 530, 538, 554),
        text=r"must issue a STARTTLS|STARTTLS (command )?(is )?(required|first)|encryption required",
    ),
    KnownReply(
        "The server requires a client certificate: set client_cert to one that it accepts.",
        "https://www.postfix.org/postconf.5.html#smtpd_tls_req_ccert",
        codes=(421, 450, 454, 530, 550, 554),
        text=r"client certificate|certificate (is )?(required|needed)",
    ),
    KnownReply(
        "The server requires a login: set username and password, and use port 587 or 465.",
        "RFC 4954 section 6",
        codes=(503, 530, 550, 553, 554),
        text=r"auth\w* (is )?(required|needed|first)|must (first )?(authenticate|log ?in)|not (authenticated|logged in)"
        r"|auth(entication)? command first|(log ?in|authenticate) first",
    ),
    KnownReply(
        "The server refuses this login as too weak for the account: set another auth_mechanism or use an app password.",
        "RFC 4954 section 6",
        codes=(534,),
    ),
    KnownReply(
        "The server did not accept user name and password: check both, and whether the account requires an app password"
        " or the full address as user name.",
        "RFC 4954 section 6",
        codes=(535,),
    ),
    KnownReply(
        "The server cannot check logins at the moment: run the task again in a few minutes, or increase attempts.",
        "RFC 4954 section 6",
        codes=(454,),
        stages=(Stage.AUTH,),
    ),
    # Decided by the enhanced code alone
    KnownReply(
        "The recipient's mailbox is full: inform the recipient in another way, and run the task again later.",
        "RFC 3463 section 3.3",
        enhanced=("4.2.2", "5.2.2"),
    ),
    KnownReply(_TOO_MANY_RECIPIENTS, "RFC 3463 section 3.6", enhanced=("4.5.3", "5.5.3")),
    KnownReply(_TOO_LARGE, "RFC 1870 section 6", enhanced=("5.2.3", "5.3.4")),
    KnownReply(_NO_SPACE, "RFC 3463 section 3.4", enhanced=("4.3.1", "5.3.1")),
    KnownReply(_NO_MAILBOX, "RFC 3463 section 3.2", enhanced=("5.1.1",)),
    KnownReply(
        "The recipient's domain accepts no mail or is not in the DNS: check its spelling.",
        "RFC 3463 section 3.2, RFC 7505 section 4.2",
        enhanced=("4.1.2", "5.1.2", "5.1.10"),
    ),
    KnownReply(
        "The server does not accept a non-ASCII address for this recipient: use its ASCII form.",
        "RFC 6531 section 3.2",
        enhanced=("5.6.7",),
    ),
    KnownReply(
        "SPF does not allow this host's address to send for the sender's domain: add the address to the domain's SPF"
        " record, or set host to the domain's own relay.",
        "RFC 7372 section 3.2",
        enhanced=("5.7.23", "5.7.24"),
    ),
    KnownReply(
        "The server requires a reverse name (PTR) for this host's address that resolves back to it: have the owner of"
        " the address set it.",
        "RFC 7372 section 3.3",
        enhanced=("4.7.25", "5.7.25"),
    ),
    # Decided by the text
    KnownReply(
        "The server requires a reverse name (PTR) for this host's address that resolves back to it: have the owner of"
        " the address set it.",
        "https://www.postfix.org/postconf.5.html#reject_unknown_client_hostname",
        codes=(450, 550, 554),
        text=r"cannot find your (reverse )?hostname|reverse (dns|hostname)|PTR record",
    ),
    KnownReply(
        "The server delays mail from unknown senders (greylisting): set attempts: 2 and retry_delay: 400, which"
        " sends it again from the same address.",
        "RFC 6647 section 2",
        codes=(421, 450, 451),
        text=r"gr[ae]y[ -]?list|come back later|try again in \d+ ?(s|m)",
    ),
    KnownReply(
        "The address of this host is on a block list: look it up at the list that the reply names, remove the cause,"
        " and request removal; or set host to a relay.",
        "RFC 5782 section 2.1",
        codes=(421, 450, 451, 550, 553, 554),
        text=r"block ?list|blacklist|\bRBL\b|DNSBL|spamhaus|barracuda|spamcop|blocked using",
    ),
    KnownReply(
        "This login (username) may not use that sender: set from (sender) or envelope_from to an address of the login.",
        "https://www.postfix.org/postconf.5.html#reject_sender_login_mismatch",
        codes=(550, 553),
        text=r"not owned by|sender address rejected: not logged in|not (allowed|authorized|permitted) to (use|send)",
    ),
    KnownReply(
        "The server does not relay mail from this host to this recipient: log in (username and password), or have its"
        " administrator allow the address of this host.",
        "RFC 5321 section 7.9",
        codes=(550, 551, 553, 554),
        text=r"\brelay(ing)?\b",
        stages=_ACCEPTING,
    ),
    KnownReply(
        "The server requires a fully qualified host name in EHLO: set ehlo_name to the public name of this host.",
        "RFC 5321 section 4.1.1.1",
        codes=(450, 501, 504, 550, 554),
        text=r"(helo|ehlo) .*(rejected|invalid|fully|requires)|need fully-qualified hostname|(invalid|bad) (helo|ehlo)",
    ),
    KnownReply(
        "The sender's domain is not in the DNS: check its spelling in from or envelope_from, or use a domain with an MX"
        " or address record.",
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
        _NO_SPACE,
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
        "The server treats the message as spam: check SPF, DKIM and DMARC of the sender's domain, the reverse name of"
        " this host's address, and the wording.",
        "RFC 5321 section 4.2.3",
        codes=(550, 552, 554),
        text=r"\bspam\b|unsolicited|content rejected",
        stages=(Stage.DATA, Stage.BODY, Stage.END_OF_DATA),
    ),
    KnownReply(
        "The server received too many connections or messages in a short time: use fewer connections, slow"
        " down with messages_per_minute, and increase attempts.",
        "RFC 5321 section 3.8",
        codes=(421, 450, 451, 452),
        text=r"too many|rate limit|too fast|too quickly|throttl|exceeded",
    ),
    # Decided by the code, if the text is not specific
    KnownReply(
        "The server requires a login or TLS first: set username and password, and tls: starttls with port 587 or tls:"
        " implicit with port 465.",
        "RFC 4954 section 6",
        codes=(530,),
    ),
    KnownReply(_TOO_LARGE, "RFC 1870 section 6.1", codes=(552,), stages=(Stage.MAIL,)),
    KnownReply(_NO_SPACE, "RFC 1870 section 6.1", codes=(452,), stages=(Stage.MAIL,)),
    KnownReply(_SENDER, "RFC 5321 section 4.2.3", codes=(501, 550, 551, 553, 554), stages=(Stage.MAIL,)),
    KnownReply(
        "The server deferred the message, often by greylisting: set attempts: 2 and retry_delay: 400, which sends"
        " it again from the same address.",
        "RFC 6647 section 2",
        codes=(450, 451),
        enhanced=("4.2.0", "4.2.1", "4.7.1"),
        stages=_ACCEPTING,
    ),
    KnownReply(
        "The server limits this host's address for a while, by policy or reputation: set messages_per_minute, and run"
        " the task again later.",
        "RFC 3463 section 3.8",
        codes=(421,),
        enhanced=("4.7.0",),
    ),
    KnownReply(
        "The server is not available at the moment: run the task again later, or increase attempts.",
        "RFC 5321 section 4.2.3",
        codes=(421,),
    ),
    KnownReply(
        "Check username and password; many providers require an app password or an authorisation code.",
        "RFC 4954 section 6",
        codes=(432, 525, 534, 550, 553, 554),
        stages=(Stage.AUTH,),
    ),
    KnownReply(
        "The server refuses this host, often for its name in EHLO: set ehlo_name to the public name of this host.",
        "RFC 5321 section 4.1.4",
        codes=(450, 451, 501, 504, 550, 553, 554),
        stages=(Stage.EHLO,),
    ),
    KnownReply(
        "The server does not accept this way to log in: set auth_mechanism to another mechanism that it offers.",
        "RFC 4954 section 4",
        codes=(500, 501, 502, 503, 504),
        stages=(Stage.AUTH,),
    ),
)
