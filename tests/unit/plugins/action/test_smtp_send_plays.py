# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""smtp_send in a real play on this machine: messages that arrive at a server, results, and files left behind.

One play has all tasks, because starting Ansible takes longest; each test checks its own task.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
import typing as t
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from ansible_collections.mailops.smtp.tests.fault.peer import Peer
from ansible_collections.mailops.smtp.tests.unit.support.playbook import run_playbook

VAULT_PASSWORD, PASSWORD = "the-vault-password", "the-smtp-password"
NOT_ROOT = os.geteuid() != 0

FILES = {
    "people.csv": "to,name,amount\na@x.test,Ann,5 EUR\n",
    "templates/reminder.j2": "Dear {{ name }}, please pay {{ amount }}.",
    "templates/account.j2": "Dear {{ name }}, your account is ready.",
    "files/quoted.csv": '\ufeffto,subject,name\r\na@x.test,Hi,Ann\r\nb@x.test,"Hey, you",Jörg <3\r\n',
    "files/attached.txt": "the controller's",
    "templates/body.j2": "Dear {{ name }},\n{% include 'sign.j2' %}\n",
    "templates/sign.j2": "your {{ app }} ({{ message.to }})",
    "templates/html.j2": "<p>Dear {{ name | e }}</p>",
    "templates/undefined.j2": "Dear {{ nick }}",
    "many.csv": "to,name\n" + "".join(f"p{number}@x.test,n\n" for number in range(201)),
    "texts.csv": "To,name,lang,city\na@x.test,Ann,en,Köln\nb@x.test,{{ smtp_password }},de,Graz\n",
    "report-de.txt": "Bericht",
    "report-en.txt": "report",
    "templates/de.j2": "Hallo {{ name }}: {{ message.subject }}",
    "templates/en.j2": "Hello {{ name }}: {{ message.subject }}",
    "own.jsonl": '{"to": "a@x.test", "name": "Ann", "subject": "{{ app }}"}\n'
    '{"to": "b@x.test", "name": "Bob", "body": "own {{ name }}", "html": null}\n'
    '{"to": "c@x.test", "name": "Cid", "subject": null}\n',
    "two.csv": "to,name\na@x.test,n\nb@x.test,n\n",
    "cells.csv": "to,name\na@x.test,n\nb@x.test,n,m\n",
    "address.csv": "to\na@x.test\nno address at all\n",
    "host/attached.txt": "the host's",
    "host/all.txt": "to all",
    "host/template.j2": "Dear {{ name | default('you') }}",
    "host/evil.jsonl": '{"to": "a@x.test", "name": "Ann", "file": "/etc/passwd", "app": "evil"}\n',
    "host/people.jsonl": '{"to": "a@x.test", "name": "Ann"}\n{"to": ["b@x.test"], "body": "own"}\n',
}
USERS = [{"name": "Ann", "mail": "a@x.test"}, {"name": "Bob", "mail": "b@x.test"}]
VAULTED = {"terms.txt": "the terms", "terms.pdf": "a document"}


def task(options: dict[str, t.Any], **keywords: t.Any) -> dict[str, t.Any]:
    return {"mailops.smtp.smtp_send": {"subject": "S", **options}, **keywords}


def documented(page: str, heading: str, number: int = 1) -> dict[str, t.Any]:
    """The options in an example of a page in docs/, without those of the server.

    :param number: position of the example below the heading, from 1.
    """
    path = Path(__file__).resolve().parents[4] / "docs" / page
    text = path.read_text(encoding="utf-8").split(f"# {heading}\n")[1]
    (example,) = yaml.safe_load(text.split("```yaml\n")[number].split("```")[0])
    options: dict[str, t.Any] = example["mailops.smtp.smtp_send"]
    return {name: value for name, value in options.items() if name not in ("host", "tls")}


