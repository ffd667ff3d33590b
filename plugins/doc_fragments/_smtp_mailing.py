# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options for many messages: pace, retries, journal. Private to this collection: it may change at any time."""

from __future__ import annotations


class ModuleDocFragment:
    # Documents MAILING_ARGUMENTS of module_utils/_module/send.py.
    DOCUMENTATION = r"""
options:
  connections:
    description:
      - Number of parallel connections, each in its own process, up to the provider's limit. If not set, V(1).
      - If the server refuses a connection, the others continue.
    type: int
  messages_per_connection:
    description: Number of messages after which a new connection is opened. If not set, the provider's limit applies.
    type: int
  messages_per_minute:
    description: Messages per minute over all connections, more than 0, such as V(0.5) for one in two minutes. If
      not set, the provider's limit applies.
    type: float
  attempts:
    description:
      - Number of attempts per message in total. A message is retried only for recipients for which it is known not to
        have been accepted.
    type: int
    default: 1
  retry_delay:
    description: Seconds before the second attempt. The delay doubles for each further attempt, up to five minutes.
    type: float
    default: 5.0
  retry_for:
    description: Seconds after its first attempt at which a message is given up.
    type: float
    default: 600.0
  resend_unknown:
    description:
      - Whether a message is sent again if the connection was lost between its end and the reply to it. The server may
        have accepted it, in which case the recipients receive it twice.
    type: bool
    default: false
  journal:
    description:
      - File on the host that sends, which records what was accepted. The next run with the same journal sends all
        remaining messages and none that was accepted before, even if the previous run was killed.
      - A message is identified by its O(message_id), else by its O(idempotency_key), else by its content and
        recipients. If an O(idempotency_key) is set for all O(messages), each is identified by the key and its
        recipients.
      - If a run died between the end of a message and the reply to it, only the server knows whether the message was
        accepted. The status of its recipients is then V(unknown); O(resend_unknown) decides whether it is sent again.
      - An absolute path. Created if missing, readable only by its owner. A journal that other users can write to is
        refused. It contains addresses of recipients; remove it when the mailing is complete.
    type: path
"""
