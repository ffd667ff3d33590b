# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider of a bridge: its configuration, and one session at a time that is logged in with the current token."""

from __future__ import annotations

import contextlib
import json
import os
import time
import typing as t
from dataclasses import dataclass, replace

from .._sasl.credentials import Credentials, InvalidCredentials
from .._sasl.mechanisms import printable
from .._smtp.errors import (
    AuthRefused,
    ConnectFailed,
    ConnectionLost,
    NotOffered,
    ProtocolViolation,
    SmtpError,
    TlsFailed,
)
from .._smtp.reply import Reply
from .._smtp.session import SmtpSession
from .._smtp.settings import ServerSettings
from .._smtp.tls import TlsMode, TlsPolicy, UnusableFile, check_files
from .store import NoToken, State, check_name

if t.TYPE_CHECKING:
    from .store import StoredToken

Log = t.Callable[[str], None]

#: Class of an error -> enhanced code of its temporary failure (RFC 3463).
_CODES: t.Sequence[tuple[type[SmtpError], str]] = (
    (AuthRefused, "4.7.0"),
    (TlsFailed, "4.7.5"),
    (ConnectFailed, "4.4.1"),
    (ConnectionLost, "4.4.2"),
    (ProtocolViolation, "4.5.0"),
    (NotOffered, "4.7.0"),
)
#: Replies that ask for a login; before or in a transaction, they refuse this session and not the message.
_LOG_IN = (530, 535, 538)
_MAX_CONFIG = 65_536
#: Seconds before each further try of a login: Postfix itself may use all connections that the provider allows.
_BUSY = (2.0, 5.0, 10.0)
#: Seconds between two looks for the token.
_LOOK = 0.1


class BadConfig(ValueError):
    """The configuration cannot be used; the text is a sentence."""


@dataclass(frozen=True)
class BridgeConfig:
    """The configuration of a bridge, without secrets.

    :param settings: of the session, without the login.
    :param provider: the name of its preset, whose advice goes to the log.
    :param token_wait: seconds to wait for the token that the refresher was asked for: mail that is told to wait would
        wait for minutes.
    """

    name: str
    settings: ServerSettings
    username: str
    state: State
    provider: str | None
    token_wait: float = 10.0

    @classmethod
    def read(cls, name: str, text: bytes) -> BridgeConfig:
        """Read the configuration in JSON.

        :raises BadConfig: it cannot be used.
        """
        try:
            facts = json.loads(text)
            settings = ServerSettings(
                host=facts["host"],
                port=facts["port"],
                tls=TlsPolicy(
                    TlsMode(facts["tls"]), ca_file=facts.get("ca_file"), server_name=facts.get("server_name")
                ),
                auth_mechanism="XOAUTH2",
                ehlo_name=facts.get("helo") or "",
                connect_timeout=facts.get("connect_timeout") or 30.0,
                timeout=facts.get("timeout") or 300.0,
                final_timeout=facts.get("final_timeout") or 600.0,
                ignore_extensions=("CHUNKING",),  # the client's content is passed on as it is
                send_ahead=False,
            )
            if settings.tls.mode not in (TlsMode.STARTTLS, TlsMode.IMPLICIT):
                raise BadConfig(f"tls is {settings.tls.mode.value}; expected starttls or implicit")
            state = State(facts["state_directory"], name)
            wait = float(facts.get("token_wait", cls.token_wait))
            return cls(name, settings, facts["username"], state, facts.get("provider"), wait)
        except BadConfig:
            raise
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BadConfig(f"the configuration is not what the role writes ({error}); run the role again") from None

    @classmethod
    def of_file(cls, name: str, folder: str) -> BridgeConfig:
        """Read the configuration of an upstream.

        :param folder: where the configurations are.
        :raises BadConfig: it cannot be read or used.
        """
        path = os.path.join(folder, f"{check_name(name)}.json")
        try:
            with open(path, "rb") as stream:
                return cls.read(name, stream.read(_MAX_CONFIG))
        except OSError as error:
            raise BadConfig(f"{path} cannot be read: {error.strerror}") from None


def wants_login(reply: Reply | None) -> bool:
    """Whether a reply says that this session is not logged in, and nothing of the message."""
    return reply is not None and reply.code in _LOG_IN


