# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a log line of Postfix means, and what to do about it. The next server's words are judged as everywhere else."""

from __future__ import annotations

import re
import typing as t
from dataclasses import replace

from .._providers.hints import hint
from .._providers.presets import provider_of_host
from .._smtp.errors import Stage
from .._smtp.reply import Reply

if t.TYPE_CHECKING:
    from .log import Hop


class Meaning(t.NamedTuple):
    """:param lasting: whether the next attempt will fail alike, until somebody changes something."""

    advice: str
    lasting: bool = False


class _Known(t.NamedTuple):
    """What Postfix says by itself.

    :param text: a pattern found in the text of the delivery, or in what was said of the connection before.
    """

    text: str
    advice: str
    lasting: bool = False


_REPLY = re.compile(
    r"(?:host|server) (\S+?)(?:\[\S*\])? (said|refused to talk to me): (\d{3})[ -](.*?)(?: \(in reply to (.+)\))?\Z"
)
#: What smtp(8) calls the commands (smtp_proto.c, smtp_trouble.c).
_STAGES = {
    "EHLO command": Stage.EHLO,
    "HELO command": Stage.EHLO,
    "STARTTLS command": Stage.STARTTLS,
    "MAIL FROM command": Stage.MAIL,
    "RCPT TO command": Stage.RCPT,
    "DATA command": Stage.DATA,
    "end of DATA command": Stage.END_OF_DATA,
}
_NAME = (
    "Check the spelling of the next server's name, or of the recipient's domain where mail goes by MX, and ask this"
    " host's name servers for it."
)
_PATH = "Check its address and port, and the firewalls between; many networks close port 25 and leave 587 and 465 open."
_SUSPENDED = "delivery temporarily suspended: "
_AGAIN = (
    " Postfix did not try now, since an earlier attempt had failed so: once this is mended, postqueue -f has it try."
)
_FULL = "Make room on this host's disk where the queue is: /var/spool/postfix."

