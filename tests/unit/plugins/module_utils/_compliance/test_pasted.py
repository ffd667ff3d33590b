# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report says to paste is what the role takes, and what the catalogue names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.fleet import controls
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.pasted import YAML
from ansible_collections.mailops.smtp.plugins.module_utils._controls.catalogue import CATALOGUE
from ansible_collections.mailops.smtp.plugins.module_utils._relay.plan import make_plan
from ansible_collections.mailops.smtp.plugins.module_utils._relay.shapes import find_misshapen
from ansible_collections.mailops.smtp.tests.unit.support.relay_plans import LOGINS, options

ROLE = Path(__file__).resolve().parents[5] / "roles/relay"
SPEC = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]


def test_every_control_that_a_variable_mends_has_it_to_paste():
    assert sorted(YAML) == sorted(control.id for control in CATALOGUE.values() if control.variables)


@pytest.mark.parametrize("control", YAML)
def test_variables_are_those_of_the_catalogue(control):
    named = {re.split(r"\W", one)[0] for one in CATALOGUE[control].variables}
    pasted = set(yaml.safe_load(YAML[control]))
    # A user needs a listener, and a password is hidden in a vault.
    assert pasted & named
    assert pasted <= named | {"relay_listeners", "relay_users"}


@pytest.mark.parametrize("control", YAML)
def test_role_takes_what_is_pasted(control):
    given = yaml.safe_load(YAML[control])
    assert set(given) <= set(SPEC)
    assert find_misshapen(SPEC, given) == []
    known = options(**LOGINS, networks=["192.0.2.0/24"])
    planned = {name.removeprefix("relay_"): value for name, value in given.items() if name[len("relay_") :] in known}
    for user in planned.get("users", ()):
        user.update({"password_hash": "{SHA512-CRYPT}$6$salt$hash"} if "password_hash" in user else {})
    assert make_plan({**known, **planned}, secrets=True)["problems"] == []


def test_report_has_it():
    told = {one.id: one.variable for one in controls()}
    assert {control: told[control] for control in YAML} == dict(YAML)
    assert {variable for control, variable in told.items() if control not in YAML} == {""}