class Refused(Exception):
    """No session could be opened.

    :param reply: what to tell the client: always a temporary failure, so that the mail waits.
    :param busy: whether the provider itself said that the failure is temporary.
    """

    def __init__(self, reply: Reply, busy: bool = False) -> None:
        super().__init__(str(reply))
        self.reply = reply
        self.busy = busy


class Upstream:
    """The provider; not more than one session with it is open.

    :param log: takes a line for each failure, without secrets.
    :ivar session: the session that is open.
    """

    def __init__(self, config: BridgeConfig, log: Log) -> None:
        self._config = config
        self._log = log
        self._token: StoredToken | None = None
        self._open = contextlib.ExitStack()
        self.session: SmtpSession | None = None

    def ready(self) -> SmtpSession:
        """Return a session whose token is valid: the one that is open, or a new one.

        :raises Refused: there is none.
        """
        if self.session and not (self.session.usable and self._token and self._token.usable(time.time())):
            self.close()
        if self.session is None:
            self._log_in()
        return t.cast(SmtpSession, self.session)

    def _log_in(self) -> None:
        config = self._config
        try:
            check_files(config.settings.tls)
            self._token = self._usable_token()
            settings = replace(
                config.settings, credentials=Credentials(config.username, token=self._token.access_token)
            )
            self.session = self._open.enter_context(SmtpSession(settings))
        except (NoToken, InvalidCredentials) as error:
            if isinstance(error, InvalidCredentials):
                config.state.want_token()
            problem = f"cannot log in at {config.settings.server}: {error}"
            self._log(f"{config.name}: {problem}; the refresher was asked for a token, and mail waits in the queue")
            raise Refused(Reply(451, (printable(f"4.7.0 {problem}"),))) from None
        except UnusableFile as error:
            self._log(f"{config.name}: cannot log in at {config.settings.server}: {error}")
            raise Refused(Reply(451, (printable(f"4.7.5 {error}"),))) from None
        except SmtpError as error:
            raise Refused(self.answer(error), busy=bool(error.reply and error.reply.transient)) from None

    def _usable_token(self) -> StoredToken:
        """Return the token to log in with; if there is none, ask the refresher for one and wait for it.

        :raises NoToken: there still is none.
        """
        state, end = self._config.state, time.monotonic() + self._config.token_wait
        with contextlib.suppress(NoToken):
            return state.usable_token()
        state.want_token()
        while time.monotonic() < end:
            time.sleep(_LOOK)
            with contextlib.suppress(NoToken):
                return state.usable_token()
        return state.usable_token()

    def answer(self, error: SmtpError, decided: bool = False) -> Reply:
        """Return what to tell the client about a session that failed, and log it.

        :param decided: whether a permanent refusal is about the message, so that the client gets it as it is.
        """
        reply = error.reply
        if reply and (reply.transient or (decided and not wants_login(reply))):
            answer = reply
        else:
            code = next((code for kind, code in _CODES if isinstance(error, kind)), "4.3.0")
            code = "4.7.0" if wants_login(reply) else code
            said = f": {reply}" if reply else ""
            answer = Reply(
                451, (printable(f"{code} {self._config.settings.server}: {error.problem}{said}", limit=900),)
            )
        if wants_login(reply) or (reply and reply.permanent and isinstance(error, AuthRefused)):
            self._config.state.want_token()
        self._log(f"{self._config.name}: {error.sentence(self._hint(error))}")
        return answer

    def _hint(self, error: SmtpError) -> str:
        """Return what is known about the reply; the tables are loaded only when they are needed."""
        if error.reply is None:
            return ""
        from .._providers.hints import hint
        from .._providers.presets import provider_of_host

        provider = self._config.provider or provider_of_host(self._config.settings.host)
        return hint(error.reply, error.stage, provider, error.advice)

    def close(self) -> None:
        """End the session."""
        self.session = None
        self._open.close()


def probe(config: BridgeConfig, log: Log) -> bool:
    """Log in once, and say in one line how it went. A provider that is busy is asked again.

    :returns: whether the login was accepted.
    """
    said: list[str] = []
    upstream = Upstream(config, said.append)
    for pause in (*_BUSY, None):
        try:
            upstream.ready()
            break
        except Refused as refused:
            if pause is None or not refused.busy:
                log(said[-1])
                return False
            time.sleep(pause)
    upstream.close()
    log(f"{config.name}: logged in at {config.settings.server} as {config.username}")
    return True
