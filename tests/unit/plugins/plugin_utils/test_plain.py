# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which arguments count as given."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._module.message import MESSAGE_ARGUMENTS
from ansible_collections.mailops.smtp.plugins.module_utils._module.send import SEND_SPEC
from ansible_collections.mailops.smtp.plugins.plugin_utils import _plain

OPTIONS = SEND_SPEC["argument_spec"]


@pytest.mark.parametrize("name", OPTIONS)
def test_null_is_not_given(name: str) -> None:
    assert _plain.given({name: None, "to": "a@b.test"}) == {"to": "a@b.test"}


@pytest.mark.parametrize("empty", ["", " \n"])
def test_empty_text_is_given_only_to_options_that_hold_text(empty: str) -> None:
    kept = {name for name in OPTIONS if name in _plain.given({name: empty})}
    assert kept == {*MESSAGE_ARGUMENTS, "username", "password", "host", "tls_server_name"}


UNUSABLE: list[tuple[dict[str, t.Any], str]] = [
    ({"oauth": "tok"}, "oauth is not a mapping; expected the key token"),
    ({"oauth": ["tok"]}, "oauth is not a mapping"),
    ({"oauth": 5}, "oauth is not a mapping"),
    ({"oauth": ""}, ""),
    ({"oauth": {"token": "tok"}}, ""),
    ({"oauth": '{"token": "tok"}'}, ""),
    ({"subject": "a\ud800b"}, "subject is not valid text: it contains half of a surrogate pair"),
    ({"attachments": [{"path": "x"}, {"path": "\udc80"}]}, "attachments[1].path is not valid text"),
    ({"messages": [{"to": ["a", "\udfff"]}]}, "messages[0].to[1] is not valid text"),
    ({"subject": "\U0001f600 Köln", "vars": {"a": 5}}, ""),
]


@pytest.mark.parametrize(("arguments", "words"), UNUSABLE)
def test_argument_for_which_ansible_gives_a_python_error(arguments: dict[str, t.Any], words: str) -> None:
    said = _plain.unusable(arguments)
    assert said.startswith(words)
    assert bool(said) is bool(words)
    assert "tok'" not in said


INNER: list[tuple[dict[str, t.Any], dict[str, t.Any]]] = [
    ({"oauth": {"token": "t", "scope": None}}, {"oauth": {"token": "t"}}),
    ({"pinned_certificates": [None]}, {"pinned_certificates": []}),
    ({"ignore_extensions": ["SIZE", None]}, {"ignore_extensions": ["SIZE"]}),
]


@pytest.mark.parametrize(("arguments", "expected"), INNER)
def test_null_within_a_value_is_not_given(arguments: dict[str, t.Any], expected: dict[str, t.Any]) -> None:
    assert _plain.given(arguments) == expected
