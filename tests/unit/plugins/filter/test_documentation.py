# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of every filter against the signature of its function; one file for all of plugins/filter."""

from __future__ import annotations

import importlib
import inspect
import typing as t
from pathlib import Path

import pytest
import yaml

FILTERS = Path(__file__).resolve().parents[4] / "plugins" / "filter"
PACKAGE = "ansible_collections.mailops.smtp.plugins.filter"
FUNCTIONS: dict[str, t.Callable[..., t.Any]] = {
    name: function
    for file in sorted(FILTERS.glob("*.py"))
    for name, function in importlib.import_module(f"{PACKAGE}.{file.stem}").FilterModule().filters().items()
}


def documentation_of(name: str) -> dict[str, t.Any]:
    return yaml.safe_load((FILTERS / f"{name}.yml").read_text(encoding="utf-8"))["DOCUMENTATION"]


def parameters_of(name: str) -> list[inspect.Parameter]:
    """Return the parameters without the first, which is the input of the filter."""
    return list(inspect.signature(FUNCTIONS[name]).parameters.values())[1:]


def options_of(name: str) -> dict[str, dict[str, t.Any]]:
    return {option: spec for option, spec in documentation_of(name)["options"].items() if option != "_input"}


def test_every_filter_has_documentation_and_every_documentation_a_filter():
    assert {"relay_plan", "smtp_provider"} <= set(FUNCTIONS)
    assert sorted(FUNCTIONS) == sorted(file.stem for file in FILTERS.glob("*.yml"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_documentation_has_the_name_of_the_filter(name: str):
    assert documentation_of(name)["name"] == name


@pytest.mark.parametrize("name", FUNCTIONS)
def test_input_is_documented_and_required(name: str):
    assert documentation_of(name)["options"]["_input"]["required"] is True


@pytest.mark.parametrize("name", FUNCTIONS)
def test_documented_options_are_the_parameters(name: str):
    assert list(options_of(name)) == [parameter.name for parameter in parameters_of(name)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_positional_options_are_the_parameters_that_can_be_positional(name: str):
    positional = documentation_of(name).get("positional", "").replace(",", " ").split()
    assert positional == [one.name for one in parameters_of(name) if one.kind is not one.KEYWORD_ONLY]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_required_options_are_the_parameters_without_a_default(name: str):
    required = [option for option, spec in options_of(name).items() if spec.get("required", False)]
    assert required == [one.name for one in parameters_of(name) if one.default is one.empty]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_documented_defaults_are_those_of_the_function(name: str):
    documented = {option: spec.get("default") for option, spec in options_of(name).items()}
    assert documented == {one.name: None if one.default is one.empty else one.default for one in parameters_of(name)}
