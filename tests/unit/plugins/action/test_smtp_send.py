# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's part of smtp_send, with a directory as the host: the module calls, their options, files left behind.

This covers the action plugin together with plugin_utils, whose files only work together; _progress.py also has
plugin_utils/test_progress.py. Whole plays are in test_smtp_send_plays.py.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tracemalloc
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible.template import Templar, trust_as_template

from ansible_collections.mailops.smtp.plugins.action.smtp_send import ActionModule
from ansible_collections.mailops.smtp.plugins.module_utils._module.message import MESSAGE_ARGUMENTS
from ansible_collections.mailops.smtp.plugins.plugin_utils import _rows, _uploads
from ansible_collections.mailops.smtp.plugins.plugin_utils._rows import check_host_row

VAULT_SECRET: t.Any = VaultSecret(b"vault-password")
DONE = {"changed": False, "msg": "done"}


class Action(ActionModule):
    """Uses a directory instead of a host and records what it did there."""

    host: Path
    task_vars: dict[str, t.Any]
    calls: list[dict[str, t.Any]]
    spools: list[list[t.Any]]
    results: list[dict[str, t.Any]]
    transferred: list[str]
    shown: list[str]

    def _early_needs_tmp_path(self):
        return False

    def _is_become_unprivileged(self):
        return False

    def _make_tmp_path(self, remote_user=None):
        self._connection._shell.tmpdir = str(self.host)
        return str(self.host)

    def _fixup_perms2(self, remote_paths, remote_user=None, execute=True):
        assert all(Path(path).exists() for path in remote_paths), remote_paths
        return remote_paths

    def _low_level_execute_command(self, cmd, *unused, **more):
        done = subprocess.run(["sh", "-c", cmd], capture_output=True, text=True, check=False)
        return {"rc": done.returncode, "stdout": done.stdout, "stderr": done.stderr}

    def _transfer_file(self, local_path, remote_path):
        assert stat.S_IMODE(Path(local_path).stat().st_mode) & 0o077 == 0 or "mailops" not in local_path
        self.transferred.append(remote_path)
        shutil.copyfile(local_path, remote_path)
        return remote_path

    def _execute_module(self, module_name=None, module_args=None, *unused, **more):
        if module_name == "ansible.legacy.slurp":
            path = Path(module_args["src"])
            if not path.exists():
                return {"failed": True, "msg": "file not found"}
            return {"content": base64.b64encode(path.read_bytes()).decode()}
        arguments = dict(self._task.args if module_args is None else module_args)
        self.calls.append(arguments)
        if arguments.get("_spool") and self.spools is not None:
            lines = Path(arguments["messages_file"]).read_text().splitlines()
            self.spools.append([json.loads(line) for line in lines])
        result = self.results.pop(0) if self.results else dict(DONE)
        if "lost" in result:
            raise AnsibleConnectionFailure(str(result["lost"]))
        return result


Make = t.Callable[..., Action]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """``make(variables, **options)``; ``tmp_path/play`` is the playbook's directory, ``tmp_path/host`` the host."""
    play, host, local = (tmp_path / name for name in ("play", "host", "local"))
    for folder in (play / "files", play / "templates", host, local):
        folder.mkdir(parents=True)
    for module in (_uploads, _rows):
        monkeypatch.setattr(module, "DEFAULT_LOCAL_TMP", str(local))

    def build(variables: dict[str, t.Any] | None = None, **options: t.Any) -> Action:
        loader = DataLoader()
        loader.set_basedir(str(play))
        loader.set_vault_secrets([("default", VAULT_SECRET)])
        task: t.Any = SimpleNamespace(
            args=options,
            async_val=0,
            check_mode=False,
            action="mailops.smtp.smtp_send",
            get_search_path=lambda: [str(play)],
        )
        shell = SimpleNamespace(
            tmpdir=None, join_path=lambda *parts: "/".join(parts), remove=lambda path, recurse: f"rm -rf {path}"
        )
        connection: t.Any = SimpleNamespace(_shell=shell, has_native_async=False, transport="ssh")
        task_vars = {"inventory_hostname": "web1", **(variables or {})}
        nothing: t.Any = None
        action = Action(task, connection, nothing, loader, Templar(loader=loader, variables=task_vars))
        action.host, action.task_vars = host, task_vars
        action.calls, action.spools, action.results, action.transferred, action.shown = [], [], [], [], []
        display: t.Any = SimpleNamespace(display=action.shown.append)
        action._display = display
        return action

    return build


def run(action: Action) -> dict[str, t.Any]:
    return action.run(task_vars=action.task_vars)


def options_of(action: Action) -> list[dict[str, t.Any]]:
    """Each message's own options, as sent to the host."""
    (spool,) = action.spools
    return [row[1] for row in spool[1:]]


