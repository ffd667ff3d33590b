# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Providers: the data is whole, names and regions are found, the user's own settings win."""

from __future__ import annotations

import re

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._providers.presets import (
    PROVIDERS,
    NoSuchEndpoint,
    RegionRequired,
    UnknownProvider,
    UnknownRegion,
    find,
    provider_of_host,
    resolve,
    settings_for,
)
from ansible_collections.mailops.smtp.plugins.module_utils._providers.provider import Provider, Secret
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.settings import ServerSettings
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls import TlsMode, TlsPolicy

ALL = [pytest.param(provider, id=provider.name) for provider in PROVIDERS.values()]
#: Those of the issue that asked for them.
ASKED_FOR = (
    *("gmail", "google_workspace_relay", "microsoft365", "outlook", "163", "126", "qq", "aliyun", "tencent_exmail"),
    *("ses", "sendgrid", "mailgun", "postmark", "brevo", "fastmail", "zoho", "icloud", "yahoo", "yandex", "resend"),
    *("smtp2go", "mailjet", "sparkpost"),
)


def test_there_are_the_providers_that_were_asked_for():
    assert [name for name in ASKED_FOR if name not in PROVIDERS] == []
    assert len(PROVIDERS) >= 25


def test_every_name_and_alias_means_one_provider():
    names = [name for provider in PROVIDERS.values() for name in (provider.name, *provider.aliases)]
    assert sorted(names) == sorted(set(names))
    assert [name for name in names if not re.fullmatch("[a-z0-9_]+", name)] == []
    assert {name: found.name for name in names if (found := find(name))} == {
        name: provider.name for provider in PROVIDERS.values() for name in (provider.name, *provider.aliases)
    }


@pytest.mark.parametrize("provider", ALL)
def test_the_data_is_whole(provider: Provider):
    assert provider.title
    assert provider.endpoints
    assert all(endpoint.tls is not TlsMode.NONE for endpoint in provider.endpoints), "no preset sends in clear"
    assert len({endpoint.port for endpoint in provider.endpoints}) == len(provider.endpoints)
    assert provider.secrets
    assert provider.oauth in ("", "google", "microsoft")
    assert not provider.oauth or Secret.OAUTH2 in provider.secrets
    assert bool(provider.regions) == ("{region}" in provider.host)
    assert provider.default_region in ("", *provider.regions)
    assert all(value > 0 for value in provider.limits.known().values())
    assert not provider.login.endswith("."), "a part of a sentence"
    for sentence in filter(None, (provider.login_advice, provider.notes)):
        assert sentence.endswith("."), sentence
    assert provider.login_advice


@pytest.mark.parametrize("provider", ALL)
def test_every_fact_has_a_source_with_a_date_and_every_source_a_fact(provider: Provider):
    facts = provider.facts()
    assert [fact for fact in facts if provider.source_of(fact) is None] == []
    for source in provider.sources:
        assert re.fullmatch(r"https://\S+", source.url)
        assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", source.date)
        assert source.facts, source.url
        assert [fact for fact in source.facts.split() if fact not in facts] == [], source.url


@pytest.mark.parametrize("provider", ALL)
def test_the_session_takes_what_every_provider_and_region_comes_to(provider: Provider):
    for region in provider.regions or (None,):
        resolved = resolve(provider.name, region)
        destination = settings_for(resolved)
        assert re.fullmatch(r"[a-z0-9.-]+\.[a-z]+", destination.host)
        settings = ServerSettings(destination.host, destination.port, TlsPolicy(TlsMode(destination.tls)))
        assert settings.port == resolved.default.port
        assert provider_of_host(destination.host) == provider.name
        assert resolved.to_dict()["host"] == destination.host


FOUND = [
    ("gmail", None, "smtp.gmail.com"),
    ("GMail", "", "smtp.gmail.com"),
    (" Office-365 ", None, "smtp.office365.com"),
    ("mailbox.org", None, "smtp.mailbox.org"),
    ("163", None, "smtp.163.com"),
    ("netease_126", None, "smtp.126.com"),
    ("ses", "eu-west-1", "email-smtp.eu-west-1.amazonaws.com"),
    ("mailgun", "us", "smtp.mailgun.org"),
    ("mailgun", "eu", "smtp.eu.mailgun.org"),
    ("sparkpost", "eu", "smtp.eu.sparkpostmail.com"),
    ("zoho", "au", "smtp.zoho.com.au"),
    ("zoho_pro", "in", "smtppro.zoho.in"),
    ("smtp2go", None, "mail.smtp2go.com"),
    ("smtp2go", "eu", "mail-eu.smtp2go.com"),
    ("postmark", None, "smtp.postmarkapp.com"),
    ("postmark", "broadcast", "smtp-broadcasts.postmarkapp.com"),
    ("aliyun_directmail", "cn-hangzhou", "smtpdm.aliyun.com"),
    ("aliyun_directmail", "eu-central-1", "smtpdm-eu-central-1.aliyuncs.com"),
]


