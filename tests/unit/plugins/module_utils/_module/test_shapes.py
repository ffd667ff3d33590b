# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every option of a message with a value of every shape, from a task, an item of ``messages`` and a JSON Lines file.

This covers _message/options.py together with message.py and source.py: a value either means what it seems to mean, or
is refused with its option and place. The same values on the controller are in tests/unit/plugins/action.
"""

from __future__ import annotations

import json
import re
import typing as t
from datetime import date
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mailops.smtp.plugins.module_utils._message.errors import MessageError
from ansible_collections.mailops.smtp.plugins.module_utils._message.forms import TASK_OPTIONS
from ansible_collections.mailops.smtp.plugins.module_utils._message.options import message_form
from ansible_collections.mailops.smtp.plugins.module_utils._module.message import MESSAGE_ARGUMENTS, Composer
from ansible_collections.mailops.smtp.plugins.module_utils._module.outgoing import Outgoing
from ansible_collections.mailops.smtp.plugins.module_utils._module.send import SEND_SPEC

Compose = t.Callable[[str, dict[str, t.Any]], str]
VALIDATOR = ArgumentSpecValidator(**SEND_SPEC)
GIVEN = {"from": "a@a.test", "to": "b@b.test", "subject": "s", "body": "text"}

SHAPES: list[t.Any] = [
    *(None, "", " \n", True, False, 0, 5, 1.5, "x", "two\nlines", "{", "\u2028x"),
    *([], [None], [""], ["x", None], ["x", 5], [True], [5], [1.5], [["x"]], [[]], [{}], [{"a": "b"}], ["two\nlines"]),
    *(
        {},
        {"a": "b"},
        {"a": None},
        {"a": {"b": "c"}},
        {"a": [["b"]]},
        {"": "b"},
        {"path": 5},
        {"path": {}},
        {"to": "x"},
    ),
    *([{"path": None}], [{"path": ["x"]}], [{"content": {}, "name": "x"}], [{"content": "x", "name": []}]),
    *([{"path": "/x", "cid": {}}], [{"path": "/x", "cid": "c", "mime_type": []}], {"notify": {}}, {"notify": ["x"]}),
    *({"full": []}, {"envelope_id": [1]}, [{"name": "X-A", "value": {}}], [{"key": None, "value": "b"}], {"X-A": {}}),
]
#: Texts of Python, and values in Python's form.
NONSENSE = re.compile(
    r"None|NoneType|<class|object has|object is|Traceback|unhashable|not iterable|not subscriptable"
    r"|attribute|expected str|unable to convert|datetime|AnsibleTagged|\['|\{'\w|\[\[|\[None|\[5|\[True|dicts?\b"
)


@pytest.fixture
def compose(tmp_path: Path) -> Compose:
    """``compose(way, options)`` validates options as Ansible does, and composes the only message that they describe.

    It raises ValueError as the messages of a task do.
    """

    def run(way: str, options: dict[str, t.Any]) -> str:
        given = {**options}
        if way == "messages":
            given = {"messages": [options]}
        if way == "file":
            (tmp_path / "m.jsonl").write_text("\n" + json.dumps(options) + "\n")
            given = {"messages_file": str(tmp_path / "m.jsonl")}
        validated = VALIDATOR.validate(given)
        assert not validated.error_messages
        (envelope,) = Outgoing(validated.validated_parameters, "run")
        return str(envelope.content.decode())

    return run


def base(option: str) -> dict[str, t.Any]:
    """The options of a message that this option does not exclude."""
    text = option.partition("_")[0]
    return {name: value for name, value in GIVEN.items() if name != text or option == text}


@pytest.mark.parametrize("way", ["task", "messages", "file"])
@pytest.mark.parametrize("option", MESSAGE_ARGUMENTS)
def test_value_of_any_shape_is_understood_or_refused(compose: Compose, tmp_path: Path, option: str, way: str) -> None:
    place = {"task": "", "messages": "messages[0]: ", "file": f"{tmp_path}/m.jsonl, line 2: "}[way]
    wrong = []
    for shape in SHAPES:
        try:
            content = compose(way, {**base(option), option: shape})
        except ValueError as error:
            says = str(error)
        else:
            if NONSENSE.search(content):
                wrong.append((shape, content))
            continue
        named = says.startswith(place) and (option in says or "no recipient" in says)
        if not named or "\n" in says or NONSENSE.search(says):
            wrong.append((shape, says))
    assert not wrong


#: For each option: a value that does not fit, and what is said. Accepted values are in ACCEPTED.
REFUSED = [
    ({"headers": 5}, "headers: expected a mapping of names and values, or a list of Name=value, got the number 5"),
    ({"headers": ["X-A=b", 5]}, "headers[1]: expected a mapping of names and values, or a list of Name=value, got the"),
    ({"headers": {"X-A": {"b": "c"}}}, "headers, X-A: expected text, got a mapping"),
    (
        {"headers": {"X-A": "a\nb"}},
        "headers, X-A: 'a\\nb' contains a line break; expected one line of text. To write a",
    ),
    ({"headers": {True: "b"}}, "headers: expected the name of a header, got the boolean true"),
    ({"headers": {"Reply-To": "no address"}}, "headers, Reply-To: 'no address' is not a valid address"),
    ({"attach": [{"path": "/x"}]}, "attach[0]: expected a path, got a mapping"),
    ({"attach": 5}, "attach: expected a path or a list of paths, got the number 5"),
    ({"references": 5}, "references: expected a Message-ID or a list of Message-IDs, got the number 5"),
    ({"references": "a b\u20ac"}, "references: 'b\u20ac' is not a valid Message-ID"),
    ({"in_reply_to": {"a": "b"}}, "in_reply_to: expected a Message-ID or a list of Message-IDs, got a mapping"),
    ({"message_id": ["a"]}, "message_id: expected one Message-ID, got a list"),
    ({"message_id": "a b"}, "message_id: 'a b' is not a valid Message-ID"),
    ({"message_id_domain": "a b"}, "message_id_domain: 'a b' is not a valid domain"),
    ({"to": 5}, "to: expected an address or a list of addresses, got the number 5"),
    ({"cc": ["a@b.test", {"mail": "x"}]}, "cc[1]: expected an address, got a mapping"),
    ({"to": "a@b.test\nc@d.test"}, "to: 'a@b.test\\nc@d.test' contains a line break; expected one line of text. To"),
    ({"from": True}, "from: expected one address, got the boolean true"),
    ({"envelope_from": ["a@b.test"]}, "envelope_from: expected one address, got a list"),
    ({"envelope_from": "no address"}, "envelope_from: 'no address' is not a valid address"),
    ({"subject": "a\nb"}, "subject: 'a\\nb' contains a line break; expected one line of text. To write a long line as"),
    ({"subject": ["a"]}, "subject: expected one line of text, got a list"),
    (
        {"body": {"a": 1}},
        "body: expected text or a list of lines, got a mapping; to send it as text, use {{ x | to_nice",
    ),
    (
        {"body": ["a", ["b"]]},
        "body[1]: expected text or a list of lines, got a list; to send it as text, use {{ x | fl",
    ),
    ({"html": {"a": 1}}, "html: expected text or a list of lines, got a mapping"),
    ({"attachments": 5}, "attachments: expected a mapping with path, or content and name, got the number 5"),
    ({"attachments": [{}]}, "attachments[0]: expected path, or content and name, got nothing"),
    ({"attachments": [{"content": "x"}]}, "attachments[0]: expected path, or content and name, got content"),
    ({"attachments": [{"path": "a", "content": "x"}]}, "attachments[0]: path and content are mutually exclusive"),
    (
        {"attachments": [{"path": "a", "nam": "x"}]},
        "attachments[0]: unknown option nam; expected path, remote_src, con",
    ),
    ({"attachments": [{"content": "x", "name": "a", "type": "text"}]}, "attachments[0]: 'text' is not a valid media"),
    ({"attachments": ["/nowhere"]}, "attachments[0]: the attachment /nowhere cannot be read"),
    ({"inline": ["/x.png"]}, "inline[0]: expected a mapping with path and cid, got the text '/x.png'"),
    ({"inline": [{"path": "/x.png"}]}, "inline[0]: expected path and cid, got path"),
    ({"list_unsubscribe": [{"a": "b"}]}, "list_unsubscribe[0]: expected a URI, got a mapping"),
    ({"priority": "urgent"}, "priority: expected high, normal or low, got the text 'urgent'"),
    ({"require_tls": "perhaps"}, "require_tls: expected true or false, got the text 'perhaps'"),
    ({"dsn": "failure"}, "dsn: expected a mapping of names and values, got the text 'failure'"),
    ({"dsn": {"notify": "always"}}, "dsn.notify: expected success, failure, delay or never, got the text 'always'"),
    ({"dsn": {"notify": ["never", "success"]}}, "dsn.notify: never excludes other events (RFC 3461 section 4.1)"),
    ({"dsn": {"notify": "delay,never"}}, "dsn.notify: never excludes other events"),
    ({"dsn": {"envelope_id": "x" * 101}}, "dsn.envelope_id: has 101 characters; expected at most 100 (RFC 3461"),
    ({"headers": {"Sender": "nonsense"}}, "headers, Sender: 'nonsense' has no domain; expected one such as jo@exa"),
    ({"headers": {"Sender": "a@b.test, c@d.test"}}, "headers, Sender: "),
    ({"message_id_domain": "."}, "message_id_domain: "),
    ({"headers": '{"X-A": "b"'}, "headers: is not valid JSON (Expecting"),
    ({"headers": '{"X-A": "b", "X-A": "c"}'}, "headers: is not valid JSON (the key 'X-A' occurs twice)"),
    ({"headers": "{'X-A': 'b'}"}, "headers: is not valid JSON"),
    ({"attach": "['/x', '/y']"}, "attach: is not valid JSON"),
    ({"attach": "[1,2]"}, "attach[0]: expected a path, got the number 1"),
    ({"dsn": '["never"]'}, "dsn: expected a mapping of names and values, got a list"),
    ({"To": "a@b.test"}, "unknown option To; did you mean to?"),
    ({"Bcc": "a@b.test", "Reply-To": "x"}, "unknown option Bcc, Reply-To; did you mean bcc or reply_to?"),
    ({"attachments": [{"Path": "x"}]}, "attachments[0]: unknown option Path; did you mean path?"),
    *(({name: "x"}, f"unknown option {name}; that is an option of the task") for name in ("tls", "host", "port")),
    ({"list_unsubscribe": "https://c.test/?a=1, 2"}, "list_unsubscribe: "),
    ({"vars": ["a"]}, "vars: expected a mapping of names and values, got a list"),
    ({"subjct": "x"}, "unknown option subjct; variables for templates belong under vars"),
    ({"body": "x", "body_file": "y"}, "body and body_file are mutually exclusive; choose one"),
    ({"headers": {"X-A": "x" * 70 + "\n" + "y"}}, f"headers, X-A: '{'x' * 60}...' contains a line break"),
]


@pytest.mark.parametrize(("options", "words"), REFUSED)
def test_refused_value_is_named_with_what_was_expected(options: dict[str, t.Any], words: str) -> None:
    with pytest.raises(MessageError) as error:
        Composer(GIVEN).envelope(options)
    assert str(error.value).startswith(words)


@pytest.mark.parametrize("messages", [[5], ["a@b"], [None], [[]], "[5]"])
def test_item_that_is_not_a_message_is_refused(messages: t.Any) -> None:
    validated = VALIDATOR.validate({**GIVEN, "messages": messages})
    assert not validated.error_messages
    words = r"messages\[0\]: expected a mapping of options and values, got "
    with pytest.raises(ValueError, match=words):
        Outgoing(validated.validated_parameters, "run").check()


@pytest.mark.parametrize("messages", ["x", 5, True, "{bad"])
def test_messages_that_are_not_a_list_are_named_without_an_index(messages: t.Any) -> None:
    validated = VALIDATOR.validate({**GIVEN, "messages": messages})
    with pytest.raises(MessageError, match="^messages: (?:expected a list of messages|is not valid JSON)"):
        Outgoing(validated.validated_parameters, "run")


@pytest.mark.parametrize("messages", ["", " \n", '{"subject": "x"}', '[{"subject": "x"}]'])
def test_messages_as_text(messages: str) -> None:
    (envelope,) = Outgoing(VALIDATOR.validate({**GIVEN, "messages": messages}).validated_parameters, "run")
    assert (b"\r\nSubject: x\r\n" in envelope.content) is bool(messages.strip())


def test_module_says_where_a_value_is_wrong(run: t.Callable[..., dict[str, t.Any]]) -> None:
    result = run(None, subject=["a"], to=None)
    assert result["msg"] == "Nothing was sent: subject: expected one line of text, got a list."
    assert result["stage"] == "compose"


FOLDED = "a folded line\n"

#: Values that mean something, and what the message has: a header by its name, ``text`` or ``names`` of its attachments.
ACCEPTED: list[tuple[dict[str, t.Any], dict[str, t.Any]]] = [
    ({"headers": [{"X-A": "b"}, "X-B: c", "X-C=d"]}, {"X-A": "b", "X-B": "c", "X-C": "d"}),
    ({"headers": {"X-A": None, "X-B": "", "X-C": 5}}, {"X-A": None, "X-B": None, "X-C": "5"}),
    ({"headers": {"X-A": FOLDED}}, {"X-A": "a folded line"}),
    ({"subject": FOLDED}, {"Subject": "a folded line"}),
    ({"subject": 5}, {"Subject": "5"}),
    ({"subject": date(2026, 11, 22)}, {"Subject": "2026-11-22"}),
    ({"date": date(2026, 11, 22)}, {"Date": lambda value: value.datetime.date() == date(2026, 11, 22)}),
    ({"to": ["a@b.test\n", None, ""]}, {"To": "a@b.test"}),
    ({"to": "Jo <a@b.test>, c@d.test\n"}, {"To": "Jo <a@b.test>, c@d.test"}),
    ({"from": " Jo <a@b.test>\n"}, {"From": "Jo <a@b.test>"}),
    ({"from": ""}, {"From": "a@a.test"}),
    ({"reply_to": ""}, {"Reply-To": None}),
    ({"references": ["<a@b>\n", None, "c@d, e@f"]}, {"References": "<a@b> <c@d> <e@f>"}),
    ({"references": "<a@b>\n <c@d>"}, {"References": "<a@b> <c@d>"}),
    ({"references": [" , "], "in_reply_to": ""}, {"References": None, "In-Reply-To": None}),
    (
        {"list_unsubscribe": "mailto:a@b.test,https://c.test/\n"},
        {"List-Unsubscribe": "<mailto:a@b.test>, <https://c.test/>"},
    ),
    ({"message_id": "a@b.test\n"}, {"Message-ID": "<a@b.test>"}),
    ({"message_id_domain": "c.test\n"}, {"Message-ID": lambda value: value.endswith("@c.test>")}),
    ({"message_id_domain": "c.test."}, {"Message-ID": lambda value: value.endswith("@c.test>")}),
    ({"dsn": {"notify": ["never", "never"], "envelope_id": "x" * 100}}, {}),
    ({"list_unsubscribe": "https://c.test/?a=1,2"}, {"List-Unsubscribe": "<https://c.test/?a=1,2>"}),
    (
        {"list_unsubscribe": "<https://c.test/?a=1,2>,mailto:a@b.test,https://d.test/?e,f,"},
        {"List-Unsubscribe": "<https://c.test/?a=1,2>, <mailto:a@b.test>, <https://d.test/?e,f>"},
    ),
    ({"headers": '{"X-A": "b"}'}, {"X-A": "b"}),
    ({"headers": ' [{"X-A": "b"}, "X-B=c"]\n'}, {"X-A": "b", "X-B": "c"}),
    ({"to": '["a@b.test", "c@d.test"]'}, {"To": "a@b.test, c@d.test"}),
    ({"references": '["a@b", "c@d"]'}, {"References": "<a@b> <c@d>"}),
    ({"attachments": '[{"content": "a", "name": "a.txt"}]'}, {"names": ["a.txt"]}),
    ({"dsn": '{"notify": "[\\"never\\"]"}', "vars": '{"a": 1}', "attach": "[]"}, {}),
    ({"body": '["a"]'}, {"text": '["a"]\n'}),
    ({"priority": "high\n"}, {"Importance": "high"}),
    ({"auto_submitted": False}, {"Auto-Submitted": None}),
    ({"auto_submitted": ""}, {"Auto-Submitted": "auto-generated"}),
    ({"body": ["a", 5, None, "b"]}, {"text": "a\n5\n\nb\n"}),
    ({"body": []}, {"text": ""}),
    ({"invitation": " \n"}, {"text": "text\n"}),
    ({"body": 5}, {"text": "5\n"}),
    ({"body": "two\nlines\n"}, {"text": "two\nlines\n"}),
    ({"attachments": [{"content": ["a", "b"], "name": "a.txt\n", "type": None}]}, {"names": ["a.txt"]}),
    ({"attachments": {"content": "a", "name": "a.txt"}}, {"names": ["a.txt"]}),
    ({"attachments": [None, {"content": "", "name": "a"}]}, {"names": ["a"]}),
    ({"attachments": "", "inline": None, "attach": [None, ""]}, {"names": []}),
    ({"dsn": {"notify": "failure,delay\n", "envelope_id": 5, "full": None}}, {}),
    ({"sender": "c@d.test", "from": "e@f.test", "msg": None}, {"From": "c@d.test"}),
    ({"vars": {"a": None}}, {}),
]


@pytest.mark.parametrize(("options", "expected"), ACCEPTED)
def test_accepted_value_means_what_it_says(options: dict[str, t.Any], expected: dict[str, t.Any]) -> None:
    parsed: t.Any = message_from_bytes(Composer(GIVEN).envelope(options).content, policy=policy.default)
    for name, value in expected.items():
        if name == "text":
            found = parsed.get_body(("plain",)).get_content().replace("\r\n", "\n")
        elif name == "names":
            found = [part.get_filename() for part in parsed.iter_attachments()]
        else:
            found = parsed[name]
        assert value(found) if callable(value) else found == value


@pytest.mark.parametrize("form", [lambda path: path, lambda path: [f"{path}\n"], lambda path: {"path": path}])
@pytest.mark.parametrize("option", ["attachments", "attach"])
def test_plain_path_is_attached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, form: t.Any) -> None:
    (tmp_path / "x.log").write_text("attached")
    monkeypatch.setenv("HOME", str(tmp_path))
    for path in (str(tmp_path / "x.log"), "~/x.log", "$HOME/x.log"):
        value = form(path)
        if option == "attach" and isinstance(value, dict):
            continue
        parsed: t.Any = message_from_bytes(Composer(GIVEN).envelope({option: value}).content, policy=policy.default)
        assert [part.get_filename() for part in parsed.iter_attachments()] == ["x.log"]


def test_options_of_the_task_are_known() -> None:
    spec = SEND_SPEC["argument_spec"]
    known = {*spec, *(alias for one in spec.values() for alias in one.get("aliases", ()))}
    own = {*MESSAGE_ARGUMENTS, *(alias for one in MESSAGE_ARGUMENTS.values() for alias in one.get("aliases", ()))}
    assert known - own == TASK_OPTIONS


def test_null_is_not_given_for_every_option(compose: Compose) -> None:
    date_and_key = {"idempotency_key": "k", "date": "2026-11-22"}
    nulls = dict.fromkeys(MESSAGE_ARGUMENTS)
    contents = {compose(way, {**nulls, **GIVEN, **date_and_key}) for way in ("task", "messages", "file")}
    assert contents == {compose("task", {**GIVEN, **date_and_key})}


DEFAULTS = [
    ({}, ("root",)),
    ({"to": None, "cc": None, "bcc": ""}, ("root",)),
    ({"bcc": "x@b.test"}, ("x@b.test",)),
    ({"cc": ["x@b.test"]}, ("x@b.test",)),
    ({"to": "", "bcc": "x@b.test"}, ("x@b.test",)),
    ({"bcc": "\n", "cc": [None, " "]}, ("root",)),
]


@pytest.mark.parametrize(("options", "recipients"), DEFAULTS)
def test_root_is_the_recipient_only_if_there_is_no_other(options: dict[str, t.Any], recipients: t.Any) -> None:
    envelope = Composer({"from": "a@b.test", "subject": "s", **options}).envelope({})
    assert envelope.recipients == recipients
    assert (b"\r\nTo: root\r\n" in envelope.content) is (recipients == ("root",))


def test_reading_a_read_message_changes_nothing() -> None:
    """The controller reads options, and the host reads what it passes on."""
    form = message_form(MESSAGE_ARGUMENTS)
    for options, _expected in ACCEPTED:
        once = form.read(options)
        assert form.read(json.loads(json.dumps(once))) == once