PLAIN = [
    {"to": "a@b", "subject": "x", "attachments": [{"path": "/x"}], "messages_per_minute": 3},
    {"messages": [{"to": "a@b"}] * 200, "attach": "/x"},
    {"messages": 5},
    {"messages": [{"to": "a@b"}], "messages_per_minute": 7},
]


@pytest.mark.parametrize("options", PLAIN)
def test_plain_task_is_one_module_call(make: Make, options: dict[str, t.Any]) -> None:
    action = make(**options)
    assert run(action) == DONE
    assert action.calls == [options]
    assert (action.transferred, action._connection._shell.tmpdir) == ([], None)


def test_plain_task_imports_only_what_it_needs() -> None:
    code = (
        "import json, sys; from ansible_collections.mailops.smtp.plugins.action import smtp_send; "
        "print(json.dumps([name for name in sys.modules if 'mailops.smtp.plugins.' in name]))"
    )
    path = next(path for path in sys.path if path.endswith(".build/collections"))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": path}
    )
    names = [name.rpartition(".plugins.")[2] for name in json.loads(done.stdout)]
    assert sorted(names) == ["action", "action.smtp_send", "plugin_utils", "plugin_utils._plain"]


def test_template_for_a_single_message(make: Make, tmp_path: Path) -> None:
    (tmp_path / "play/templates/w.j2").write_text(
        "{{ greeting }} {{ name }}: {{ message.subject }}{% include 'i.j2' %}\n"
    )
    (tmp_path / "play/templates/i.j2").write_text(", {{ nested }}")
    variables = {"greeting": "Dear", "name": "overridden", "nested": trust_as_template("{{ 1 + 1 }}")}
    action = make(variables, body_template="w.j2", vars={"name": "Ann"}, msg="S", to="a@b", password="secret")
    run(action)
    assert action.calls == [{"body": "Dear Ann: S, 2\n", "subject": "S", "to": "a@b", "password": "secret"}]
    assert action.transferred == []


def test_values_in_a_messages_file_are_not_templated(make: Make, tmp_path: Path) -> None:
    (tmp_path / "play/w.j2").write_text("{{ name }}|{{ message.to }}")
    (tmp_path / "play/m.csv").write_text("to,name\n{{ secret }}@b,{{ secret }}\n")
    action = make({"secret": "hidden"}, body_template="w.j2", messages_file="m.csv")
    run(action)
    assert options_of(action) == [{"to": "{{ secret }}@b", "body": "{{ secret }}|{{ secret }}@b"}]


ABOUT = "{{ template_path }} {{ template_fullpath }} {{ template_uid }} {{ template_mtime }} {{ template_run_date }}"
RENDERED = [
    ("#jinja2: trim_blocks: False\n{% if true %}\nx\n{% endif %}\n", "\nx\n"),
    ("#jinja2:variable_start_string:'[%', variable_end_string:'%]'\n[% name %] {{ name }}", "Ann {{ name }}"),
    ("\ufeff#jinja2: lstrip_blocks: True\n  {% if true %}\nx\n  {% endif %}\n", "x\n"),
    ("{% if true %}\nx\n{% endif %}\n", "x\n"),
    ("\ufeffDear {{ name }}\n\n\n", "Dear Ann\n\n\n"),
    ("{% include 'bom.j2' %}!", "signed!"),
    ("{% include 'parts/nested.j2' %}", "nested: from templates"),
    ("{% import 'macros.j2' as m %}{{ m.hello(name) }}", "Hello Ann"),
    ("{% extends 'base.j2' %}{% block who %}{{ name }}{% endblock %}", "<Ann>"),
    ("a\r\nb {{ name }}\r\n", "a\nb Ann\n"),
    ("{{ ansible_managed }}", "Ansible managed"),
    ("{{ template_host }}", os.uname()[1]),
    (f"{{% set all %}}{ABOUT}{{% endset %}}{{{{ all | length > 40 }}}}", "True"),
    ("{{ 'a\\tb' }}", "a\tb"),
    ("{% set x = 1 %}", ""),
    ("", ""),
]


@pytest.mark.parametrize(("template", "text"), RENDERED)
def test_template_is_rendered_as_by_the_module_template(make: Make, tmp_path: Path, template: str, text: str) -> None:
    folder = tmp_path / "play/templates"
    (folder / "parts").mkdir()
    for name, content in {
        "bom.j2": "\ufeffsigned\n",
        "parts/nested.j2": "nested: {% include 'sign.j2' %}",
        "parts/sign.j2": "from parts",
        "sign.j2": "from templates",
        "macros.j2": "{% macro hello(name) %}Hello {{ name }}{% endmacro %}",
        "base.j2": "<{% block who %}{% endblock %}>",
        "body.j2": template,
    }.items():
        (folder / name).write_bytes(content.encode())
    action = make(body_template="body.j2", vars={"name": "Ann"}, to="a@b")
    run(action)
    assert action.calls == [{"body": text, "to": "a@b"}]


