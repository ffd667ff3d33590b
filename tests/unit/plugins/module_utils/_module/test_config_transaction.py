# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""config_transaction as Ansible runs it: files after failed commands, and the results."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._postfix import canary
from ansible_collections.mailops.smtp.plugins.module_utils._postfix.problem import Problem
from ansible_collections.mailops.smtp.plugins.module_utils._transaction.model import digest_of

Run = t.Callable[..., dict[str, t.Any]]


@pytest.fixture
def run(deploy: Run) -> Run:
    return deploy


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "app.conf"
    path.write_text("old\n")
    path.chmod(0o644)
    return path


def leftovers(tmp_path: Path) -> list[str]:
    return sorted(
        path.name
        for path in [*tmp_path.glob("state/*/*"), *tmp_path.rglob(".mailops-*/*")]
        if path.name != "manifest" and path.suffix != ".first"
    )


def test_second_run_changes_nothing(run: Run, target: Path, tmp_path: Path) -> None:
    files = [{"path": str(target), "content": "new\n"}]
    options = {
        "validators": [{"command": ["grep", "-q", "new", f"{{stage}}{target}"]}],
        "activate": [{"command": ["touch", f"{tmp_path}/active"]}],
    }
    preview = run(files, check=True, **options)
    assert (preview["changed"], target.read_text()) == (True, "old\n")
    assert "+new" not in preview["diff"][0]["before"]
    first = run(files, **options)
    assert (first["changed"], first["changed_files"], target.read_text()) == (True, [str(target)], "new\n")
    assert {"stage", "validate", "swap", "activate", "health"} <= set(first["seconds"])
    assert (tmp_path / "active").exists()
    second = run(files, **options)
    assert (second["changed"], second["changed_files"], second["diff"]) == (False, [], [])
    assert "swap" not in second["seconds"]
    assert leftovers(tmp_path) == []


FAILURES = [
    {"validators": [{"command": ["sh", "-c", "echo no good >&2"]}]},
    {"validators": [{"command": ["false"]}]},
    {"validators": [{"command": ["no-such-program"]}]},
    {"activate": [{"command": ["false"]}]},
    {"activate": [{"command": ["no-such-program"]}]},
    {"health": [["false"]]},
    {"activate": [{"command": ["false"]}], "explain": [["no-such-program"]]},
]


@pytest.mark.parametrize("options", FAILURES)
def test_any_failure_leaves_the_old_file(run: Run, target: Path, tmp_path: Path, options: dict[str, t.Any]) -> None:
    result = run([{"path": str(target), "content": "new\n"}, {"path": f"{tmp_path}/more", "content": "x"}], **options)
    assert result["failed"] is True
    assert target.read_text() == "old\n"
    assert not (tmp_path / "more").exists()


def test_failed_activation_puts_the_old_file_back(run: Run, target: Path, tmp_path: Path) -> None:
    """Activation fails with the new file only; the result says that everything was put back."""
    result = run(
        [{"path": str(target), "content": "new\n"}],
        activate=[{"command": ["grep", "-q", "old", str(target)]}],
        explain=[["echo", "the reason in the log"]],
    )
    assert "Everything was put back as it was" in result["msg"]
    assert "the reason in the log" in result["msg"]
    assert leftovers(tmp_path) == []


def test_script_of_a_service_speaks_for_itself(run: Run, target: Path) -> None:
    """The error begins with the name that the script has, and no log of other services follows."""
    script = "grep -q old $1 && exit\necho the token server is away; exit 1"
    result = run(
        [{"path": str(target), "content": "new\n"}],
        services=[{"restart": ["sh", "-c", script, "upstream.oauth", str(target)]}],
        explain=[["echo", "the log of mail"]],
    )
    assert result["msg"] == "upstream.oauth: the token server is away\nEverything was put back as it was."


