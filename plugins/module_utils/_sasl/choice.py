# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SASL mechanisms as a table, and the choice of one (RFC 4422, RFC 4954)."""

from __future__ import annotations

import functools
import hashlib
import typing as t
from dataclasses import dataclass

from . import mechanisms, scram
from .credentials import Credentials, Proof
from .mechanisms import Exchange, ExchangeContext, Gs2
from .saslprep import NotPreparable, saslprep

if t.TYPE_CHECKING:
    from .._x509.signature import ChannelBinding


class NoUsableMechanism(ValueError):
    """No mechanism that client and server share fits the credentials, or the requested one does not fit."""


@dataclass(frozen=True)
class SaslMechanism:
    """One SASL mechanism.

    :param name: as in the AUTH command.
    :param proof: the kind of credentials that it needs.
    :param start: returns the exchange.
    :param initial: whether the client speaks first, so that its response may go with the command (RFC 4954 section 4).
    :param binds: whether it ties the login to the TLS connection.
    :param prepares: whether user name and password must pass SASLprep.
    :param digest: the hash that it needs; a host in FIPS mode may lack it.
    """

    name: str
    proof: Proof
    start: t.Callable[[Credentials, ExchangeContext], Exchange]
    initial: bool = True
    binds: bool = False
    prepares: bool = False
    digest: str | None = None


def _scram(name: str, digest: str, *, binds: bool) -> SaslMechanism:
    start = functools.partial(scram.scram, digest)
    return SaslMechanism(name, Proof.PASSWORD, start, binds=binds, prepares=True, digest=digest)


#: Strongest first; the first that fits is used, once, since a second attempt after a refusal can lock the account.
#: Mechanisms with channel binding come first, whatever their hash: a server that offers binding refuses a client that
#: can bind and does not, as a downgrade (RFC 5802 section 6), and SHA-1 is still strong in HMAC.
MECHANISMS: tuple[SaslMechanism, ...] = (
    _scram("SCRAM-SHA-256-PLUS", "sha256", binds=True),
    _scram("SCRAM-SHA-1-PLUS", "sha1", binds=True),
    _scram("SCRAM-SHA-256", "sha256", binds=False),
    _scram("SCRAM-SHA-1", "sha1", binds=False),
    SaslMechanism("CRAM-MD5", Proof.PASSWORD, mechanisms.cram_md5, initial=False, digest="md5"),
    SaslMechanism("PLAIN", Proof.PASSWORD, mechanisms.plain),
    SaslMechanism("LOGIN", Proof.PASSWORD, mechanisms.login, initial=False),
    SaslMechanism("OAUTHBEARER", Proof.TOKEN, mechanisms.oauthbearer),
    SaslMechanism("XOAUTH2", Proof.TOKEN, mechanisms.xoauth2),
    SaslMechanism("EXTERNAL", Proof.CERTIFICATE, mechanisms.external),
)


def choose_mechanism(
    offered: t.Sequence[str],
    credentials: Credentials,
    *,
    forced: str | None = None,
    channel_binding: ChannelBinding | None = None,
) -> SaslMechanism:
    """Choose the strongest mechanism that client and server share and that fits the credentials.

    :param offered: the names that the server offers, in upper case.
    :param forced: the only mechanism to use, in upper or lower case. EXTERNAL is allowed together with a password.
    :param channel_binding: of the TLS connection, if it has one.
    :raises NoUsableMechanism: no mechanism fits; the text lists those that the server offers.
    """
    if forced:
        return _forced_mechanism(forced.upper(), offered, credentials, channel_binding)
    for mechanism in MECHANISMS:
        usable = mechanism.proof is credentials.proof and not _obstacle(mechanism, credentials, channel_binding)
        if usable and mechanism.name in offered:
            return mechanism
    known = ", ".join(mechanism.name for mechanism in MECHANISMS if mechanism.proof is credentials.proof)
    raise NoUsableMechanism(f"{_offer(offered)}; with {credentials.proof.value} this client supports {known}")


def _forced_mechanism(
    name: str, offered: t.Sequence[str], credentials: Credentials, channel_binding: ChannelBinding | None
) -> SaslMechanism:
    mechanism = next((mechanism for mechanism in MECHANISMS if mechanism.name == name), None)
    if mechanism is None:
        known = ", ".join(mechanism.name for mechanism in MECHANISMS)
        raise NoUsableMechanism(f"{mechanisms.printable(name)} was asked for; this client supports {known}")
    if name not in offered:
        raise NoUsableMechanism(f"{name} was asked for; {_offer(offered)}")
    if mechanism.proof not in (credentials.proof, Proof.CERTIFICATE):
        raise NoUsableMechanism(f"{name} was asked for; it needs {mechanism.proof.value}")
    obstacle = _obstacle(mechanism, credentials, channel_binding)
    if obstacle:
        raise NoUsableMechanism(f"{name} was asked for; {obstacle}")
    return mechanism


def _offer(offered: t.Sequence[str]) -> str:
    return f"the server offers {', '.join(map(mechanisms.printable, offered)) or 'no mechanism'}"


def _obstacle(mechanism: SaslMechanism, credentials: Credentials, channel_binding: ChannelBinding | None) -> str:
    """Return why this mechanism cannot be used here, or an empty string."""
    if mechanism.binds and channel_binding is None:
        return "it needs TLS with a certificate for which channel binding is defined (RFC 5929 section 4)"
    if mechanism.prepares:
        for name, value in (("user name", credentials.username), ("password", credentials.password or "")):
            try:
                if not saslprep(value):
                    return f"it needs a {name}"
            except NotPreparable as error:
                return f"it cannot carry the {name}: {error}"
    if mechanism.digest and not _has_digest(mechanism.digest):
        return f"the Python of this host does not provide {mechanism.digest} (FIPS mode)"
    return ""


def _has_digest(name: str) -> bool:
    try:
        hashlib.new(name)
    except ValueError:
        return False
    return True


def gs2_for(mechanism: SaslMechanism, offered: t.Sequence[str], channel_binding: ChannelBinding | None) -> Gs2:
    """Return the GS2 header for a mechanism (RFC 5802 section 6).

    A forced mechanism without binding gets ``n`` if the server offers binding: the server would refuse ``y``.
    """
    if channel_binding is None:
        return Gs2("n")
    if mechanism.binds:
        return Gs2(f"p={channel_binding.kind}", channel_binding.data)
    return Gs2("n" if any(name.endswith("-PLUS") for name in offered) else "y")