#: Tasks with options that use the variables of a message, and what arrives: To, Subject and text.
TEXTS: dict[str, tuple[dict[str, t.Any], list[tuple[str, str, str]]]] = {
    "text_columns": (
        {"messages_file": "texts.csv", "subject": "{{ name }} of {{ app }}", "body_template": "{{ lang }}.j2"},
        [
            ("a@x.test", "Ann of billing", "Hello Ann: Ann of billing"),
            ("b@x.test", "{{ smtp_password }} of billing", "Hallo {{ smtp_password }}: {{ smtp_password }} of billing"),
        ],
    ),
    "text_hidden": (  # the play has a variable of the same name; another of its variables uses the column
        {"messages_file": "texts.csv", "subject": "To {{ city }}", "body": "{{ greeting }}"},
        [("a@x.test", "To Köln", "Dear Ann, Köln"), ("b@x.test", "To Graz", "Dear {{ smtp_password }}, Graz")],
    ),
    "text_filters": (
        {
            "messages_file": "texts.csv",
            "subject": "{{ name | default('friend') | length }}, {{ lang | mandatory | upper }}, {{ message.to }}",
            "body": "{% if lang == 'de' %}ja{% else %}yes{% endif %}",
        },
        [("a@x.test", "3, EN, a@x.test", "yes"), ("b@x.test", "19, DE, b@x.test", "ja")],
    ),
    "text_listed": (
        {
            "subject": "All: {{ name }}",
            "messages": [
                {"to": "{{ app }}@x.test", "body": "x", "vars": {"name": "{{ city | upper }}"}},
                {"to": "{{ mail }}", "subject": "Own: {{ name }}", "body": "{{ app }}", "vars": USERS[0]},
                {"to": "c@x.test", "subject": "{{ app }}", "body": "{{ message.to }}"},
            ],
        },
        [
            ("billing@x.test", "All: BONN", "x"),
            ("a@x.test", "Own: Ann", "billing"),
            ("c@x.test", "billing", "c@x.test"),
        ],
    ),
    "text_single": (
        {"to": "{{ user }}@x.test", "subject": "{{ message.to }}", "cc": "{{ omit }}", "vars": {"user": "d"}},
        [("d@x.test", "d@x.test", "d@x.test")],
    ),
    "text_own": (  # a message's own option is data and wins
        {
            "subject": "{{ name }}",
            "html": "<p>{{ name }}</p>",
            "messages_file": "own.jsonl",
        },
        [("a@x.test", "{{ app }}", "Ann"), ("b@x.test", "Bob", "own {{ name }}"), ("c@x.test", "Cid", "Cid")],
    ),
    "text_host": (
        {
            "remote_src": True,
            "messages_file": "{{ host_files }}/people.jsonl",
            "subject": "{{ name | default('you') }}",
            "body": "{{ city }}",
            "headers": {"X-Task": "text_host", "X-Host": "{{ ansible_host }}"},
        },
        [("a@x.test", "Ann", "Bonn"), ("b@x.test", "you", "own")],
    ),
    "text_raw": (
        {"to": "a@x.test", "subject": "{% raw %}{{ name }}{% endraw %}", "body": "b", "vars": {"name": "Ann"}},
        [("a@x.test", "{{ name }}", "b")],
    ),
}
#: The other options, each with the words that a message has: the variable is ``de`` or, for the domain, ``x.test``.
OTHER_TEXTS: dict[str, tuple[t.Any, str]] = {
    "from": ("{{ lang }} <a@b.test>", "From: de <a@b.test>"),
    "cc": (["{{ lang }}@x.test"], "Cc: de@x.test"),
    "reply_to": ("{{ lang }}@x.test", "Reply-To: de@x.test"),
    "headers": ({"X-Lang": "{{ lang }}", "X-Task": "other_headers"}, "X-Lang: de"),
    "html": ("<p>{{ lang | upper }}</p>", "<p>DE</p>"),
    "attach": ("report-{{ lang }}.txt", "filename=report-de.txt"),
    "attachments": ([{"name": "{{ lang }}.txt", "content": "{{ lang }}"}], "filename=de.txt"),
    "body_file": ("report-{{ lang }}.txt", "Bericht"),
    "list_unsubscribe": (["mailto:{{ lang }}@x.test"], "List-Unsubscribe: <mailto:de@x.test>"),
    "message_id": ("<{{ lang }}@x.test>", "Message-ID: <de@x.test>"),
    "in_reply_to": ("<{{ lang }}@x.test>", "In-Reply-To: <de@x.test>"),
    "priority": ("{{ 'high' if lang == 'de' else 'low' }}", "Importance: high"),
}

HOSTILE_NAME = "Jo|Reply-To=evil@x.test|X-B=c"
#: Headers in which the value of a variable must not begin another one.
HEADERS: dict[str, t.Any] = {
    "headers_list": ["X-Task=headers_list", "X-Name={{ name }}"],
    "headers_text": "X-Task=headers_text|X-Name={{ name }}",
    "headers_own": {"X-Task": "headers_own", "X-Name": "{{ name }}"},
}