# The words are those of Postfix 3.7 and 3.10 as they log them; where else they are from stands beside.
KNOWN: tuple[_Known, ...] = (
    # Finding and reaching the next server
    _Known(
        r"Host not found, try again|Temporary failure in name resolution", "The name server does not answer. " + _NAME
    ),
    _Known(
        r"Host or domain name not found|Host not found|Name or service not known|No address associated",
        "DNS does not know the name. " + _NAME,
        True,
    ),
    _Known(r"does not accept mail \(nullMX\)", "The domain takes no mail at all (RFC 7505): check its spelling.", True),
    _Known(
        r"loops back to (myself|itself)",
        "The next server is this host itself: name another one as the upstream, or keep the domain out of where mail"
        " is sent on.",
        True,
    ),
    _Known(
        r"too many hops|mail forwarding loop",
        "The message goes round in circles: see in its Received lines which two servers send it to each other, and"
        " end one of the two ways.",
        True,
    ),
    _Known(r"Connection refused", "Nobody listens there. " + _PATH),
    _Known(
        r"Connection timed out|No route to host|Network is unreachable",
        "The server cannot be reached. "
        + _PATH
        + " Where the address is IPv6 and this host has none, set inet_protocols to ipv4.",
    ),
    # TLS (TLS_README)
    _Known(
        r"num=62|hostname mismatch",
        "The certificate is of another name than the one the server was called by: use the name on the certificate.",
        True,
    ),
    _Known(
        r"certificate has expired",
        "The server's certificate has expired: tell its admin, and check this host's clock.",
        True,
    ),
    _Known(
        r"certificate is not yet valid", "The server's certificate is not valid yet: check this host's clock.", True
    ),
    _Known(
        r"self-signed certificate|unable to get (local )?issuer certificate|certificate verification failed",
        "This host does not know the authority of the server's certificate: add it to the host's trusted ones, or"
        " have the server use a public one.",
        True,
    ),
    _Known(
        r"[Cc]ertificate not (verified|trusted)",
        "The server's certificate does not prove who it is: its name or its authority is not what was expected."
        " Compare them: openssl s_client -starttls smtp -connect HOST:PORT.",
        True,
    ),
    _Known(
        r"TLS is required, but was not offered",
        "TLS is demanded and the server offers none, or something between takes it away: try its other port (587, or"
        " 465 with TLS from the first byte), or ask its admin.",
        True,
    ),
    _Known(
        r"TLS is required, but our TLS engine",
        "This host's own TLS does not start: look above this line in its log for the file that Postfix could not read.",
        True,
    ),
    _Known(
        r"protocol version|unsupported protocol|handshake failure|TLS handshake",
        "Both sides speak no common version or cipher of TLS, or the port speaks another kind of it: 465 begins with"
        " TLS, 587 and 25 with STARTTLS.",
    ),
    _Known(
        r"no TLSA records|non DNSSEC|TLSA lookup",
        "DANE is demanded, and the domain's signed TLSA records cannot be had: ask its admin, or lower the demand for"
        " this domain.",
    ),
    # Logins (SASL_README)
    _Known(
        r"no mechanism available|No worthy mechs",
        "This host cannot log in the way the server wants: install the SASL modules (libsasl2-modules, on RedHat"
        " cyrus-sasl-plain), and see that smtp_sasl_security_options allows what the server offers over TLS.",
        True,
    ),
    _Known(
        r"SASL authentication failed", "The login did not work out: check user name and password of the upstream.", True
    ),
    # In the middle of a session
    _Known(
        r"lost connection with .* while (performing the EHLO|receiving the initial)",
        "The server hung up at once: it may not like this host's address, want TLS from the first byte (port 465), or"
        " not speak SMTP at all.",
    ),
    _Known(
        r"message may be sent more than once",
        "The connection ended when the message was on its way, so the server may have it: look there before sending"
        " again.",
    ),
    _Known(
        r"lost connection with",
        "The server, or a firewall between, ended the session: look into the server's log at this time.",
    ),
    _Known(
        r"timed out while receiving the initial",
        "The port is open and says nothing: it may want TLS from the first byte (port 465), or the server is"
        " overloaded.",
    ),
    _Known(
        r"conversation with .* timed out",
        "The server fell silent: look into its log at this time; where it always is at the content, look for a path"
        " with a smaller MTU.",
    ),
    _Known(
        r"message size \d+ exceeds size limit",
        "The message is larger than the next server takes: send a smaller one or a link, or have its limit raised.",
        True,
    ),
    _Known(r"SMTPUTF8 is required", "The next server takes no addresses beyond ASCII: use their ASCII form.", True),
    _Known(
        r"Relay access denied",
        "The next server does not carry mail from this host: give it a user name and a password, or have its admin"
        " allow this host's address.",
        True,
    ),
    _Known(
        r"unverified address|[Aa]ddress verification",
        "The next server asks further on whether the recipient exists, and had no answer yet: try again later, and"
        " look into its log.",
    ),
    # This host
    _Known(
        r"mail transport unavailable|unknown (or unreachable )?(mail )?transport",
        "master.cf has no such service, or it does not start: compare the transport's name with master.cf, and look"
        " for warnings of master and qmgr in the log.",
        True,
    ),
    _Known(
        r"local delivery is disabled",
        "This host keeps no mail for the recipient's domain: send it elsewhere by an alias or a route.",
        True,
    ),
    _Known(r"[Uu]nknown user|User unknown", "There is no such mailbox: check the spelling of the recipient.", True),
    _Known(r"queue file write error|[Ii]nsufficient system storage|No space left", _FULL),
    _Known(
        r"mail system configuration error|unsupported dictionary",
        "Postfix cannot use its own configuration: look for fatal and warning lines above this one in the log.",
        True,
    ),
    _Known(
        r"[Cc]ommand (died|time limit)",
        "The program that should take the message failed: run it by hand as its user, with a message on its input.",
        True,
    ),
)
_FATES = {
    "held": (
        "The message waits on hold, and a rule put it there: see the word after 'hold' for which; postsuper -H lets"
        " it go."
    ),
    "discarded": "A rule of this host threw the message away: the line says which.",
    "deleted": "Somebody took the message out of the queue (postsuper -d).",
    "expired": "The message could not be delivered for as long as Postfix keeps it (maximal_queue_lifetime).",
}


def explain(hop: Hop) -> Meaning:
    """What a hop's line means; empty advice where it succeeded, or nothing is known."""
    if hop.status == "sent":
        return Meaning("")
    if hop.status in _FATES:
        return Meaning(_FATES[hop.status], True)
    if hop.text.startswith(_SUSPENDED):
        advice, lasting = explain(replace(hop, text=hop.text[len(_SUSPENDED) :]))
        return Meaning((advice + _AGAIN).strip(), lasting)
    said = _REPLY.search(hop.text)
    if said:
        advice = _of_reply(hop, *said.groups())
        if advice:
            return Meaning(advice, _is_lasting(said.group(3), hop.text))
    for text in ("\n".join(hop.complaints), hop.text):
        known = next((known for known in KNOWN if text and re.search(known.text, text)), None)
        if known:
            return Meaning(known.advice, known.lasting or hop.status == "bounced")
    return Meaning("", hop.status == "bounced")


def _of_reply(hop: Hop, host: str, verb: str, code: str, text: str, command: str | None) -> str:
    if "SASL authentication failed" in hop.text:
        stage = Stage.AUTH
    else:
        stage = Stage.GREETING if verb != "said" else _STAGES.get(command or "", Stage.RCPT)
    # smtp(8) puts the lines of a reply in a row, each with its code.
    lines = tuple(re.split(rf" {code}[ -]", text))
    return hint(Reply(int(code), lines), stage, provider_of_host(host))


def _is_lasting(code: str, text: str) -> bool:
    """A 5yz is for ever; Postfix itself turns that of a login or of a greeting into another attempt."""
    return code.startswith("5") and "refused to talk to me" not in text
