# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the server and the session, documented in the doc fragment ``_smtp_server``."""

from __future__ import annotations

import os
import re
import typing as t

from .._sasl.scrubbing import passwords_in
from .._smtp.settings import InvalidSettings, ServerSettings, read_host
from .._smtp.tls import TlsMode, TlsPolicy, check_files
from .secrets import hide

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from .._sasl.credentials import Credentials
    from .._smtp.proxy import Proxy
    from .secrets import Hiding

Options = t.Mapping[str, t.Any]


class _Text(str):
    """The documented type of an option that is one text. Ansible would turn a list into the text ``['a']``."""

    def __call__(self, value: t.Any, **_names: str) -> str:
        """Return the text, of a path with its user and its environment variables.

        :raises TypeError: the value is a list, a mapping or a boolean; Ansible adds the name of the option.
        """
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise TypeError(f"expected one text, got {_KINDS.get(type(value), 'another type')}")
        if self == "path" and "\0" in str(value):
            raise TypeError("expected a path, got one with a NUL character")
        return (
            os.path.expanduser(os.path.expandvars(value)) if self == "path" and isinstance(value, str) else str(value)
        )

    @property
    def __name__(self) -> str:
        """The name in Ansible's error."""
        return str(self)


_KINDS = {bool: "a boolean", list: "a list", dict: "a mapping"}
TEXT, PATH = _Text("str"), _Text("path")

#: Documented in the doc fragment ``_smtp_oauth``.
OAUTH_ARGUMENTS: dict[str, t.Any] = {
    "auth_mechanism": {
        "type": "str",
        "choices": [
            *("SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"),
            *("OAUTHBEARER", "XOAUTH2", "EXTERNAL"),
        ],
    },
    "oauth": {
        "type": "dict",
        "options": {
            "token": {"type": TEXT, "no_log": True},
            "provider": {"type": "str", "choices": ["microsoft", "google"]},
            "token_url": {"type": TEXT, "no_log": False},
            "grant": {"type": "str", "choices": ["client_credentials", "refresh_token", "service_account"]},
            "client_id": {"type": TEXT},
            "client_secret": {"type": TEXT, "no_log": True},
            "refresh_token": {"type": TEXT, "no_log": True},
            "certificate": {"type": TEXT},
            "private_key": {"type": TEXT, "no_log": True},
            "service_account": {"type": "jsonarg", "no_log": True},
            "tenant": {"type": TEXT},
            "scope": {"type": TEXT},
            "ca_file": {"type": PATH},
            "timeout": {"type": "float", "default": 30.0},
        },
        "required_one_of": [("token", "provider", "token_url")],
        "mutually_exclusive": [
            ("token", "provider", "token_url"),
            ("token", "client_id"),
            ("token", "client_secret"),
            ("token", "refresh_token"),
            ("token", "certificate"),
            ("token", "service_account"),
            ("service_account", "client_id"),
            ("service_account", "client_secret"),
            ("service_account", "refresh_token"),
            ("service_account", "certificate"),
            ("client_secret", "certificate"),
        ],
        "required_by": {"private_key": ["certificate"]},
        "required_if": [
            ("provider", "microsoft", ["client_id"]),
            ("provider", "google", ["client_id", "service_account"], True),
        ],
    },
}

SERVER_ARGUMENTS: dict[str, t.Any] = {
    "provider": {"type": TEXT},
    "region": {"type": TEXT},
    "host": {"type": TEXT},
    "port": {"type": "int"},
    "tls": {"type": "str", "choices": [mode.value for mode in TlsMode]},
    "secure": {"type": "str", "choices": ["always", "never", "starttls", "try"]},
    "username": {"type": TEXT},
    "password": {"type": TEXT, "no_log": True},
    **OAUTH_ARGUMENTS,
    "allow_cleartext_login": {"type": "bool", "default": False},
    "validate_certs": {"type": "bool"},
    "ca_file": {"type": PATH},
    "ca_path": {"type": PATH},
    "tls_server_name": {"type": TEXT},
    "tls_min_version": {"type": "str", "choices": ["TLSv1.2", "TLSv1.3"], "default": "TLSv1.2"},
    "client_cert": {"type": PATH},
    "client_key": {"type": PATH},
    "pinned_certificates": {"type": "list", "elements": "str", "default": []},
    "ehlo_name": {"type": TEXT, "default": "", "aliases": ["ehlohost"]},
    "connect_timeout": {"type": "float", "default": 15.0},
    "timeout": {"type": "float", "default": 60.0},
    "final_timeout": {"type": "float", "default": 600.0},
    "lmtp": {"type": "bool", "default": False},
    "ignore_extensions": {"type": "list", "elements": "str", "default": []},
    "send_ahead": {"type": "bool"},
    "unix_socket": {"type": PATH},
    "proxy": {"type": TEXT, "no_log": True},
}
SERVER_RULES: dict[str, t.Any] = {
    "mutually_exclusive": [("tls", "secure"), ("password", "oauth"), ("unix_socket", "proxy")],
    "required_by": {
        "password": ["username"],
        "oauth": ["username"],
        "region": ["provider"],
        "client_key": ["client_cert"],
    },
}

#: ``secure`` of community.general.mail -> TLS mode.
_SECURE: t.Mapping[str, TlsMode] = {
    "always": TlsMode.IMPLICIT,
    "never": TlsMode.NONE,
    "starttls": TlsMode.STARTTLS,
    "try": TlsMode.OPPORTUNISTIC,
}