def test_killed_run_is_undone_by_the_next(run: Run, target: Path, tmp_path: Path) -> None:
    files = [{"path": str(target), "content": "new\n"}]
    if (child := os.fork()) == 0:
        run(files, activate=[{"command": ["sh", "-c", "kill -9 $PPID"]}])
    os.waitpid(child, 0)
    assert target.read_text() == "new\n"
    assert leftovers(tmp_path) == ["app.conf.old", "swapping"]
    preview = run(files, check=True)
    assert (preview["changed"], preview["recovered"]) == (True, True)
    result = run(files, activate=[{"command": ["grep", "-q", "old", str(target)]}])
    assert "Everything was put back as it was" in result["msg"]
    assert target.read_text() == "old\n"
    assert run(files)["changed"] is True
    assert (target.read_text(), leftovers(tmp_path)) == ("new\n", [])


def test_unhealthy_service_is_activated_again(run: Run, target: Path, tmp_path: Path) -> None:
    files = [{"path": str(target), "content": "old\n"}]
    flag = tmp_path / "running"
    options = {"health": [["test", "-e", str(flag)]], "activate": [{"command": ["touch", str(flag)]}]}
    assert run(files, check=True, **options)["changed"] is True
    assert run(files, **options)["changed"] is True
    assert run(files, **options)["changed"] is False
    broken = run(files, health=[["false"]])
    assert broken["msg"].startswith("The files are as declared, but the service is not healthy.")


def test_no_secret_in_result_or_log(run: Run, target: Path) -> None:
    secret = "user:hunter2-secret\nanother 'line' \\ here\n"
    files = [{"path": str(target), "secret": secret, "mode": "0600"}]
    results = [
        run(files, check=True),
        run(files, validators=[{"command": ["sh", "-c", f"cat {{stage}}{target} >&2"]}]),
        run(files),
    ]
    for text in map(json.dumps, results):
        assert "hunter2" not in text
        assert "another" not in text
    assert target.read_text() == secret
    assert target.stat().st_mode & 0o777 == 0o600


BAD = [
    ({"path": "relative.conf"}, {}, "not a normalised absolute path"),
    ({"path": "/../../tmp/x"}, {}, "not a normalised absolute path"),
    ({"mode": "u=rw"}, {}, "expected octal digits"),
    ({"mode": "1777777"}, {}, "expected octal digits"),
    ({"owner": "no-such-user"}, {}, "no-such-user"),
    ({}, {"name": "../../x"}, "name: '../../x' is not a valid transaction name"),
]


@pytest.mark.parametrize(("file", "options", "words"), BAD)
def test_invalid_input_is_refused(
    run: Run, target: Path, file: dict[str, t.Any], options: dict[str, t.Any], words: str
) -> None:
    result = run([{"path": str(target), "content": "new\n", **file}], **options)
    assert result["failed"] is True
    assert words in result["msg"]
    assert target.read_text() == "old\n"


@pytest.mark.parametrize("mode", ["0640", "640", 0o640])
def test_mode_in_each_form_of_yaml(run: Run, target: Path, mode: t.Any) -> None:
    run([{"path": str(target), "content": "new\n", "mode": mode}])
    assert target.stat().st_mode & 0o7777 == 0o640


def test_file_and_line_named_by_a_validator(run: Run, target: Path) -> None:
    """The result has the step, the file and the line, without the path of the stage."""
    complaint = f'echo "fatal: $0{target}, line 7: bad word" >&2'
    result = run(
        [{"path": str(target), "content": "new\n"}], validators=[{"command": ["sh", "-c", complaint, "{stage}"]}]
    )
    assert (result["step"], result["failed_file"], result["failed_line"]) == ("validate", str(target), 7)
    assert f"fatal: {target}, line 7: bad word" in result["msg"]
    assert "stage" not in result["msg"].replace("{stage}", "")


TABLE = {"path": "names", "content": "a b\n", "mode": "0600"}


def build_step(tmp_path: Path, tool: str = 'cp "$1" "$1.db"') -> dict[str, t.Any]:
    source = f"{tmp_path}/names"
    return {"command": ["sh", "-c", tool, "sh", f"{{stage}}{source}"], "source": source, "creates": f"{source}.db"}


