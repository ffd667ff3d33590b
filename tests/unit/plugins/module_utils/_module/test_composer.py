# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Composer: own options over common ones, and files that are read on this host and cached."""

from __future__ import annotations

import gc
import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._message.attachments import Attachment
from ansible_collections.mailops.smtp.plugins.module_utils._message.errors import InvalidAddress, InvalidMessage
from ansible_collections.mailops.smtp.plugins.module_utils._module.message import _RECENT, Composer
from ansible_collections.mailops.smtp.plugins.module_utils._module.report import preview

COMMON = {"from": "a@b.test", "to": "c@d.test", "subject": "S"}


def attachment(path: Path | str, **more: t.Any) -> dict[str, t.Any]:
    return {"path": str(path), "content": None, "name": None, "type": None, "cid": None, "remote_src": None, **more}


def content(composer: Composer, **own: t.Any) -> str:
    return composer.envelope(own).content.decode()


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_texts_are_read_from_files_of_this_host(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "b.txt").write_bytes(start + b"from a file")
    (tmp_path / "h.html").write_bytes(start + b"<p>also from a file</p>")
    composer = Composer({**COMMON, "body_file": str(tmp_path / "b.txt"), "html_file": str(tmp_path / "h.html")})
    whole = content(composer)
    assert "\r\n\r\nfrom a file\r\n" in whole
    assert "\r\n\r\n<p>also from a file</p>\r\n" in whole


def test_own_text_replaces_the_common_file(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("own file")
    composer = Composer({**COMMON, "body_file": "/nowhere"})
    assert "own text" in content(composer, body="own text")
    assert "own file" in content(composer, body_file=str(tmp_path / "own.txt"))
    composer = Composer({**COMMON, "body": "common"})
    assert "own file" in content(composer, body_file=str(tmp_path / "own.txt"))


BAD = [
    ({"body_file": "/nowhere"}, "body_file /nowhere cannot be read: No such file"),
    ({"html_template": "t.j2"}, "html_template t.j2 is for the controller"),
    ({"attachments": [attachment("/x", remote_src=False)]}, "the attachment /x is on the controller"),
]


@pytest.mark.parametrize(("own", "words"), BAD)
def test_file_or_template_that_this_host_cannot_use_is_refused(own: dict[str, t.Any], words: str) -> None:
    with pytest.raises(InvalidMessage, match=words):
        Composer(COMMON).envelope(own)


def test_common_file_stays_cached_and_files_of_single_messages_do_not(tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / f"forgotten-{number}.txt").write_text(f"own {number}")
    common = tmp_path / "kept-by-composer.txt"
    common.write_text("for all")
    composer = Composer({**COMMON, "inline": [{"path": str(common), "cid": "c", "mime_type": None}]})
    content(composer)
    common.unlink()
    for number in range(100):
        whole = content(composer, attachments=[attachment(tmp_path / f"forgotten-{number}.txt")])
        assert "kept-by-composer.txt" in whole
    gc.collect()
    alive = {one.name for one in gc.get_objects() if isinstance(one, Attachment)}
    assert "kept-by-composer.txt" in alive
    assert len([name for name in alive if name.startswith("forgotten-")]) <= _RECENT


@pytest.mark.parametrize("option", ["attach", "body_file"])
def test_pipe_or_device_is_refused(tmp_path: Path, option: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (str(tmp_path / "pipe"), "/dev/zero"):
        with pytest.raises(InvalidMessage, match=f"{path} cannot be read: not a regular file"):
            Composer(COMMON).envelope({option: path})


@pytest.mark.parametrize("headers", [{"sender": "Ops <ops@b.test>"}, "Sender=Ops <ops@b.test>"])
def test_sender_in_headers_is_written_once(headers: t.Any) -> None:
    envelope = Composer(COMMON).envelope({"headers": headers})
    assert envelope.content.count(b"Sender: Ops <ops@b.test>\r\n") == 1
    assert envelope.sender == "a@b.test"


def test_sender_in_headers_is_left_out_if_it_is_the_author() -> None:
    assert "Sender:" not in content(Composer(COMMON), headers={"Sender": "A <a@b.test>"})


@pytest.mark.parametrize(
    ("value", "words"),
    [("ops@b.test, dev@b.test", "reads as 2 addresses"), (["ops@b.test", "dev@b.test"], "reads as 2 addresses")],
)
def test_sender_in_headers_must_be_one_address(value: t.Any, words: str) -> None:
    with pytest.raises(InvalidAddress, match=f"headers, Sender: .*{words}"):
        Composer(COMMON).envelope({"headers": {"Sender": value}})


def test_preview_has_no_terminal_control_characters() -> None:
    envelope = Composer(COMMON).envelope({"body": "a\x1b[2J\tb"})
    assert preview(envelope).endswith("a?[2J\tb\n")


def test_envelope_id_must_be_text() -> None:
    with pytest.raises(ValueError, match="the envelope ID"):
        Composer(COMMON).envelope({"dsn": {"notify": [], "full": False, "envelope_id": "\ud800"}})


def test_only_a_single_message_without_recipients_goes_to_root() -> None:
    unaddressed = {**COMMON, "to": None}
    assert Composer(unaddressed).envelope({}).recipients == ("root",)
    many = Composer(unaddressed, many=True)
    assert many.envelope({"cc": "e@f.test"}).recipients == ("e@f.test",)
    with pytest.raises(InvalidMessage, match="no recipient"):
        many.envelope({"body": "recipient in a misnamed column"})