def test_own_ansible_managed_is_kept(make: Make, tmp_path: Path) -> None:
    (tmp_path / "play/w.j2").write_text("{{ ansible_managed }}")
    action = make({"ansible_managed": "by hand"}, body_template="w.j2")
    run(action)
    assert action.calls == [{"body": "by hand"}]


PLACES = [
    ("x\n{{ nick }}", "body.j2: 'nick' is undefined (line 2)"),
    ("{{ nick | default('') }}{% if nick is defined %}{% endif %}\n\nDear {{ nick }}", "(line 3)"),
    ("{{ nick }}\n{{ nick }}", "(line 1 or line 2)"),
    ("{{ nick }}\n" * 5, "(line 1 or line 2 or line 3 or later)"),
    ("x\n{{ person.nick }}", "has no attribute 'nick' (line 2)"),
    ("x\n{{ person['nick'] }}", "has no attribute 'nick' (line 2)"),
    ("x\n{% for one in nick %}{% endfor %}", "'nick' is undefined (line 2)"),
    ("x\n{{ nick | upper }}", "'nick' is undefined (line 2)"),
    ("x\n{{ nick | mandatory }}", "not defined. (line 2)"),
    ("#jinja2: trim_blocks: False\n{% if true %}\n{{ nick }}{% endif %}", "'nick' is undefined (line 3)"),
    ("#jinja2: trim_blocks: False\n{% if %}\n", "(line 2)"),
    ("#jinja2: trim_blocks: False\n\n{{ 1 / 0 }}\n", "division by zero (line 3)"),
    ("#jinja2:variable_start_string:'[%', variable_end_string:'%]'\n[% nick %]", "(line 2)"),
    ("#jinja2: colour: red\n", "Syntax error in template"),
    ("x\n{% include 'part.j2' %}", "body.j2: 'nick' is undefined (part.j2, line 3)"),
    ("x\n{% include 'bad.j2' %}", "bad.j2, line 2)"),
    ("x\n{% include 'nowhere.j2' %}", "'nowhere.j2' not found"),
    ("x\n{{ 1 / 0 }}", "division by zero (line 2)"),
    ("x\n{{ 'x' | nofilter }}", "No filter named 'nofilter'. (line 2)"),
    ("x\n{% if x %}\n{% endfor %}", "(line 3)"),
    ("x\n\xff", "body_template {play}/templates/body.j2, line 2: is not UTF-8"),
]


@pytest.mark.parametrize(("template", "words"), PLACES)
def test_error_in_a_template_names_its_line(make: Make, tmp_path: Path, template: str, words: str) -> None:
    folder = tmp_path / "play/templates"
    (folder / "part.j2").write_text("\n\n{{ nick }}")
    (folder / "bad.j2").write_text("\n{% if %}")
    (folder / "body.j2").write_bytes(template.encode("latin-1"))
    (tmp_path / "play/m.csv").write_text("to\na@b\n")
    action = make(
        {"secret": "hidden"}, body_template="body.j2", vars={"person": {"password": "secret"}}, messages_file="m.csv"
    )
    with pytest.raises(AnsibleActionFail) as error:
        run(action)
    assert str(error.value).startswith("Nothing was sent: m.csv, line 2: body_template ")
    assert words.format(play=tmp_path / "play") in str(error.value)
    assert "secret" not in str(error.value)


def test_variable_of_the_task_called_message_keeps_its_meaning_in_options(make: Make, tmp_path: Path) -> None:
    (tmp_path / "play/w.j2").write_text("{{ message.to }}")
    action = make({"message": {"title": "T"}}, to="a@b", subject="T", vars={"x": 1}, body_template="w.j2")
    action._given = {"subject": trust_as_template("{{ message.title }}")}  # type: ignore[misc]
    run(action)
    assert action.calls == [{"subject": "T", "to": "a@b", "body": "a@b"}]


def test_option_without_variables_of_the_message_is_rendered_once(make: Make, tmp_path: Path) -> None:
    (tmp_path / "play/m.csv").write_text("to,name\na@b,Ann\n")
    action = make({"app": "x"}, messages_file="m.csv", subject="rendered", body="rendered")
    action._given = {  # type: ignore[misc]
        "subject": trust_as_template("{{ app }} {{ lookup('pipe', 'exit 1') }}"),
        "body": trust_as_template("{{ app }} {{ name }}"),
    }
    run(action)
    assert options_of(action) == [{"to": "a@b", "body": "x Ann"}]
    assert (action.calls[0]["subject"], action.calls[0]["body"]) == ("rendered", "rendered")