def test_built_file_is_put_in_place_and_removed(run: Run, tmp_path: Path) -> None:
    table = {**TABLE, "path": f"{tmp_path}/names"}
    options: dict[str, t.Any] = {
        "build": [build_step(tmp_path)],
        "validators": [{"command": ["grep", "-q", "a b", f"{{stage}}{tmp_path}/names.db"]}],
    }
    paths = [f"{tmp_path}/names", f"{tmp_path}/names.db"]
    assert run([table], check=True, **options)["changed_files"] == paths
    assert not (tmp_path / "names.db").exists()
    assert run([table], **options)["changed_files"] == paths
    assert (tmp_path / "names.db").read_text() == "a b\n"
    assert (tmp_path / "names.db").stat().st_mode & 0o777 == 0o600
    assert run([table], **options)["changed"] is False
    assert run([table])["removed_files"] == paths[1:]
    assert not (tmp_path / "names.db").exists()


@pytest.mark.parametrize(
    ("tool", "words"), [("echo 'duplicate entry' >&2", "duplicate entry"), ("exit 1", "exit code 1"), (":", "no build")]
)
def test_failed_build(run: Run, tmp_path: Path, tool: str, words: str) -> None:
    table = {**TABLE, "path": f"{tmp_path}/names"}
    result = run([table], build=[build_step(tmp_path, tool)])
    assert (result["step"], words in result["msg"]) == ("build", True)
    assert not (tmp_path / "names").exists()


# what changes in app.conf or other.conf, whether the service was healthy, and which commands run
COMMANDS_RUN = [
    ({"content": "port 25\nname b\n"}, {}, True, ["reload"]),
    ({"content": "port 26\nname a\n"}, {}, True, ["restart"]),
    ({"content": "port 25\nname b\n"}, {}, False, ["restart"]),
    ({}, {"content": "other\n"}, True, ["restart"]),
    ({}, {"content": "other\n", "mode": "0600"}, True, ["restart"]),
    ({}, {}, True, []),
    ({}, {}, False, ["restart"]),
]


@pytest.mark.parametrize(("changed", "other", "healthy", "commands"), COMMANDS_RUN)
def test_reload_if_sufficient_and_restart_otherwise(
    run: Run, tmp_path: Path, changed: dict[str, str], other: dict[str, str], healthy: bool, commands: list[str]
) -> None:
    log, up = tmp_path / "log", tmp_path / "up"
    files = [
        {"path": f"{tmp_path}/conf/app.conf", "content": "port 25\nname a\n"},
        {"path": f"{tmp_path}/conf/other.conf", "content": "x\n"},
        {"path": f"{tmp_path}/elsewhere.conf", "content": "x\n"},
    ]
    services = [
        {
            "files": [f"{tmp_path}/conf"],
            "reload": ["sh", "-c", f"test -e {up} && echo reload >> {log}"],
            "restart": ["sh", "-c", f"touch {up} && echo restart >> {log}"],
            "restart_files": [f"{tmp_path}/conf/other.conf"],
            "restart_lines": "^port ",
        }
    ]
    options = {"services": services, "health": [["test", "-e", str(up)]]}
    run(files, **options)
    assert log.read_text() == "restart\n"
    log.write_text("")
    assert run([*files[:2], {**files[2], "content": "y\n"}], **options)["changed"] is True
    assert log.read_text() == ""
    if not healthy:
        up.unlink()
    run([{**files[0], **changed}, {**files[1], **other}, {**files[2], "content": "y\n"}], **options)
    assert log.read_text().split() == commands


