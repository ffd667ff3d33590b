# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""words.py FILE...: find phrases that are not plain English.

Print a line for each, as a link for an editor, and exit with code 1 if there are any. docs/glossary.md has the words to
use. To find another phrase, add a row to PHRASES.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Phrase(NamedTuple):
    """A phrase to avoid.

    :param pattern: regular expression; a match in any case is a finding.
    :param instead: what to write.
    """

    pattern: str
    instead: str


PHRASES = (
    Phrase(
        r"(?<!here\s)\b(?:is|are|was|were) no (?!longer\b)",
        "is not a valid X, is not an X",
    ),
    Phrase(
        r"(?<![\w/=])(?<!-u\s)(?!nobody\\?[\"'])(?:nobody|somebody|everybody|anybody|whoever)(?![\w@])",
        "the role: client, sender, user, administrator, server",
    ),
    Phrase(r"\bbelongs? into\b", "belongs in, must reach"),
    Phrase(r"\bdoes without\b", "does not need, works without"),
    Phrase(r"\bis none of (?:y|the|these|those)\b", "is not one of"),
    Phrase(r"\bwho asks\b", "the client"),
    Phrase(r"\bthe role does not know\b", "Unknown variable X"),
    Phrase(r"\bof its own to the\b", "takes no input from"),
)
#: Matches a space, or a line break followed by the beginning of a comment.
_GAP = r"\s(?:\s*#:?\s)?\s*"
#: Files that quote the phrases, and texts of other programs or projects.
EXCEPT = ("tests/setup/words.py", "tests/unit/setup/test_words.py", "COPYING", ".log", "requirements.txt")
SUFFIXES = (".py", ".yml", ".yaml", ".md", ".sh", ".j2", ".ini", ".toml")


def findings(text: str) -> Iterator[tuple[int, str, Phrase]]:
    """Yield the line number, counted from 1, the text found, and the phrase. A phrase may continue on the next line."""
    for phrase in PHRASES:
        for match in re.finditer(phrase.pattern.replace(" ", _GAP), text, flags=re.IGNORECASE):
            yield text.count("\n", 0, match.start()) + 1, " ".join(match.group().split()), phrase


def main(paths: list[str]) -> int:
    """Check the files of the project that have text, and return the exit code."""
    found = 0
    for path in paths:
        if not path.endswith(SUFFIXES) or path.endswith(EXCEPT):
            continue
        for line, words, phrase in sorted(findings(Path(path).read_text(encoding="utf-8"))):
            print(f"{path}:{line}: {words!r}: write {phrase.instead}")
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
