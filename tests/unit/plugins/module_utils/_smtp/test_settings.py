# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the settings of a session, and the names of hosts as people paste them.

Covers _smtp/settings.py, and _smtp/proxy.py for the proxy's URL.
"""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._sasl.credentials import Credentials
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.proxy import Proxy
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.settings import InvalidSettings, ServerSettings
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls import TlsMode, TlsPolicy

SECRET = "hunter2-secret"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"port": 70000}, "port"),
        ({"port": -1}, "port is -1; expected 1 to 65535"),
        ({"port": 65536}, "port is 65536; expected 1 to 65535"),
        ({"timeout": -1}, "timeout is -1 s; expected more than 0"),
        ({"connect_timeout": float("inf")}, "connect_timeout is inf s"),
        ({"credentials": Credentials("", "x")}, "username is empty"),
        ({"ehlo_name": "a\r\nMAIL FROM:<x>"}, "ehlo_name"),
        ({"tls": TlsPolicy(TlsMode.NONE), "credentials": Credentials("user", "secret")}, "in clear"),
    ],
)
def test_invalid_settings_are_refused(changes: dict[str, t.Any], words: str) -> None:
    with pytest.raises(InvalidSettings, match=words):
        ServerSettings(**{"host": "localhost", **changes})


def settings_with(option: str, text: str) -> ServerSettings:
    """Return settings with this text in one of the options that name a host."""
    changes: dict[str, t.Any] = {"host": "smtp.example.com"}
    if option == "tls_server_name":
        changes["tls"] = TlsPolicy(server_name=text)
    elif option == "proxy":
        changes["proxy"] = Proxy("http", text, 3128)
    else:
        changes[option] = text
    return ServerSettings(**changes)


def host_in(option: str, settings: ServerSettings) -> str | None:
    if option == "tls_server_name":
        return settings.tls.server_name
    return settings.proxy.host if option == "proxy" and settings.proxy else str(getattr(settings, option))


UNDERSTOOD = {
    "smtp.example.com": "smtp.example.com",
    "smtp.example.com.": "smtp.example.com",
    "SMTP.Example.COM": "smtp.example.com",
    "  smtp.example.com\t\n": "smtp.example.com",
    "\u00a0smtp.example.com\u200b": "smtp.example.com",
    "\ufeffsmtp.example.com": "smtp.example.com",
    "[smtp.example.com]": "smtp.example.com",
    "localhost": "localhost",
    "mail_1": "mail_1",
    "3com.example": "3com.example",
    "müller.example": "xn--mller-kva.example",
    "MÜLLER.example.": "xn--mller-kva.example",
    "例え。example。": "xn--r8jz45g.example",
    "xn--mller-kva.example": "xn--mller-kva.example",
    "192.0.2.25": "192.0.2.25",
    "[192.0.2.25]": "192.0.2.25",
    "['192.0.2.25']": "192.0.2.25",  # host: [192.0.2.25] in YAML
    "::1": "::1",
    "[::1]": "::1",
    "[IPv6:2001:DB8::25]": "2001:db8::25",
    "2001:0db8:0:0::25": "2001:db8::25",
    "fe80::1%eth0": "fe80::1%eth0",
}


@pytest.mark.parametrize("option", ["host", "tls_server_name", "proxy"])
@pytest.mark.parametrize(("text", "host"), UNDERSTOOD.items())
def test_host_is_understood_as_people_write_it(option: str, text: str, host: str) -> None:
    assert host_in(option, settings_with(option, text)) == host
    assert host_in(option, settings_with(option, host)) == host


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", ""),
        ("  ", ""),
        (" Client.Example. ", "client.example"),
        ("müller.example", "xn--mller-kva.example"),
        ("192.0.2.25", "[192.0.2.25]"),
        ("[192.0.2.25]", "[192.0.2.25]"),
        ("2001:db8::25", "[IPv6:2001:db8::25]"),
        ("[::1]", "[IPv6:::1]"),
        ("[IPv6:::1]", "[IPv6:::1]"),
        ("fe80::1%eth0", "[IPv6:fe80::1]"),
    ],
)
def test_ehlo_name_is_a_name_or_an_address_literal(text: str, name: str) -> None:
    assert settings_with("ehlo_name", text).ehlo_name == name


#: text -> words of the error for the option host
REFUSED = {
    "": "host is empty",
    " \u200b": "host is empty",
    "smtp.example.com:587": "set host: smtp.example.com, port: 587",
    "[::1]:25": "set host: ::1, port: 25",
    "[smtp.example.com]:587": "set host: smtp.example.com, port: 587",
    "smtp.example.com:0": "set host: smtp.example.com",
    "smtp.example.com:587/tcp": "set host: smtp.example.com, port: 587",
    "smtp://smtp.example.com": "set host: smtp.example.com",
    "SMTPS://smtp.example.com:465/": "set host: smtp.example.com, port: 465, tls: implicit",
    "submission://smtp.example.com": "set host: smtp.example.com, tls: starttls",
    "lmtp://mx.example.com:24": "set host: mx.example.com, port: 24, lmtp: true",
    "http://smtp.example.com": "set host: smtp.example.com",
    "https://smtp.example.com/path?x#y": "set host: smtp.example.com",
    f"smtps://user:{SECRET}@smtp.example.com:465": (
        "'smtps://***@smtp.example.com:465'; expected only a host name or an address: set host: smtp.example.com,"
        " port: 465, tls: implicit, and the login in username and password"
    ),
    f"smtp://u:{SECRET}@x/y@smtp.example.com": "set host: smtp.example.com, and the login in username and password",
    f"user:{SECRET}@smtp.example.com": "set host: smtp.example.com, and the login in username and password",
    "user@smtp.example.com": "the login in username and password",
    f"smtp://user:{SECRET}": "host is 'smtp://***'",
    f"jürgen:{SECRET}@müller.example": "set host: müller.example, and the login in username and password",
    "smtp.example.com/": "set host: smtp.example.com",
    "/run/dovecot/lmtp": "unix_socket",
    "unix:/run/dovecot/lmtp": "unix_socket",
    "a.example, b.example": "expected one host name",
    "a b": "expected one host name",
    "a\r\nb": "expected one host name",
    "a\0b": "expected one host name",
    "a..b": "expected one host name",
    "a..": "expected one host name",
    "-a.example": "expected one host name",
    f"{'a' * 64}.example": "expected one host name",
    "'smtp.example.com'": "expected one host name",
    "256.0.2.25": "expected one host name",
    "127.1": "expected one host name",
    "0x7f000001": "expected one host name",
    "fe80::1%a\r\nb": "expected one host name",
    "1:2:3:4:5:6:7:8:25": "expected one host name",
    "straße.example": "registered form, with xn--",
}


@pytest.mark.parametrize("option", ["host", "tls_server_name", "proxy", "ehlo_name"])
@pytest.mark.parametrize(("text", "words"), REFUSED.items())
def test_what_is_not_a_host_is_refused_with_the_options_to_use(option: str, text: str, words: str) -> None:
    if option == "ehlo_name" and "is empty" in words:
        return
    with pytest.raises(InvalidSettings) as caught:
        settings_with(option, text)
    assert str(caught.value).startswith(option)
    assert SECRET not in str(caught.value)
    if option == "host":
        assert words in str(caught.value)


@given(st.text(alphabet="a1.-_:[]%@/ ü\u200b\r\n\0", max_size=12))
def test_every_host_is_refused_or_fit_for_the_wire(text: str) -> None:
    try:
        host = ServerSettings(text).host
    except InvalidSettings:
        return
    assert host
    assert host.isascii()
    assert not set(host) & set(" \r\n\0@/[]")
    assert ServerSettings(host).host == host


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://proxy.example:3128", ("http", "proxy.example", 3128, "", "")),
        (" HTTP://proxy.example. ", ("http", "proxy.example.", 3128, "", "")),
        ("socks5h://[::1]", ("socks5", "::1", 1080, "", "")),
        ("socks5://u%40d:p%3Aq@h:1080/", ("socks5", "h", 1080, "u@d", "p:q")),
        ("http://u:p/#?@q@h:1", ("http", "h", 1, "u", "p/#?@q")),
    ],
)
def test_proxy_is_understood_as_people_write_it(url: str, expected: tuple[str, str, int, str, str]) -> None:
    proxy = Proxy.parse(url)
    assert (proxy.kind, proxy.host, proxy.port, proxy.username, proxy.password) == expected


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://x", "socks5://", "x:1", "x", "", "https://h", "socks4://h", f"http://u:{SECRET}@h/path", "http://h:0"),
        *("http://h:65536", "http://h:x", "http://h:1?x", f"http://u:{SECRET}@", f"http://u:{SECRET}", "http://[::1"),
        f"u:{SECRET}@h:1",
    ],
)
def test_invalid_proxy_is_refused_and_its_login_not_shown(url: str) -> None:
    with pytest.raises(ValueError, match=r"^proxy .*socks5://host:port or http://host:port") as caught:
        Proxy.parse(url)
    assert SECRET not in str(caught.value)