def test_crash_makes_any_line_count_as_changed(run: Run, target: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    service = {"reload": ["sh", "-c", f"echo reload >> {log}"], "restart": ["sh", "-c", f"echo restart >> {log}"]}
    options: dict[str, t.Any] = {"services": [{**service, "restart_lines": "^port "}]}
    files = [{"path": str(target), "content": "name a\n"}]
    run(files, **options)
    if (child := os.fork()) == 0:
        run([{"path": str(target), "content": "name b\n"}], activate=[{"command": ["sh", "-c", "kill -9 $PPID"]}])
    os.waitpid(child, 0)
    assert run(files, **options)["recovered"] is True
    assert log.read_text().split() == ["reload", "restart"]


def test_undo_restarts_a_dead_service(run: Run, target: Path, tmp_path: Path) -> None:
    """The new file stops the service, and a service that does not run cannot be reloaded."""
    up, log = tmp_path / "up", tmp_path / "log"
    up.touch()
    services = [
        {
            "reload": ["sh", "-c", f"echo reload >> {log}; grep -q old {target} || rm -f {up}; test -e {up}"],
            "restart": ["sh", "-c", f"echo restart >> {log}; grep -q old {target} && touch {up}"],
        }
    ]
    result = run([{"path": str(target), "content": "new\n"}], services=services, health=[["test", "-e", str(up)]])
    assert (result["step"], result["changed"]) == ("activate", False)
    assert "Everything was put back as it was" in result["msg"]
    assert (target.read_text(), up.exists(), log.read_text().split()) == ("old\n", True, ["reload", "restart"])


def test_undo_needs_no_program_that_the_run_brought(run: Run, target: Path, tmp_path: Path) -> None:
    """Its command is gone, and the services after it use the previous files again."""
    log, program = tmp_path / "log", tmp_path / "lib/program"
    reader = {"restart": ["sh", "-c", f"cat {target} >> {log}"], "files": [str(target)]}
    own = {"restart": ["sh", str(program)], "files": [str(program), f"{tmp_path}/lib/etc"]}
    run([{"path": str(target), "content": "good\n"}], services=[reader])
    files = [{"path": str(target), "content": "new\n"}, {"path": str(program), "content": f"echo brought >> {log}\n"}]
    result = run(files, services=[own, reader], health=[["grep", "-q", "good", str(target)]])
    assert (result["outcome"], result["changed"], program.parent.exists()) == ("put back", False, False)
    assert log.read_text().split() == ["good", "brought", "new", "good"]


@pytest.mark.parametrize("named", ["lib/program", "lib"])
def test_undo_applies_no_activator_that_the_run_brought(run: Run, target: Path, tmp_path: Path, named: str) -> None:
    """Of a program that is a directory, too; the first run is undone as any other."""
    log, program = tmp_path / "log", tmp_path / "lib/program"
    own = {"command": ["sh", "-c", f"test -e $0 && echo brought >> {log}", str(tmp_path / named)]}
    reader = {"command": ["sh", "-c", f"cat {target} >> {log}"]}
    files = [{"path": str(target), "content": "new\n"}, {"path": str(program), "content": "x\n"}]
    result = run(files, activate=[own, reader], health=[["grep", "-q", "old", str(target)]])
    assert (result["outcome"], result["changed"], program.parent.exists()) == ("put back", False, False)
    assert log.read_text().split() == ["brought", "new", "old"]
    assert leftovers(tmp_path) == []


def test_undo_goes_on_after_an_activator_that_fails(run: Run, target: Path, tmp_path: Path) -> None:
    """What comes after it uses the previous files again."""
    log = tmp_path / "log"
    fails = {"command": ["sh", "-c", f"grep -q new {target} || {{ echo broken; exit 1; }}"]}
    reader = {"command": ["sh", "-c", f"cat {target} >> {log}"]}
    service = {"restart": ["sh", "-c", f"echo service; cat {target} >> {log}"], "files": [str(target)]}
    result = run(
        [{"path": str(target), "content": "new\n"}], activate=[fails, reader], services=[service], health=[["false"]]
    )
    assert (result["outcome"], "broken" in result["msg"]) == ("not active", True)
    assert log.read_text().split() == ["new", "new", "old", "old"]


@pytest.mark.parametrize("older", [True, False])
def test_undo_goes_on_after_a_service_that_fails(run: Run, target: Path, tmp_path: Path, older: bool) -> None:
    """What fails is told, and the next run tries again; the other services use the previous files meanwhile."""
    log, other = tmp_path / "log", tmp_path / "other.conf"
    fails = {"restart": ["sh", "-c", f"grep new {other} || {{ echo broken; exit 1; }}"], "files": [str(other)]}
    reader = {"restart": ["sh", "-c", f"cat {target} >> {log}"], "files": [str(target)]}
    if older:
        run([{"path": str(other), "content": "old\n"}])
    else:
        other.write_text("old\n")
    files = [{"path": str(target), "content": "new\n"}, {"path": str(other), "content": "new\n"}]
    result = run(files, services=[fails, reader], health=[["false"]])
    assert (result["outcome"], target.read_text()) == ("not active", "old\n")
    assert "The previous files are back, but could not be activated" in result["msg"]
    assert "broken" in result["msg"]
    assert log.read_text().split() == ["new", "old"]


def test_absent_restores_originals_and_removes_the_rest(run: Run, target: Path, tmp_path: Path) -> None:
    files = [{"path": str(target), "content": "new\n"}, {"path": f"{tmp_path}/made/more.conf", "content": "x\n"}]
    run(files)
    target.write_text("edited\n")
    options: dict[str, t.Any] = {"state": "absent", "activate": [{"command": ["touch", f"{tmp_path}/active"]}]}
    preview = run([], check=True, **options)
    assert (preview["changed"], preview["edited_files"]) == (True, [str(target)])
    assert [(one["before"], one["after"]) for one in preview["diff"]] == [("edited\n", "old\n"), ("x\n", "")]
    assert not (tmp_path / "active").exists()
    result = run([], **options)
    assert (result["changed"], result["removed_files"]) == (True, [str(target), f"{tmp_path}/made/more.conf"])
    assert (target.read_text(), (tmp_path / "made").exists(), (tmp_path / "active").exists()) == ("old\n", False, True)
    assert run([], **options)["changed"] is False
    assert not (tmp_path / "state").exists()


def test_old_secret_is_never_shown(run: Run, target: Path) -> None:
    """The previous content stays hidden when the file is changed, declared as content, or removed."""
    target.unlink()
    run([{"path": str(target), "secret": "first-hunter2\n"}])
    show = {"validators": [{"command": ["sh", "-c", f"cat {target} >&2"]}]}
    results = [
        run([{"path": str(target), "secret": "second-hunter2\n"}], **show),
        run([{"path": str(target), "content": "open\n"}], check=True),
        run([{"path": str(target), "content": "open\n"}], **show),
        run([], check=True, state="absent"),
    ]
    assert [result.get("step") for result in results] == ["validate", None, "validate", None]
    assert "hunter2" not in json.dumps(results)
    assert results[3]["diff"][0]["before"] == "(secret)\n"


def test_check_mode_does_not_need_the_group_that_a_package_brings(run: Run, target: Path) -> None:
    """The files are still built and validated; without check mode, the group must exist."""
    files = [{"path": str(target), "content": "new\n", "group": "no-such-group"}]
    validators = {"validators": [{"command": ["grep", "-q", "new", f"{{stage}}{target}"]}]}
    preview = run(files, check=True, **validators)
    assert (preview["changed"], preview.get("outcome"), "validate" in preview["seconds"]) == (True, None, True)
    assert "no-such-group" in run(files, **validators)["msg"]


def test_programs_are_shown_by_their_digests(run: Run, target: Path, tmp_path: Path) -> None:
    """All programs share one diff with a line for each; one that was edited on the host is shown in full."""
    tool, other = tmp_path / "tool.py", tmp_path / "other.py"

    def files(text: str) -> list[dict[str, str]]:
        return [{"path": str(path), "content": text} for path in (tool, target, other)]

    first, second = digest_of(b"one"), digest_of(b"two")
    diffs = [run(files("one"))["diff"], run(files("two"))["diff"]]
    assert [[one["before_header"] for one in diff] for diff in diffs] == [[str(target), "programs"]] * 2
    lines = [[f"{path}: 1 line, sha256 {digest}" for path in (tool, other)] for digest in (first, second)]
    assert [diff[1]["after"].splitlines() for diff in diffs] == lines
    assert [diff[1]["before"].splitlines() for diff in diffs] == [[], lines[0]]
    other.write_text("edited")
    shown = {one["before_header"]: (one["before"], one["after"]) for one in run([], state="absent")["diff"]}
    assert shown == {
        str(target): ("two", "old\n"),
        f"{other} (edited since the last run)": ("edited", ""),
        "programs": (lines[1][0] + "\n", ""),
    }


def test_problems_of_postfix_are_reported(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The canary gets stage, live directory and removed paths; its problems and errors are reported."""
    main, table = tmp_path / "main.cf", tmp_path / "table"
    problems = [Problem("bad", "Mend it.", str(main), 3, "biff"), Problem("worse", "Think.", f"{tmp_path}/master.cf")]
    asked: list[tuple[str, str, list[str]]] = []

    def find_problems(stage: str, live: str, removed: t.Collection[str], upstreams: t.Any) -> list[Problem]:
        assert upstreams in ([], [{"transport": "to-a", "nexthop": "[a.test]:587"}])
        asked.append((Path(stage + str(main)).read_text(), live, list(removed)))
        if "unreadable" in asked[-1][0]:
            raise canary.CanaryError("postconf cannot be run")
        return problems if "bad" in asked[-1][0] else []

    monkeypatch.setattr(canary, "find_problems", find_problems)
    upstreams = [{"transport": "to-a", "nexthop": "[a.test]:587"}]
    validators = [{"postfix": {"config_directory": str(tmp_path), "upstreams": upstreams}}]
    files = [{"path": str(main), "content": "good\n"}, {"path": str(table), "content": "a b\n"}]
    assert run(files, validators=validators)["changed"] is True
    refused = run([{"path": str(main), "content": "bad\n"}], validators=validators)
    assert (refused["failed"], refused["step"]) == (True, "validate")
    assert (refused["failed_file"], refused["failed_line"]) == (str(main), 3)
    assert f"{main}, line 3 (biff): bad. Mend it.\n{tmp_path}/master.cf: worse. Think." in refused["msg"]
    failed = run([{"path": str(main), "content": "unreadable\n"}], validators=[{"postfix": {}}])
    assert "could not be tried: postconf cannot be run." in failed["msg"]
    assert [(live, removed) for _text, live, removed in asked] == [
        (str(tmp_path), []),
        (str(tmp_path), [str(table)]),
        ("/etc/postfix", [str(table)]),
    ]
    assert (main.read_text(), table.read_text()) == ("good\n", "a b\n")


INVALID_OPTIONS = [
    {"activate": [{"command": []}]},
    {"activate": [{}]},
    {"activate": [{"command": ["true"], "firewall": {}}]},
    {"activate": [{"firewall": {"backend": "ufw"}}]},
    {"activate": [["true"]]},
    {"health": [[["nested"]]]},
    {"validators": [{"command": []}]},
    {"services": [{"restart": []}]},
    {"services": [{"restart": ["true"], "reload": []}]},
    {"services": [{"restart": ["true"], "restart_lines": "("}]},
    {"validators": [{}]},
    {"validators": [{"postfxi": {}}]},
    {"build": [{"command": ["true"], "source": "/not/declared", "creates": "/x"}]},
]


@pytest.mark.parametrize("options", INVALID_OPTIONS)
def test_invalid_options_are_named(run: Run, target: Path, options: dict[str, t.Any]) -> None:
    result = run([{"path": str(target), "content": "new\n"}], **options)
    assert result["failed"] is True
    assert next(iter(options)) in result["msg"]
    assert target.read_text() == "old\n"