#: Options that say how the server proves its identity; without them, a server on this host need not do so.
_PROOFS = ("validate_certs", "ca_file", "ca_path", "tls_server_name", "pinned_certificates", "client_cert")
#: The password in a URL that was pasted in place of a host.
_PASTED_PASSWORD = re.compile(r"(?:[a-z][a-z0-9+.-]*:/+)?[^:]*:(.+)@", re.IGNORECASE | re.DOTALL)


def hide_passwords(module: Hiding, given: Options) -> None:
    """Hide the passwords of URLs and of what was pasted into a host, before Ansible checks the options.

    Such an option may be refused, and is in the result as it was given.

    :param given: the arguments, of any type.
    """
    oauth = given.get("oauth")
    values = [given.get(name) for name in SERVER_ARGUMENTS] + list(oauth.values() if isinstance(oauth, dict) else ())
    hide(module, [secret for text in values if isinstance(text, str) for secret in passwords_in(text)])
    pasted = [_PASTED_PASSWORD.match(str(given.get(name) or "")) for name in ("host", "tls_server_name", *_EHLO_NAMES)]
    hide(module, [found[1] for found in pasted if found])


_EHLO_NAMES = ("ehlo_name", "ehlohost")


def server_settings(module: AnsibleModule) -> tuple[ServerSettings, str | None]:
    """Return the settings from the options, and the name of the provider whose advice applies.

    Fetches an OAuth2 token if the options require one, except in check mode without the option ``check``.

    :raises ValueError: options contradict each other or cannot be used (InvalidSettings, ProviderError,
        InvalidCredentials), or no access token was obtained (OAuthError).
    """
    options = module.params
    host, port, tls = _destination(options)
    settings = ServerSettings(
        host=host,
        port=port,
        tls=_tls_policy(options, TlsMode(tls)),
        credentials=_credentials(module),
        auth_mechanism=options["auth_mechanism"],
        ehlo_name=options["ehlo_name"],
        connect_timeout=options["connect_timeout"],
        timeout=options["timeout"],
        final_timeout=options["final_timeout"],
        allow_cleartext_login=options["allow_cleartext_login"],
        lmtp=options["lmtp"],
        ignore_extensions=options["ignore_extensions"],
        send_ahead=options["send_ahead"],
        unix_socket=options["unix_socket"] or "",
        proxy=_proxy(module),
    )
    return settings, options["provider"] or _provider_of(settings.host)


def _destination(options: Options) -> tuple[str, int, str]:
    """Return host, port and TLS mode.

    Explicit options take precedence over the provider, and the provider over the defaults of community.general.mail.
    """
    host, port = options["host"], options["port"]
    if host is not None:
        host = read_host("host", host)
    if port == 0:
        raise InvalidSettings("port is 0; expected 1 to 65535, or remove port to use the default of tls")
    tls = _SECURE[options["secure"]].value if options["secure"] else options["tls"]
    if options["provider"]:
        from .._providers.presets import resolve, settings_for

        return settings_for(resolve(options["provider"], options["region"]), host=host, port=port, tls=tls)
    if port == 465 and tls in (None, TlsMode.OPPORTUNISTIC.value):
        tls = TlsMode.IMPLICIT.value  # RFC 8314 section 7.3: the port of implicit TLS
    if port is None and options["tls"] is None:
        port = 25
    return host or "localhost", port or 0, tls or TlsMode.OPPORTUNISTIC.value


def _provider_of(host: str) -> str | None:
    """Return the provider of this host; an address or a name without a dot has none and needs no table."""
    if "." not in host or ":" in host or host.replace(".", "").isdigit():
        return None
    from .._providers.presets import provider_of_host

    return provider_of_host(host)


def _proxy(module: AnsibleModule) -> Proxy | None:
    url = module.params["proxy"]
    if not url:
        return None
    from .._smtp.proxy import Proxy

    proxy = Proxy.parse(url)
    hide(module, [proxy.password or proxy.username])  # a token may stand in place of the user
    return proxy


def _tls_policy(options: Options, mode: TlsMode) -> TlsPolicy:
    policy = TlsPolicy(
        mode=mode,
        verify=options["validate_certs"] is not False,
        ca_file=options["ca_file"],
        ca_path=options["ca_path"],
        server_name=options["tls_server_name"],
        client_certificate=options["client_cert"],
        client_key=options["client_key"],
        pins=tuple(_digest(pin) for pin in options["pinned_certificates"]),
        minimum_version=options["tls_min_version"],
        trust_this_host=mode is TlsMode.OPPORTUNISTIC and all(options[name] in (None, []) for name in _PROOFS),
    )
    if mode is not TlsMode.NONE:
        check_files(policy)
    return policy


def _digest(text: str) -> str:
    digest = text.replace(":", "").lower()
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise InvalidSettings(f"pinned_certificates: {text!r} is not a SHA-256 digest; expected 64 hexadecimal digits")
    return digest


def _credentials(module: AnsibleModule) -> Credentials | None:
    options = module.params
    by_certificate = options["auth_mechanism"] == "EXTERNAL" and options["client_cert"]
    if options["oauth"] is None and options["password"] is None and not by_certificate:
        if options["username"]:
            raise InvalidSettings(
                "username is set, but neither password nor oauth; set one of them, or remove username to send without"
                " a login"
            )
        return None
    from .._sasl.credentials import Credentials

    if options["oauth"] is not None:
        from .oauth import oauth_token

        sends_nothing = module.check_mode and not options.get("check", True)
        token = "check-mode" if sends_nothing else oauth_token(module)
        return Credentials(options["username"], token=token)
    if options["password"] is not None:
        hide(module, [options["password"]])  # Ansible hides its clear form alone
        return Credentials(options["username"], options["password"])
    return Credentials(options["username"] or "")
