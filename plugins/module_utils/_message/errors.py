# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a message cannot be written, as types. The text of each is a sentence for the user."""

from __future__ import annotations


class MessageError(ValueError):
    """What is wrong with a message, known before any connection is opened."""


class InvalidAddress(MessageError):
    """Not an address; names it and says what was expected."""


class InvalidHeader(MessageError):
    """A header field that cannot be written."""


class InvalidMediaType(MessageError):
    """Not of the form type/subtype."""


class InvalidMessage(MessageError):
    """The parts are fine and the whole is not."""


class RowError(MessageError):
    """A file of messages, or a row of it, that cannot be read; names file and line and says what was expected."""