TASKS: dict[str, dict[str, t.Any]] = {
    **{name: task({"to": "a@x.test", "vars": {"name": HOSTILE_NAME}, "headers": one}) for name, one in HEADERS.items()},
    "files_text": task({"to": "a@x.test", "vars": {"file": "attached.txt,/etc/hostname"}, "attach": "/srv/{{ file }}"}),
    **{name: task(options) for name, (options, _arrive) in TEXTS.items()},
    **{
        f"other_{name}": task(
            {
                name: value,
                "to": "a@x.test",
                "vars": {"lang": "de"},
                **({"remote_src": False} if name == "attach" else {}),
            }
        )
        for name, (value, _words) in OTHER_TEXTS.items()
    },
    "text_undefined": task({"messages_file": "texts.csv", "subject": "{{ nick }}"}),
    "text_undefined_single": task({"to": "a@x.test", "subject": "{{ nick }}"}),
    "text_undefined_listed": task({"messages": [{"to": "a@x.test"}, {"to": "{{ nick }}", "vars": {"x": 1}}]}),
    "text_undefined_list": task({"messages": "{{ nick }}"}),
    "text_of_the_task": task({"to": "a@x.test", "username": "{{ nick }}", "vars": {"nick": "x"}}),
    "text_evil": task(
        {
            "remote_src": True,
            "messages_file": "{{ host_files }}/evil.jsonl",
            "attachments": [{"path": "{{ file }}", "remote_src": False}],
        }
    ),
    "text_lookup": task(
        {
            "remote_src": True,
            "messages_file": "{{ host_files }}/evil.jsonl",
            "body": "{{ lookup('file', file) }}",
        }
    ),
    "documented": task(documented("sending.md", "One message for each row of a file")),
    "migrated": task(documented("migrating.md", "A loop becomes messages", 2)),
    "csv": task(
        {
            "messages_file": "quoted.csv",
            "body_template": "body.j2",
            "html_template": "html.j2",
            "attachments": [{"path": "terms.txt", "remote_src": False}],
        }
    ),
    "password": task(
        {"messages_file": "two.csv", "body_template": "body.j2", "username": "u", "password": "{{ smtp_password }}"}
    ),
    "local": task({"to": "c@x.test", "attach": "attached.txt", "remote_src": False}),
    "plain": task({"to": "c@x.test", "attach": "{{ host_files }}/attached.txt"}),
    "host": task(
        {
            "remote_src": True,
            "messages_file": "{{ host_files }}/people.jsonl",
            "body_file": "{{ host_files }}/all.txt",
        }
    ),
    "host_template": task(
        {
            "remote_src": True,
            "messages_file": "{{ host_files }}/people.jsonl",
            "body_template": "{{ host_files }}/template.j2",
        }
    ),
    "many": task({"messages": [{"to": f"p{number}@x.test", "subject": f"n{number}"} for number in range(250)]}),
    "check": task({"messages_file": "two.csv", "body_template": "body.j2"}, check_mode=True),
    "later": task({"messages_file": "two.csv"}, **{"async": 60, "poll": 1}),
    "cells": task({"messages_file": "cells.csv"}),
    "undefined": task({"messages_file": "two.csv", "body_template": "undefined.j2"}),
    "address": task({"messages_file": "address.csv"}),
}
if not NOT_ROOT:
    TASKS["nobody"] = task(
        {
            "messages_file": "many.csv",
            "body_template": "body.j2",
            "attachments": [{"path": "attached.txt", "remote_src": False}],
        },
        become=True,
        become_user="nobody",
        become_method="ansible.builtin.su",
        become_flags="-s /bin/sh",
    )


class Outcome(t.NamedTuple):
    """The play's results by task, messages by task, output, and the files it left behind."""

    results: dict[str, t.Any]
    messages: dict[str, list[EmailMessage]]
    output: str
    left: list[str]


