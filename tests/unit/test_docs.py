# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Markdown pages: links that resolve, and claims that the tree bears out. Their form is pymarkdown's business."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
README_LINES = 120
#: What is said of every kind of plugin by a file of its own.
PLUGINS = ("modules", "filter", "callback", "lookup")


def pages() -> Iterator[Path]:
    """Every page of the checkout; of hidden folders only the one for people who report and contribute."""
    for folder, names, files in os.walk(ROOT):
        names[:] = sorted(name for name in names if not name.startswith(".") or name == ".github")
        yield from (Path(folder, name) for name in sorted(files) if name.endswith(".md"))


def prose(page: Path) -> str:
    """The page without its code, in which brackets and number signs have another meaning."""
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", lambda code: re.sub(r"[\[\]()#]", "", code[0]), text)


def links(page: Path) -> list[str]:
    """The targets of its links, but for those to other sites."""
    found = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def anchors(page: Path) -> set[str]:
    """What a link may have after the number sign, as GitHub and Galaxy make it from headings."""
    found: list[str] = []
    for heading in re.findall(r"^#+ +(.+?) *$", prose(page), flags=re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        before = sum(one == slug for one in found)
        found += [slug, *([f"{slug}-{before}"] if before else [])]
    return set(found)


def broken(page: Path) -> Iterator[str]:
    """A sentence for each link that leads nowhere."""
    name = os.path.relpath(page, ROOT)
    for target in links(page):
        path, _sign, anchor = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        if not other.exists():
            yield f"{name}: {target}: there is no such file"
        elif anchor and anchor not in anchors(other):
            yield f"{name}: {target}: there is no such heading"


def test_every_link_resolves():
    found = [sentence for page in pages() for sentence in broken(page)]
    assert found == [], "\n".join(found)


@pytest.mark.parametrize(
    ("target", "is_broken"),
    [
        ("other.md", False),
        ("other.md#a-heading-of-two-words", False),
        ("other.md#a-heading", True),
        ("#here", False),
        ("#there", True),
        ("nowhere.md", True),
        ("https://example.com/nowhere.md", False),
    ],
)
def test_a_broken_link_is_found(tmp_path, target, is_broken):
    (tmp_path / "other.md").write_text("## A heading, of `two` words\n")
    page = tmp_path / "page.md"
    page.write_text(f"# Here\n\nSee [this]({target}).\n\n```text\n[no](link.md)\n```\n")
    assert bool(list(broken(page))) is is_broken


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= README_LINES


def test_the_readme_names_what_the_collection_has():
    files = [path for kind in PLUGINS for path in (ROOT / "plugins" / kind).glob("*.py")]
    files += (ROOT / "playbooks").glob("*.yml")
    files += (ROOT / "roles").iterdir()
    names = {path.stem for path in files if not path.name.startswith("_")}
    assert {"smtp_send", "relay", "notify", "smtp_provider"} <= names
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in sorted(names) if f"`{name}`" not in readme] == []


def quoted_errors() -> list[str]:
    """The words of errors that docs/troubleshooting.md has in the first column of its tables."""
    found, in_table = [], False
    for line in (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8").splitlines():
        in_table = line.startswith("| the message contains |") or (in_table and line.startswith("|"))
        if in_table:
            found += re.findall(r"`([^`]+)`", line.split("|")[1])
    return found


def test_troubleshooting_quotes_errors_that_exist():
    paths = [path for top in ("plugins", "roles") for path in (ROOT / top).rglob("*")]
    sources = [path for path in paths if path.suffix in (".py", ".yml")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    quoted = quoted_errors()
    assert len(quoted) > 30
    assert [words for words in quoted if words not in text] == []


def test_the_changelog_says_what_its_summaries_say():
    folder = ROOT / "changelogs"
    contents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in folder.glob("fragments/*.yml")]
    releases = yaml.safe_load((folder / "changelog.yaml").read_text(encoding="utf-8"))["releases"].values()
    contents += [release["changes"] for release in releases if "changes" in release]
    summaries = [content["release_summary"] for content in contents if "release_summary" in content]
    assert summaries
    changelog = " ".join((ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split())
    assert [text for text in summaries if " ".join(text.split()) not in changelog] == []
