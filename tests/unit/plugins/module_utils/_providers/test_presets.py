# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets: the data is complete, names and regions are found, and the user's settings take precedence.

Covers _providers/presets.py, _providers/provider.py and the tables.
"""

from __future__ import annotations

import re
from dataclasses import replace

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
from ansible_collections.mailops.smtp.plugins.module_utils._providers.provider import Citation, Provider, Secret
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.settings import ServerSettings
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls import TlsMode, TlsPolicy

ALL = [pytest.param(provider, id=provider.name) for provider in PROVIDERS.values()]
#: The providers that users need most.
NEEDED = (
    *("gmail", "google_workspace_relay", "microsoft365", "outlook", "163", "126", "qq", "aliyun", "tencent_exmail"),
    *("ses", "sendgrid", "mailgun", "postmark", "brevo", "fastmail", "zoho", "icloud", "yahoo", "yandex", "resend"),
    *("smtp2go", "mailjet", "sparkpost"),
)


#: The providers' own sites, including subdomains.
OWN_SITES: dict[str, tuple[str, ...]] = {
    "gmail": ("developers.google.cn", "developers.google.com"),
    "google_workspace_relay": ("support.google.com",),
    "microsoft365": ("learn.microsoft.com", "techcommunity.microsoft.com"),
    "outlook": ("support.microsoft.com",),
    "aliyun_enterprise": ("help.aliyun.com",),
    "aliyun_directmail": ("help.aliyun.com", "alibabacloud.com"),
    "icloud": ("support.apple.com",),
    "yandex": ("yandex.com",),
    "gmx": ("gmx.com",),
    "fastmail": ("fastmail.com",),
    "protonmail": ("proton.me",),
    "ovh": ("github.com/ovh",),
    "mailbox_org": ("mailbox.org",),
    "ses": ("docs.aws.amazon.com",),
    "sendgrid": ("twilio.com",),
    "mailgun": ("mailgun.com",),
    "postmark": ("postmarkapp.com",),
    "brevo": ("brevo.com",),
    "resend": ("resend.com",),
    "smtp2go": ("smtp2go.com",),
    "mailjet": ("rubydoc.info/gems/mailjet",),  # the documentation of its own client
    "sparkpost": ("sparkpost.com",),
    "mailersend": ("mailersend.com",),
    "mailtrap": ("mailtrap.io",),
}


def test_needed_providers_exist():
    assert [name for name in NEEDED if name not in PROVIDERS] == []
    assert len(PROVIDERS) >= 25


def test_every_name_and_alias_means_one_provider():
    names = [name for provider in PROVIDERS.values() for name in (provider.name, *provider.aliases)]
    assert sorted(names) == sorted(set(names))
    assert [name for name in names if not re.fullmatch("[a-z0-9_]+", name)] == []
    assert {name: found.name for name in names if (found := find(name))} == {
        name: provider.name for provider in PROVIDERS.values() for name in (provider.name, *provider.aliases)
    }


@pytest.mark.parametrize("provider", ALL)
def test_data_is_complete(provider: Provider):
    assert provider.title
    assert provider.endpoints
    assert all(endpoint.tls is not TlsMode.NONE for endpoint in provider.endpoints), "no preset may send in clear"
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
def test_every_fact_has_a_dated_source_and_every_source_a_fact(provider: Provider):
    facts = provider.facts()
    assert [fact for fact in facts if provider.citation_of(fact) is None] == []
    for citation in provider.citations:
        assert re.fullmatch(r"https://\S+", citation.url)
        assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", citation.date)
        assert citation.facts, citation.url
        assert [fact for fact in citation.facts.split() if fact not in facts] == [], citation.url


@pytest.mark.parametrize("provider", ALL)
def test_source_is_secondary_unless_it_is_on_the_provider_s_own_site(provider: Provider):
    for citation in provider.citations:
        page = citation.url.removeprefix("https://").removeprefix("www.")
        own = any(re.match(rf"([a-z0-9-]+\.)*{re.escape(site)}/", page) for site in OWN_SITES.get(provider.name, ()))
        assert citation.secondary is not own, citation.url


def test_provider_s_own_page_is_preferred_as_source():
    gmail, own = PROVIDERS["gmail"], Citation("https://a.test/", "2026-11", "host")
    other = Citation("https://b.test/", "2026-11", "host oauth", secondary=True)
    cited = replace(gmail, citations=(other, own))
    assert cited.citation_of("host") == own
    assert cited.citation_of("oauth") == other
    assert cited.citation_of("secrets") is None


@pytest.mark.parametrize("provider", ALL)
def test_every_provider_and_region_makes_valid_settings(provider: Provider):
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
def test_provider_is_found_by_name_alias_and_region(name, region, host):
    assert resolve(name, region).host == host


NOT_FOUND = [
    (
        "gmial",
        None,
        UnknownProvider,
        "provider is 'gmial', which is unknown (did you mean gmail?); 'ansible-doc -t filter",
    ),
    ("send grid", None, UnknownProvider, "did you mean sendgrid"),
    ("microsoft356", None, UnknownProvider, "did you mean microsoft365"),
    ("nowhere.example", None, UnknownProvider, "provider is 'nowhere.example', which is unknown; 'ansible-doc"),
    ("", None, UnknownProvider, "provider is '', which is unknown"),
    ("ses", None, RegionRequired, "different host in each region; set region to one of: us-east-1, us-east-2,"),
    ("mailgun", "", RegionRequired, "set region to one of: us, eu"),
    ("mailgun", "asia", UnknownRegion, "region is 'asia'; expected one of those of provider mailgun: us, eu"),
    ("smtp2go", "mars", UnknownRegion, "expected one of those of provider smtp2go: global, us, eu, au"),
    ("gmail", "eu", UnknownRegion, "provider gmail has no regions; remove region"),
]


@pytest.mark.parametrize(("name", "region", "error", "words"), NOT_FOUND)
def test_error_names_the_allowed_values(name, region, error, words):
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
def test_settings_of_the_user_take_precedence(name, explicit, host, port, tls):
    assert settings_for(resolve(name), **explicit) == (host, port, tls)


@pytest.mark.parametrize(("name", "tls", "offered"), [("postmark", "implicit", "587"), ("163", "starttls", "465")])
def test_missing_tls_mode_is_an_error_with_the_ports(name, tls, offered):
    with pytest.raises(NoSuchEndpoint, match=f"tls is '{tls}', but provider {name} has only: {offered}"):
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
def test_provider_is_found_by_host(host, name):
    assert provider_of_host(host) == name
