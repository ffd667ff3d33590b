# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One login: choose a mechanism and run it over AUTH, once (RFC 4954 section 4).

It is given a function that sends a command and returns the reply, and does not use the connection.
"""

from __future__ import annotations

import base64
import contextlib
import typing as t

from .._sasl.choice import NoUsableMechanism, choose_mechanism, gs2_for
from .._sasl.credentials import Proof
from .._sasl.mechanisms import BadChallenge, ExchangeContext, ServerUnproven, printable
from .errors import AuthRefused, NotOffered, ProtocolViolation, ServerNotProven, SmtpError, Stage

if t.TYPE_CHECKING:
    from .._sasl.choice import SaslMechanism
    from .._sasl.credentials import Credentials
    from .._sasl.mechanisms import Exchange, Response
    from .._x509.signature import ChannelBinding
    from .reply import Reply

#: Sends one line and returns its reply.
Command = t.Callable[[str], "Reply"]

#: In octets, including CR LF (RFC 5321 section 4.5.3.1.4). A longer initial response is sent after an empty challenge
#: (RFC 4954 section 4).
_MAX_COMMAND = 512

#: A refused password has its advice in the tables of hints, by provider and by code.
_ADVICE = {
    Proof.TOKEN: "Check that the token in oauth has not expired, was issued for SMTP, and belongs to this username.",
    Proof.CERTIFICATE: "Check that the server accepts client_cert and maps it to the right user.",
}
_NO_LOGIN_HERE = "Servers usually offer logins on ports 587 (tls: starttls) and 465 (tls: implicit), not on port 25."
_OTHER_MECHANISM = "Set auth_mechanism to a mechanism that fits, or remove it to use the strongest one."
_BINDING_ADVICE = (
    "The server refused before the password was proven: it may not support tls-server-end-point;"
    " set auth_mechanism to a mechanism without -PLUS to log in without channel binding."
)


class Target(t.NamedTuple):
    """Where the login goes.

    :param server: ``host:port`` as errors name it.
    :param host: as the user named it.
    :param port: its port.
    :param forced: the only mechanism to use, or None to choose one.
    :param binding: of the TLS connection, if it has one.
    """

    server: str
    host: str
    port: int
    forced: str | None = None
    binding: ChannelBinding | None = None


def log_in(command: Command, offered: t.Sequence[str], credentials: Credentials, target: Target) -> str:
    """Choose one mechanism and try it once, since each further attempt counts towards a lock-out.

    :param offered: the mechanisms that the server offers, in upper case.
    :returns: the name of the mechanism.
    :raises NotOffered: no mechanism fits; nothing was sent.
    :raises AuthRefused: the server refused the login; its reply is without secrets.
    :raises ServerNotProven: the server did not prove that it knows the password, so it cannot be trusted.
    :raises ProtocolViolation: the server's challenges violate the mechanism.
    """
    try:
        mechanism = choose_mechanism(offered, credentials, forced=target.forced, channel_binding=target.binding)
    except NoUsableMechanism as error:
        advice = _NO_LOGIN_HERE if not offered else _OTHER_MECHANISM if target.forced else ""
        raise NotOffered(f"no way to log in: {error}", stage=Stage.AUTH, server=target.server, advice=advice) from None
    gs2 = gs2_for(mechanism, offered, target.binding)
    exchange = mechanism.start(credentials, ExchangeContext(target.host, target.port, gs2))
    _Login(command, mechanism, credentials, target.server).run(exchange)
    return mechanism.name


class _Login:
    def __init__(self, command: Command, mechanism: SaslMechanism, credentials: Credentials, server: str) -> None:
        self._command = command
        self._mechanism = mechanism
        self._credentials = credentials
        self._server = server
        self._sent: list[str] = []

    def run(self, exchange: Exchange) -> None:
        response = next(exchange)
        reply = self._start(response)
        rounds = 0
        while reply.intermediate:
            response = self._next_response(exchange, reply)
            reply = self._respond(response)
            rounds += 1
        if not reply.positive:
            raise self._refused(reply, response, rounds)
        if response.remark:
            raise self._failed(ProtocolViolation, f"the server accepted the login after a failure: {response.remark}")
        if not response.complete:
            raise self._failed(ServerNotProven, "the server accepted the login before the exchange was complete")

    def _start(self, response: Response) -> Reply:
        """Send AUTH, with the initial response if there is one and it fits the line (RFC 4954 section 4)."""
        line = f"AUTH {self._mechanism.name}"
        if not self._mechanism.initial:
            return self._command(line)
        with_response = f"{line} {self._encode(response) or '='}"
        if len(with_response) + 2 <= _MAX_COMMAND:
            return self._command(with_response)
        reply = self._command(line)
        return self._respond(response) if reply.intermediate else reply

    def _respond(self, response: Response) -> Reply:
        return self._command(self._encode(response))

    def _encode(self, response: Response) -> str:
        text = base64.b64encode(response.data).decode("ascii")
        if response.data not in (b"", b"\x01", self._credentials.username.encode()):
            self._sent += [text, response.data.decode("utf-8")]
        return text

    def _next_response(self, exchange: Exchange, reply: Reply) -> Response:
        """Return the response to a challenge, or cancel the exchange if there is none (RFC 4954 section 4)."""
        problem: SmtpError
        try:
            return exchange.send(_decode(reply))
        except StopIteration:
            problem = self._failed(ProtocolViolation, "the server sent a challenge after the exchange was complete")
        except ServerUnproven as error:
            problem = self._failed(ServerNotProven, str(error))
        except BadChallenge as error:
            problem = self._failed(ProtocolViolation, str(error))
        with contextlib.suppress(SmtpError):
            self._command("*")
        raise problem

    def _failed(self, kind: type[SmtpError], problem: str) -> SmtpError:
        return kind(self._shown(problem), stage=Stage.AUTH, server=self._server)

    def _shown(self, problem: str) -> str:
        return printable(self._credentials.scrub_text(problem))

    def _refused(self, reply: Reply, response: Response, rounds: int) -> AuthRefused:
        name = f" of {self._credentials.username}" if self._credentials.username else ""
        remark = f": {response.remark}" if response.remark else ""
        unbound = self._mechanism.binds and rounds == 0
        return AuthRefused(
            self._shown(f"the login{name} with {self._mechanism.name} was refused{remark}"),
            stage=Stage.AUTH,
            server=self._server,
            reply=reply.rewritten(lambda line: self._credentials.scrub_text(line, self._sent)),
            advice=_BINDING_ADVICE if unbound else _ADVICE.get(self._mechanism.proof, ""),
        )


def _decode(reply: Reply) -> bytes:
    """Decode a challenge, which is one line of base64."""
    if len(reply.lines) != 1:
        raise BadChallenge("the login challenge has several lines; expected one")
    try:
        return base64.b64decode(reply.lines[0].strip(), validate=True)
    except ValueError:
        raise BadChallenge("the login challenge is not base64") from None