def test_messages_from_csv(make: Make, tmp_path: Path) -> None:
    (tmp_path / "play/files/people.csv").write_text("to,name,password,body\na@b,Ann,column-secret,\nc@d,Bob,x,own\n")
    (tmp_path / "play/templates/h.j2").write_text("<p>{{ name | e }} of {{ vars_of_all }}</p>")
    (tmp_path / "play/templates/b.j2").write_text("Dear {{ name }}")
    action = make(
        messages_file="people.csv",
        body_template="b.j2",
        html_template="h.j2",
        vars={"vars_of_all": "X"},
        subject="S",
        password="task-secret",
        username="u",
    )
    run(action)
    (spool,) = action.spools
    assert spool == [
        "people.csv",
        [2, {"to": "a@b", "body": "Dear Ann", "html": "<p>Ann of X</p>"}],
        [3, {"to": "c@d", "body": "own", "html": "<p>Bob of X</p>"}],
    ]
    (call,) = action.calls
    remote = Path(call.pop("messages_file"))
    assert call == {"subject": "S", "password": "task-secret", "username": "u", "_spool": True}
    assert stat.S_IMODE(remote.stat().st_mode) == 0o600
    assert list((tmp_path / "local").iterdir()) == [], "a copy is left on the controller"
    assert "secret" not in remote.read_text()


def test_memory_does_not_grow_with_the_number_of_rows(make: Make, tmp_path: Path) -> None:
    rows = "".join(f"p{number}@b.test,{'x' * 500}\n" for number in range(20_000))
    (tmp_path / "play/m.csv").write_text(f"to,body\n{rows}")
    action = make(messages_file="m.csv", subject="S", check="login")
    action.spools = None  # type: ignore[assignment]  # the double must not read the rows into memory
    tracemalloc.start()
    run(action)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000, f"{peak / 1e6:.1f} MB for {len(rows) / 1e6:.1f} MB of rows"


def test_many_messages_are_passed_in_a_file(make: Make) -> None:
    messages = [{"to": f"p{number}@b", "attach": ["/on/the/host"]} for number in range(201)]
    action = make(messages=messages, subject="S")
    run(action)
    assert options_of(action) == messages
    assert "messages" not in action.calls[0]
    assert action.spools[0][0] is None


def test_own_text_replaces_the_common_one(make: Make, tmp_path: Path) -> None:
    (tmp_path / "play/files/all.txt").write_bytes("\ufeffÜr alle\n".encode())
    (tmp_path / "play/files/own.txt").write_text("own")
    (tmp_path / "play/w.j2").write_text("{{ message.to }}")
    action = make(
        body_file="all.txt", messages=[{"to": "1"}, {"body_file": "own.txt"}, {"to": "3", "body_template": "w.j2"}]
    )
    run(action)
    assert action.calls[0]["body"] == "Ür alle\n"
    assert options_of(action) == [{"to": "1"}, {"body": "own"}, {"to": "3", "body": "3"}]


def test_attachments_of_the_controller_are_transferred_once(make: Make, tmp_path: Path) -> None:
    for name in ("a/report.pdf", "b/report.pdf", "files/köln x.txt"):
        (tmp_path / "play" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "play" / name).write_text(name)
    action = make(
        remote_src=False,
        attach="a/report.pdf, köln x.txt",
        inline=[{"path": "a/report.pdf", "cid": "c"}],
        messages=[
            {"attachments": [{"path": "b/report.pdf", "name": "n"}, {"path": "/etc/hostname", "remote_src": True}]},
            {"attachments": [{"content": "x", "name": "y"}, {"path": "b/report.pdf"}]},
        ],
    )
    run(action)
    host = str(tmp_path / "host")
    a, b, text = f"{host}/attached0/report.pdf", f"{host}/attached1/report.pdf", f"{host}/attached0/köln x.txt"
    assert action.calls[0]["attach"] == [a, text]
    assert action.calls[0]["inline"] == [{"path": a, "cid": "c"}]
    first, second = options_of(action)
    assert first["attachments"] == [
        {"path": b, "name": "n"},
        {"path": "/etc/hostname", "remote_src": True},
    ]
    assert second["attachments"] == [{"content": "x", "name": "y"}, {"path": b}]
    assert sorted(action.transferred) == sorted([a, b, text, f"{host}/messages"])
    assert [Path(path).read_text() for path in (a, b, text)] == ["a/report.pdf", "b/report.pdf", "files/köln x.txt"]