@pytest.fixture(scope="module", params=["module", "in the controller's process"])
def outcome(request: pytest.FixtureRequest) -> t.Iterator[Outcome]:
    """The play, with tasks that run as modules, and with tasks that run in Ansible's own process."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)  # for the task that runs as another user
    try:
        yield play(folder, as_modules=request.param == "module")
    finally:
        shutil.rmtree(folder)


def play(folder: Path, as_modules: bool) -> Outcome:
    secret = VaultSecret(VAULT_PASSWORD.encode())
    vault = VaultLib([("default", secret)])
    for name, content in {**FILES, **VAULTED}.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(vault.encrypt(content.encode(), secret) if name in VAULTED else content.encode())
    (folder / "vault").write_text(VAULT_PASSWORD)
    with Peer() as peer:
        server = {"host": "127.0.0.1", "port": peer.port, "tls": "none", "from": "a@b.test"}
        tasks = [
            {
                **one,
                "name": name,
                "register": name,
                "ignore_errors": True,
                "mailops.smtp.smtp_send": {"headers": {"X-Task": name}, **one["mailops.smtp.smtp_send"]},
            }
            for name, one in TASKS.items()
        ]
        results = ", ".join(f"'{name}': {name}" for name in TASKS)
        collect = {"content": "{{ {" + results + "} | to_json }}", "dest": str(folder / "results.json")}
        whole = {
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {
                "app": "billing",
                "city": "Bonn",
                "greeting": "Dear {{ name }}, {{ city }}",
                "smtp_password": PASSWORD,
                "host_files": str(folder / "host"),
                "users": USERS,
            },
            "environment": {"AS_MODULES": "yes"} if as_modules else {},
            "module_defaults": {"group/mailops.smtp.smtp": server},
            "tasks": [*tasks, {"ansible.builtin.copy": collect, "no_log": True}],
        }
        (folder / "play.json").write_text(json.dumps([whole]))
        options = ("--vault-password-file", "vault", "-vvvv", "--diff", "play.json")
        output = run_playbook(*options, cwd=folder, home=folder / "home", environment=environment(folder))
    assert (folder / "results.json").exists(), output
    messages: dict[str, list[EmailMessage]] = {name: [] for name in TASKS}
    for received in peer.messages:
        message = message_from_bytes(received.removesuffix(b"\r\n.\r\n"), EmailMessage, policy=policy.default)
        messages[message["X-Task"]].append(message)
    return Outcome(json.loads((folder / "results.json").read_text()), messages, output, left_in(folder))


def left_in(folder: Path, seconds: float = 30) -> list[str]:
    """The files left behind, once the supervisor of an async task has deleted its own, which takes it up to 5 s."""
    until = time.monotonic() + seconds
    while True:
        left = [str(path) for name in ("local", "remote") for path in (folder / name).rglob("*") if path.is_file()]
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.1)


def environment(folder: Path) -> dict[str, str]:
    return {
        "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
        "ANSIBLE_REMOTE_TEMP": str(folder / "remote"),
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable if NOT_ROOT else "/usr/bin/python3",
    }


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert part is not None, message
    return str(part.get_content()).strip().replace("\r\n", "\n")


def texts(outcome: Outcome, name: str) -> list[str]:
    assert not outcome.results[name].get("failed"), outcome.results[name]
    return [text_of(message) for message in outcome.messages[name]]


def files_of(message: EmailMessage) -> dict[str | None, t.Any]:
    return {part.get_filename(): part.get_content().strip() for part in message.iter_attachments()}


def test_template_is_rendered_for_each_row_of_a_csv_file(outcome: Outcome) -> None:
    assert texts(outcome, "csv") == ["Dear Ann,\nyour billing (a@x.test)", "Dear Jörg <3,\nyour billing (b@x.test)"]
    message = outcome.messages["csv"][1]
    assert (message["To"], message["Subject"]) == ("b@x.test", "Hey, you")
    assert text_of(message, "html") == "<p>Dear Jörg &lt;3</p>"
    assert files_of(message) == {"terms.txt": "the terms"}


@pytest.mark.parametrize("name", TEXTS)
def test_options_use_the_variables_of_a_message(outcome: Outcome, name: str) -> None:
    bodies = texts(outcome, name)
    arrived = [(one["To"], one["Subject"]) for one in outcome.messages[name]]
    assert [(*one, body) for one, body in zip(arrived, bodies, strict=True)] == TEXTS[name][1]
    assert "Cc" not in outcome.messages[name][0]


@pytest.mark.parametrize("name", HEADERS)
def test_value_of_a_row_does_not_begin_another_header(outcome: Outcome, name: str) -> None:
    (message,) = outcome.messages[name]
    assert message["X-Name"] == HOSTILE_NAME
    assert (message["Reply-To"], message["X-B"]) == (None, None)


def test_value_of_a_row_does_not_name_another_file(outcome: Outcome) -> None:
    assert "/srv/attached.txt,/etc/hostname" in outcome.results["files_text"]["msg"]
    assert outcome.messages["files_text"] == []


@pytest.mark.parametrize("name", OTHER_TEXTS)
def test_every_text_option_uses_the_variables_of_a_message(outcome: Outcome, name: str) -> None:
    assert not outcome.results[f"other_{name}"].get("failed"), outcome.results[f"other_{name}"]
    (message,) = outcome.messages[f"other_{name}"]
    assert OTHER_TEXTS[name][1] in message.as_string()


def test_documented_example_for_a_file_works(outcome: Outcome) -> None:
    assert texts(outcome, "documented") == ["Dear Ann, please pay 5 EUR."]
    (message,) = outcome.messages["documented"]
    assert (message["To"], message["Subject"]) == ("a@x.test", "Ann, your invoice")
    assert files_of(message) == {"terms.pdf": b"a document"}


def test_documented_migration_of_a_loop_works(outcome: Outcome) -> None:
    assert texts(outcome, "migrated") == [f"Dear {user['name']}, your account is ready." for user in USERS]
    assert [message["To"] for message in outcome.messages["migrated"]] == [user["mail"] for user in USERS]


def test_password_is_not_shown(outcome: Outcome) -> None:
    assert "in clear" in outcome.results["password"]["msg"]
    assert PASSWORD not in outcome.output
    assert PASSWORD not in json.dumps(outcome.results)


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("local", {"attached.txt": "the controller's"}),
        ("plain", {"attached.txt": "the host's"}),
    ],
)
def test_remote_src_decides_where_attachments_are(outcome: Outcome, name: str, files: dict[str, str]) -> None:
    assert [files_of(message) for message in outcome.messages[name]] == [files], outcome.results[name]


def test_files_on_the_host(outcome: Outcome) -> None:
    assert texts(outcome, "host") == ["to all", "own"]
    assert texts(outcome, "host_template") == ["Dear Ann", "own"]


def test_many_messages_in_one_task(outcome: Outcome) -> None:
    assert outcome.results["many"]["summary"]["sent"] == 250
    assert [one["Subject"] for one in outcome.messages["many"]] == [f"n{number}" for number in range(250)]


def test_check_mode_reads_and_renders_all_messages(outcome: Outcome) -> None:
    assert "Would send 2 messages" in outcome.results["check"]["msg"]
    assert outcome.messages["check"] == []


def test_async_task_sends_all_messages(outcome: Outcome) -> None:
    assert outcome.results["later"]["summary"]["sent"] == 2
    assert len(outcome.messages["later"]) == 2


@pytest.mark.skipif(NOT_ROOT, reason="only root may become another user without a password")
def test_unprivileged_become_user_can_read_the_files(outcome: Outcome) -> None:
    assert len(texts(outcome, "nobody")) == 201
    assert files_of(outcome.messages["nobody"][200]) == {"attached.txt": "the controller's"}


REFUSED = [
    ("cells", "Nothing was sent: cells.csv, line 3 has 3 cells"),
    ("undefined", "Nothing was sent: two.csv, line 2: body_template undefined.j2: 'nick' is undefined"),
    ("address", "Nothing was sent: address.csv, line 3: to: "),
    ("text_undefined", "Nothing was sent: texts.csv, line 2: subject: 'nick' is undefined"),
    ("text_undefined_single", "Nothing was sent: subject: 'nick' is undefined"),
    ("text_undefined_listed", "Nothing was sent: messages[1]: to: 'nick' is undefined"),
    ("text_undefined_list", "Nothing was sent: messages: 'nick' is undefined"),
    ("text_of_the_task", "Error while resolving value for 'username': 'nick' is undefined"),
    ("text_evil", "evil.jsonl, line 1: attachments: a messages_file on the host may name only files on the host"),
    ("text_lookup", "evil.jsonl, line 1: body: 'lookup' is undefined"),
]


@pytest.mark.parametrize(("name", "words"), REFUSED)
def test_error_in_a_file_names_its_line(outcome: Outcome, name: str, words: str) -> None:
    assert outcome.results[name]["failed"]
    assert words in outcome.results[name]["msg"]
    assert outcome.messages[name] == []


def test_no_file_is_left_behind(outcome: Outcome) -> None:
    assert outcome.left == []
