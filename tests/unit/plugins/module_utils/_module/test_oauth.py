# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``oauth`` of modules."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mailops.smtp.plugins.doc_fragments._smtp_oauth import ModuleDocFragment
from ansible_collections.mailops.smtp.plugins.module_utils._module.oauth import oauth_token
from ansible_collections.mailops.smtp.plugins.module_utils._module.server import OAUTH_ARGUMENTS
from ansible_collections.mailops.smtp.plugins.module_utils._oauth.request import token_client
from ansible_collections.mailops.smtp.plugins.module_utils._sasl.choice import MECHANISMS
from ansible_collections.mailops.smtp.plugins.module_utils._sasl.oauth import PROVIDERS, Grant, InvalidTokenClient
from ansible_collections.mailops.smtp.plugins.module_utils._sasl.scrubbing import encoded_forms
from ansible_collections.mailops.smtp.tests.unit.support.token_server import Served

SECRET = "client-s3cret"


class Module(t.NamedTuple):
    params: t.Mapping[str, t.Any]
    no_log_values: set[str]


def module(oauth: t.Mapping[str, t.Any] | None) -> Module:
    result = ArgumentSpecValidator(OAUTH_ARGUMENTS).validate({"oauth": oauth} if oauth is not None else {})
    assert result.error_messages == []
    return Module(result.validated_parameters, set())


def test_without_the_option_there_is_no_token() -> None:
    assert oauth_token(t.cast(t.Any, module(None))) is None


def test_given_token_is_used_as_it_is() -> None:
    given = module({"token": "ya29.t0ken"})
    assert oauth_token(t.cast(t.Any, given)) == "ya29.t0ken"


def test_fetched_token_is_hidden(served: Served) -> None:
    asked = module(
        {"token_url": served.url, "client_id": "app", "client_secret": SECRET, "ca_file": served.ca_file, "timeout": 5}
    )
    assert oauth_token(t.cast(t.Any, asked)) == "ya29.t0ken"
    assert asked.no_log_values == set(encoded_forms(["ya29.t0ken"]))
    assert served.server.forms[0]["grant_type"] == "client_credentials"


def test_default_grant_follows_from_the_secrets() -> None:
    options = {"provider": "google", "client_id": "app", "client_secret": SECRET, "refresh_token": "r"}
    assert token_client(module(options).params["oauth"]).grant is Grant.REFRESH_TOKEN


def test_contradicting_options_are_refused() -> None:
    with pytest.raises(InvalidTokenClient, match="client_secret"):
        token_client(module({"token_url": "https://x.test/", "client_id": "app"}).params["oauth"])
    validator = ArgumentSpecValidator(OAUTH_ARGUMENTS)
    bad = [{}, {"token": "t", "provider": "google"}, {"provider": "google"}, {"token": "t", "client_secret": "s"}]
    for options in bad:
        assert validator.validate({"oauth": options}).error_messages, options


def test_documented_options_are_those_of_the_argument_spec() -> None:
    documented = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
    assert documented.keys() == OAUTH_ARGUMENTS.keys()
    assert list(documented["auth_mechanism"]["choices"]) == OAUTH_ARGUMENTS["auth_mechanism"]["choices"]
    suboptions = documented["oauth"]["suboptions"]
    spec = OAUTH_ARGUMENTS["oauth"]["options"]
    assert list(suboptions) == list(spec)
    for name, values in spec.items():
        assert suboptions[name]["type"] == values["type"], name
        assert list(suboptions[name].get("choices", [])) == values.get("choices", []), name
        assert suboptions[name].get("default") == values.get("default"), name


def test_choices_are_the_supported_mechanisms_providers_and_grants() -> None:
    assert OAUTH_ARGUMENTS["auth_mechanism"]["choices"] == [mechanism.name for mechanism in MECHANISMS]
    spec = OAUTH_ARGUMENTS["oauth"]["options"]
    assert spec["provider"]["choices"] == list(PROVIDERS)
    assert spec["grant"]["choices"] == [grant.value for grant in Grant]


@pytest.mark.parametrize("name", ["token", "client_secret", "refresh_token", "private_key", "service_account"])
def test_secrets_are_marked_no_log(name: str) -> None:
    assert OAUTH_ARGUMENTS["oauth"]["options"][name]["no_log"] is True