def test_vault_encrypted_files_are_decrypted(make: Make, tmp_path: Path) -> None:
    vault = VaultLib([("default", VAULT_SECRET)])
    for name, text in (("body.txt", "a body"), ("t.j2", "for {{ x }}"), ("key.txt", "a key"), ("m.csv", "to\na@b\n")):
        (tmp_path / "play" / name).write_bytes(vault.encrypt(text.encode(), VAULT_SECRET))
    action = make(
        body_file="body.txt",
        html_template="t.j2",
        messages_file="m.csv",
        vars={"x": 1},
        attachments=[{"path": "key.txt", "remote_src": False}],
    )
    run(action)
    assert action.calls[0]["body"] == "a body"
    assert options_of(action) == [{"to": "a@b", "html": "for 1"}]
    assert Path(action.calls[0]["attachments"][0]["path"]).read_text() == "a key"
    assert action.spools[0][0] == "m.csv"


def test_files_of_the_host_are_left_to_the_module(make: Make) -> None:
    options = {
        "remote_src": True,
        "messages_file": "/srv/m.csv",
        "body_file": "/srv/b",
        "attachments": [{"path": "/x"}],
    }
    action = make(**options)
    run(action)
    call = action.calls[0]
    del call["_slice"]
    assert call == options


def test_template_on_the_host(make: Make, tmp_path: Path) -> None:
    (tmp_path / "t.j2").write_text("{{ name | upper }} {{ message.to }}\n")
    (tmp_path / "m.csv").write_text("to,name\na@b,Ann\n")
    action = make(
        remote_src=True, messages_file=str(tmp_path / "m.csv"), body_template=str(tmp_path / "t.j2"), subject="S"
    )
    run(action)
    assert options_of(action) == [{"to": "a@b", "body": "ANN a@b\n"}]


HOSTILE = [
    ("{{ lookup('pipe', 'id') }}", "'lookup' is undefined"),
    ("{{ secret_of_another_host }}", "is undefined"),
    ("{{ hostvars }}", "'hostvars' is undefined"),
    ("{{ ''.__class__.__mro__ }}", "unsafe"),
    ("{{ message.clear() }}", "unsafe"),
    ("{% include '/etc/hostname' %}", "TemplateNotFound: /etc/hostname"),
    ("{{ range(1000000000) }}", "OverflowError"),
    ("{{ 1 / 0 }}", "ZeroDivisionError"),
    ("x\n\n{{ nick }}", r"'nick' is undefined \(line 3\)"),
    ("x\n{{ message.nick }}", r"no attribute 'nick' \(line 2\)"),
    ("#jinja2: trim_blocks: False\n\n{{ nick }}", r"'nick' is undefined \(line 3\)"),
    ("#jinja2: trim_blocks\n", "line 1 is not valid; expected names and values"),
    ("#jinja2: colour: 'red'\n", "line 1 has unknown settings: colour"),
    ("#jinja2: extensions: ['builtins.print']\n", "line 1 has unknown settings: extensions"),
    ("#jinja2: trim_blocks: True, finalize: 'x'\n", "line 1 has unknown settings: finalize"),
    ("#jinja2: block_start_string: '{{'\n", "line 1 has invalid settings"),
    ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "RecursionError"),
    ("{% if %}", "line 1"),
    ("x" * ((1 << 20) + 1), "has 1,048,577 characters; expected at most 1,048,576"),
]


@pytest.mark.parametrize(("template", "words"), HOSTILE)
def test_template_on_the_host_has_no_access_to_the_controller(
    make: Make, tmp_path: Path, template: str, words: str
) -> None:
    (tmp_path / "t.j2").write_text(template)
    action = make({"secret_of_another_host": "s"}, remote_src=True, body_template=str(tmp_path / "t.j2"), to="a@b")
    with pytest.raises(AnsibleActionFail, match=words):
        run(action)


@pytest.mark.parametrize("option", ["attachments", "inline"])
def test_messages_file_on_the_host_cannot_name_files_on_the_controller(make: Make, tmp_path: Path, option: str) -> None:
    (tmp_path / "play/key.pem").write_text("secret")
    (tmp_path / "t.j2").write_text("x")
    item = {"path": "key.pem", "cid": "key", "remote_src": "no"}
    (tmp_path / "m.jsonl").write_text(json.dumps({option: [item]}) + "\n")
    files = {"messages_file": str(tmp_path / "m.jsonl"), "body_template": str(tmp_path / "t.j2")}
    action = make(remote_src=True, to="a@b", **files)
    with pytest.raises(AnsibleActionFail, match=rf"m\.jsonl, line 1: {option}: a messages_file on the host may name"):
        run(action)
    assert action.transferred == []