@pytest.mark.parametrize(("name", "region", "host"), FOUND)
def test_a_provider_is_found(name, region, host):
    assert resolve(name, region).host == host


NOT_FOUND = [
    ("gmial", None, UnknownProvider, "provider 'gmial' is not known (did you mean gmail?); ansible-doc -t filter"),
    ("send grid", None, UnknownProvider, "did you mean sendgrid"),
    ("microsoft356", None, UnknownProvider, "did you mean microsoft365"),
    ("nowhere.example", None, UnknownProvider, "provider 'nowhere.example' is not known; ansible-doc"),
    ("", None, UnknownProvider, "provider '' is not known"),
    ("ses", None, RegionRequired, "one host a region; say which with region: us-east-1, us-east-2,"),
    ("mailgun", "", RegionRequired, "region: us, eu"),
    ("mailgun", "asia", UnknownRegion, "region is 'asia', provider mailgun has: us, eu"),
    ("smtp2go", "mars", UnknownRegion, "provider smtp2go has: global, us, eu, au"),
    ("gmail", "eu", UnknownRegion, "provider gmail has no regions; leave it out"),
]


@pytest.mark.parametrize(("name", "region", "error", "words"), NOT_FOUND)
def test_an_error_says_what_there_is(name, region, error, words):
    with pytest.raises(error) as caught:
        resolve(name, region)
    assert words in str(caught.value)


SETTINGS = [
    # name, explicit settings, host, port, tls
    ("gmail", {}, "smtp.gmail.com", 587, "starttls"),
    ("gmail", {"port": 465}, "smtp.gmail.com", 465, "implicit"),
    ("gmail", {"tls": "implicit"}, "smtp.gmail.com", 465, "implicit"),
    ("gmail", {"host": "127.0.0.1"}, "127.0.0.1", 587, "starttls"),
    ("gmail", {"host": "127.0.0.1", "port": 1025, "tls": "none"}, "127.0.0.1", 1025, "none"),
    ("gmail", {"tls": "none"}, "smtp.gmail.com", 587, "none"),
    ("gmail", {"tls": "opportunistic"}, "smtp.gmail.com", 587, "opportunistic"),
    ("163", {"port": 994}, "smtp.163.com", 994, "implicit"),
    ("163", {"port": 25}, "smtp.163.com", 25, "starttls"),
    ("163", {"port": 587, "tls": "starttls"}, "smtp.163.com", 587, "starttls"),
    ("smtp2go", {"port": 443}, "mail.smtp2go.com", 443, "implicit"),
    ("resend", {"tls": "starttls"}, "smtp.resend.com", 587, "starttls"),
    ("postmark", {"port": 465}, "smtp.postmarkapp.com", 465, "implicit"),
    ("postmark", {"port": 0}, "smtp.postmarkapp.com", 587, "starttls"),
]


@pytest.mark.parametrize(("name", "explicit", "host", "port", "tls"), SETTINGS)
def test_what_the_user_says_wins(name, explicit, host, port, tls):
    assert settings_for(resolve(name), **explicit) == (host, port, tls)


@pytest.mark.parametrize(("name", "tls", "offered"), [("postmark", "implicit", "587"), ("163", "starttls", "465")])
def test_a_tls_mode_that_a_provider_does_not_have(name, tls, offered):
    with pytest.raises(NoSuchEndpoint, match=f"tls is '{tls}', provider {name} has: {offered}"):
        settings_for(resolve(name), tls=tls)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("SMTP.office365.com.", "microsoft365"),
        ("email-smtp.ap-south-1.amazonaws.com", "ses"),
        ("smtp.eu.mailgun.org", "mailgun"),
        ("mail.example.com", None),
        ("smtp.zoho.example", None),
        ("", None),
    ],
)
def test_a_host_tells_its_provider(host, name):
    assert provider_of_host(host) == name
