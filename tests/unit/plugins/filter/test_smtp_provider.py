# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter smtp_provider as templates call it, and its documentation against its result."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.mailops.smtp.plugins.filter.smtp_provider import FilterModule
from ansible_collections.mailops.smtp.plugins.module_utils._providers.presets import PROVIDERS

ROOT = Path(__file__).resolve().parents[4]
DOCUMENTS = yaml.safe_load((ROOT / "plugins" / "filter" / "smtp_provider.yml").read_text(encoding="utf-8"))
TYPES = {"str": str, "int": int, "list": list, "dict": dict}

smtp_provider = FilterModule().filters()["smtp_provider"]


def test_provider_is_returned():
    found = smtp_provider("gmail")
    assert (found["host"], found["port"], found["tls"]) == ("smtp.gmail.com", 587, "starttls")
    assert found["ports"] == [{"port": 587, "tls": "starttls"}, {"port": 465, "tls": "implicit"}]
    assert found["secrets"] == ["app_password", "oauth2"]
    assert found["limits"]["messages_per_day"] == 500
    assert found["limits"]["connections"] is None
    assert found["sources"]["host"].startswith("https://")


def test_region_is_positional_or_named():
    assert smtp_provider("ses", region="eu-west-1")["host"] == "email-smtp.eu-west-1.amazonaws.com"
    assert smtp_provider("mailgun", "eu")["region"] == "eu"


def test_name_that_yaml_parses_as_a_number_is_found():
    assert smtp_provider(163)["host"] == "smtp.163.com"


@pytest.mark.parametrize(
    ("name", "region", "words"),
    [
        ("gmial", None, "provider is 'gmial', which is unknown (did you mean gmail?)"),
        ("ses", None, "set region to one of: us-east-1"),
        ("sparkpost", "asia", "expected one of those of provider sparkpost: us, eu"),
    ],
)
def test_error_is_a_sentence(name, region, words):
    with pytest.raises(AnsibleFilterError) as caught:
        smtp_provider(name, region)
    assert words in str(caught.value)
    assert str(caught.value).endswith(".")


def test_documentation_lists_every_provider():
    assert DOCUMENTS["DOCUMENTATION"]["options"]["_input"]["choices"] == list(PROVIDERS)


@pytest.mark.parametrize("name", PROVIDERS)
def test_documentation_names_every_value_and_its_type(name):
    region = next(iter(PROVIDERS[name].regions), None)
    assert_documented(smtp_provider(name, region), DOCUMENTS["RETURN"]["_value"]["contains"])


def assert_documented(values: dict, documented: dict) -> None:
    assert list(values) == list(documented)
    for key, value in values.items():
        assert value is None or isinstance(value, TYPES[documented[key]["type"]]), key
        contains = documented[key].get("contains")
        if contains:
            items: list = value if isinstance(value, list) else [value]
            for item in items:
                assert_documented(item, contains)