REFUSED = [
    ({"body_template": "undefined.j2"}, "body_template undefined.j2: 'nickname' is undefined"),
    ({"messages": [{}, {"html_template": "undefined.j2"}]}, "messages[1]: html_template undefined.j2: 'nickname'"),
    ({"messages_file": "m.csv", "body_template": "undefined.j2"}, "m.csv, line 2: body_template undefined.j2: 'nick"),
    ({"body_template": "syntax.j2"}, "body_template syntax.j2: Syntax error"),
    ({"body_template": "nowhere.j2"}, "body_template: Could not find or access 'nowhere.j2'"),
    ({"body_file": "latin1.txt"}, "body_file {play}/latin1.txt, line 2: is not UTF-8"),
    ({"body": "x", "body_file": "latin1.txt"}, "body and body_file are mutually exclusive"),
    ({"messages": [{"body": "x", "body_template": "x"}]}, "messages[0]: body and body_template are mutually exclusive"),
    ({"messages": [], "messages_file": "m.csv"}, "messages and messages_file are mutually exclusive"),
    (
        {"messages": [{"vars": {}}, {"subjct": "x"}]},
        "messages[1]: unknown option subjct; variables for templates belong under vars",
    ),
    ({"messages": [{"vars": {}}, "a@b"]}, "messages[1]: expected a mapping of options and values, got the text"),
    ({"messages": [{"vars": "x"}]}, "messages[0]: vars: expected a mapping of names and values, got the text 'x'"),
    ({"messages": [{"vars": {}, "subject": b"x"}]}, "messages[0]: subject: expected one line of text"),
    ({"messages_file": "bad.csv"}, "bad.csv, line 3 has 3 cells, but the header has 1"),
    ({"messages_file": "m.csv", "messages_format": "xml"}, "messages_format is 'xml'; expected csv or jsonl"),
    ({"messages_file": "nowhere.csv"}, "messages_file: Could not find or access 'nowhere.csv'"),
    ({"remote_src": False, "attach": "nowhere.pdf"}, "attach: Could not find or access 'nowhere.pdf'"),
    ({"remote_src": "perhaps"}, "the task: remote_src is 'perhaps'"),
    ({"attachments": [{"path": "x", "remote_src": "?"}]}, "attachments[0].remote_src: expected true or false"),
    ({"remote_src": True, "body_template": "/nowhere.j2"}, "body_template /nowhere.j2 cannot be read on the host"),
]


NAMED = "{{ name }} <{{ mail }}>"
#: Options with templates, the values of a row, and whether the row is refused.
GUARDED: list[tuple[dict[str, t.Any], dict[str, t.Any], bool]] = [
    *(
        ({option: NAMED}, {"name": name, "mail": "a@b.test"}, refused)
        for option in ("to", "recipients", "cc", "bcc", "reply_to")
        for name, refused in (
            ("evil@x.test, Jo", True),
            ("Jo <evil@x.test>, Jo", True),
            ("evil@x.test; Jo", True),
            ("Jo Doe", False),
            ("O'Neill (Ops)", False),
            ('"Doe, Jo"', False),
        )
    ),
    ({"to": NAMED}, {"name": "Jo", "mail": "evil@x.test>, Jo <a@b.test"}, True),
    ({"to": ["ops@x.test", NAMED]}, {"name": "evil@x.test, Jo", "mail": "a@b.test"}, True),
    ({"to": "{{ name }}@x.test"}, {"name": "evil@y.test, jo"}, True),
    ({"to": "{{ name ~ ' <' ~ mail ~ '>' }}"}, {"name": "evil@x.test, Jo", "mail": "a@b.test"}, True),
    ({"to": "{{ '%s <%s>' | format(name, mail) }}"}, {"name": "evil@x.test, Jo", "mail": "a@b.test"}, True),
    ({"to": "{{ who }}"}, {"name": "evil@x.test, Jo", "mail": "a@b.test"}, True),
    ({"to": "{% if name %}{{ name }}{% endif %} <{{ mail }}>"}, {"name": "e@x.test, J", "mail": "a@b.test"}, True),
    ({"to": '["{{ name }} <{{ mail }}>"]'}, {"name": 'evil@x.test", "Jo', "mail": "a@b.test"}, True),
    ({"to": "{{ emails }}, ops@x.test"}, {"emails": "a@b.test, c@d.test"}, True),
    ({"headers": {"Reply-To": NAMED}}, {"name": "evil@x.test, Jo", "mail": "a@b.test"}, True),
    ({"headers": {"X-Note": "{{ name }}"}}, {"name": "evil@x.test, c@d.test"}, False),
    ({"references": "<{{ id }}>"}, {"id": "a@b> <c@d"}, True),
    ({"references": "{{ id }}"}, {"id": "<a@b> <c@d>"}, False),
    ({"list_unsubscribe": "<https://x.test/{{ id }}>"}, {"id": "1>, <mailto:evil@x.test"}, True),
    ({"to": "{{ emails }}"}, {"emails": "a@b.test, c@d.test"}, False),
    ({"to": "{{ emails }}"}, {"emails": ["a@b.test", "c@d.test"]}, False),
    ({"to": "{{ emails | join(', ') }}"}, {"emails": ["a@b.test", "c@d.test"]}, False),
    ({"to": "{{ all }}"}, {"emails": "a@b.test, c@d.test"}, False),
    ({"to": ["ops@x.test", "{{ emails }}"]}, {"emails": "a@b.test, c@d.test"}, False),
    ({"to": "ops@x.test, {{ mail }}"}, {"mail": "Jo <a@b.test>"}, False),
    ({"to": "{% for one in emails %}{{ one }}, {% endfor %}"}, {"emails": ["a@b.test", "Jo <c@d.test>"]}, False),
    ({"to": "{{ mail }}{{ (', ' + boss) if boss else '' }}"}, {"mail": "a@b.test", "boss": "c@d.test"}, False),
    ({"to": "{{ mail }}, {{ boss }}"}, {"mail": "a@b.test", "boss": "c@d.test", "note": "x" * 200_000 + " "}, False),
    ({"to": "{{ emails.split(';') + ['ops@x.test'] }}"}, {"emails": "a@b.test;c@d.test"}, False),
    ({"to": "{{ emails.split(';') + [name ~ ' <ops@x.test>'] }}"}, {"emails": "a@b.test", "name": "e@x.test, J"}, True),
    ({"to": "{{ own | default(emails) }}"}, {"own": "a@b.test, c@d.test"}, False),  # the play names it by itself
    ({"to": "{{ emails if emails else again }}"}, {"emails": "a@b.test, c@d.test"}, False),
    ({"to": "{{ who }}"}, {"who": "a@b.test, c@d.test"}, False),  # the row has what the play defines otherwise
    ({"headers": [{"Reply-To": NAMED}]}, {"name": "evil@x.test, Jo", "mail": "a@b.test"}, True),
    ({"headers": [{"name": "reply-to", "value": NAMED}]}, {"name": "evil@x.test, Jo", "mail": "a@b.test"}, True),
    ({"headers": ["X-A=b", "Reply-To: " + NAMED]}, {"name": "evil@x.test, Jo", "mail": "a@b.test"}, True),
    ({"headers": [{"Reply-To": NAMED}]}, {"name": '"Doe, Jo"', "mail": "a@b.test"}, False),
]


@pytest.mark.parametrize("host", [False, True], ids=["controller", "host"])
@pytest.mark.parametrize("own", [False, True], ids=["task", "message"])
@pytest.mark.parametrize(("options", "row", "refused"), GUARDED)
def test_value_of_a_row_does_not_add_an_address(
    make: Make, tmp_path: Path, options: dict[str, t.Any], row: dict[str, t.Any], refused: bool, own: bool, host: bool
) -> None:
    def trusted(value: t.Any) -> t.Any:
        if isinstance(value, dict):
            return {name: trusted(one) for name, one in value.items()}
        return [trusted(one) for one in value] if isinstance(value, list) else trust_as_template(value)

    makes_list = isinstance(row.get("emails"), list) or ".split" in str(options)
    if host and (own or options.get("to") in ("{{ who }}", "{{ all }}") or makes_list):
        pytest.skip("rows of a host are in a file, see no variables of the play, and make only texts")
    options = trusted(options)
    play = {"who": NAMED, "all": "{{ emails }}", "own": "{{ own | default(emails) }}", "again": "{{ again }}"}
    variables = trusted(play)
    (tmp_path / "m.jsonl").write_text(json.dumps(row))
    file = {"messages_file": str(tmp_path / "m.jsonl"), **({"remote_src": True} if host else {})}
    given: dict[str, t.Any] = {"messages": [{**options, "vars": row}]} if own else {**options, **file}
    action = make(variables, subject="S", **given)
    action._given, action._failed = given, set() if own else set(options)  # type: ignore[misc]
    option = next(iter(options)).replace("recipients", "(to|recipients)")
    where = r"messages\[0\]" if own else r".*m\.jsonl, line 1"
    refusal = pytest.raises(AnsibleActionFail, match=f"^Nothing was sent: {where}: {option}: .*adds one")
    with refusal if refused else contextlib.nullcontext():
        run(action)


SHAPES: list[t.Any] = [
    None,
    "",
    "x",
    5,
    True,
    b"x",
    [],
    [None],
    [5],
    ["x", None],
    {},
    {"a": "b"},
    [{"a": "b"}],
    [["x"]],
]


@pytest.mark.parametrize("option", MESSAGE_ARGUMENTS)
def test_value_of_any_shape_is_understood_or_refused_with_its_place(make: Make, option: str) -> None:
    """More shapes, and what is said of them, are in module_utils/_module/test_shapes.py."""
    said = []
    for shape in SHAPES:
        for given in ({option: shape, "remote_src": True}, {"messages": [{option: shape, "vars": {"a": 1}}]}):
            try:
                run(make(**given))
            except AnsibleActionFail as error:
                said.append(("messages[0]: " if "messages" in given else "", str(error)))
    said = [one for one in said if "Could not find" not in one[1]]  # x is a file that does not exist
    assert [text for place, text in said if not text.startswith(f"Nothing was sent: {place}{option}")] == []
    assert [text for _place, text in said if re.search("<class|object|Ansible|NoneType", text)] == []


def test_row_of_a_host_cannot_choose_a_file_of_the_controller_by_a_single_mapping(make: Make, tmp_path: Path) -> None:
    row = {"to": "a@b", "attachments": {"path": "/etc/hosts", "remote_src": False}}
    (tmp_path / "m.jsonl").write_text(json.dumps(row))
    (tmp_path / "t.j2").write_text("x")
    action = make(remote_src=True, messages_file=str(tmp_path / "m.jsonl"), body_template=str(tmp_path / "t.j2"))
    with pytest.raises(AnsibleActionFail, match="m.jsonl, line 1: attachments: .* may name only files on the host"):
        run(action)


@pytest.mark.parametrize(("options", "words"), REFUSED)
def test_unusable_option_is_named_and_nothing_is_sent(
    make: Make, tmp_path: Path, options: dict[str, t.Any], words: str
) -> None:
    play = tmp_path / "play"
    (play / "undefined.j2").write_text("Dear {{ nickname }}")
    (play / "syntax.j2").write_text("{% if %}")
    (play / "latin1.txt").write_bytes(b"x\n\xe4")
    (play / "m.csv").write_text("to\na@b\n")
    (play / "bad.csv").write_text("to\na@b\nc@d,x,y\n")
    action = make(password="task-secret", **options)
    with pytest.raises(AnsibleActionFail) as error:
        run(action)
    message = str(error.value)
    assert message.startswith("Nothing was sent: "), message
    assert words.format(play=play) in message
    assert error.value.result["stage"] == "compose"
    assert "secret" not in message
    assert action.calls == []
    assert list((tmp_path / "local").iterdir()) == [], "a copy is left on the controller"


def unfinished(sent: int, refused: int = 0) -> dict[str, t.Any]:
    return {"_unfinished": True, "_progress": {"sent": sent, "refused": refused, "total": 1000, "seconds": 1}}


MANY = {"messages": [{"to": f"p{number}@b"} for number in range(1000)], "subject": "S", "password": "secret"}


def test_progress_is_shown_until_the_module_has_finished(make: Make) -> None:
    action = make(**MANY)
    action.results = [
        unfinished(100),
        unfinished(300, 2),
        unfinished(400),
        unfinished(500),
        unfinished(600),
        dict(DONE),
    ]
    assert run(action) == DONE
    slices = [call.pop("_slice") for call in action.calls]
    assert [one["seconds"] for one in slices] == [10, 20, 40, 60, 60, 60]
    assert len({(one["run"], one["path"]) for one in slices}) == 1
    assert slices[0]["path"].startswith(str(action.host))
    assert all(call == action.calls[0] for call in action.calls)
    assert [line.split(",")[0] for line in action.shown] == [
        f"smtp_send [web1]: {count} of 1" for count in (100, 302, 400, 500, 600)
    ]
    assert "302 of 1,000 messages: 300 sent, 2 refused, " in action.shown[1]
    assert "secret" not in "".join(action.shown)
    assert "@" not in "".join(action.shown)


def test_lost_host_is_reported_with_the_last_progress(make: Make) -> None:
    action = make(**MANY)
    action.results = [unfinished(100), {"lost": "lost."}]
    with pytest.raises(AnsibleConnectionFailure, match=r"lost\. Last progress: 100 of 1,000 messages: 100 sent"):
        run(action)


WITHOUT = [{"check": "recipients"}, {"_check_mode": True}, {"_async": 60}]


@pytest.mark.parametrize("how", WITHOUT)
def test_no_progress_for_checks_and_async(make: Make, how: dict[str, t.Any]) -> None:
    action = make(**MANY, **{name: value for name, value in how.items() if not name.startswith("_")})
    action._task.check_mode = how.get("_check_mode", False)
    action._task.async_val = how.get("_async", 0)
    run(action)
    assert "_slice" not in action.calls[0]


def test_progress_of_a_few_messages_at_a_pace(make: Make) -> None:
    action = make(messages=[{"to": "a@b"}, {"to": "c@d"}], messages_per_minute=1)
    run(action)
    assert action.calls[0]["_slice"]["seconds"] == 10


@pytest.mark.parametrize("option", ["attachments", "inline"])
def test_row_of_the_host_names_no_file_of_the_controller_in_json_text(option: str) -> None:
    row = {option: '[{"path": "/etc/shadow", "\\u0072emote_src": false}]'}
    with pytest.raises(AnsibleActionFail, match=f"line 2: {option}: .*remove remote_src"):
        check_host_row(row, "line 2")
