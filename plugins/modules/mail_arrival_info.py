#!/usr/bin/python
# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look in a mailbox over IMAP for messages that were sent as a proof."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_arrival_info
short_description: Look in a mailbox for messages, and how their receiver judged them
version_added: 0.1.0
author:
  - The mailops.smtp authors (@mailops)
description:
  - Looks in a mailbox over IMAP for messages by a word in their subject (a nonce), until all are there or the time is
    over.
  - Returns what the headers say of the way of the message, of its DKIM signatures, and of SPF, DKIM and DMARC as the
    receiver judged them (C(Authentication-Results), RFC 8601).
  - Fetches headers alone, always over verified TLS. It marks nothing as read, and deletes nothing.
extends_documentation_fragment:
  - mailops.smtp._attributes
attributes:
  check_mode:
    support: full
    details: Changes nothing.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  host:
    description: Name of the IMAP server.
    type: str
    required: true
  port:
    description: Its port. By default V(993), or V(143) with O(tls=starttls).
    type: int
  tls:
    description: When TLS begins, with the first byte (V(implicit)) or by the command STARTTLS.
    type: str
    choices: [implicit, starttls]
    default: implicit
  username:
    description: User of the mailbox.
    type: str
    required: true
  password:
    description: Password of O(username).
    type: str
    required: true
  ca_file:
    description: PEM file with the certificate authorities to trust, in place of the system's.
    type: path
  folders:
    description: Folders to look in. With the folder of unwanted mail, a message that was filed there is found as well.
    type: list
    elements: str
    default: [INBOX]
  nonces:
    description: The words, each of 6 to 100 letters, digits, dots, underscores and hyphens.
    type: list
    elements: str
    required: true
  authserv_id:
    description:
      - The name with which the receiver writes C(Authentication-Results). It is returned as it is, for those who judge
        the result, since a sender can forge a field with another name.
    type: str
    default: ""
  timeout:
    description: Seconds to wait until all of them have arrived.
    type: float
    default: 60.0
seealso:
  - module: mailops.smtp.smtp_send
  - module: mailops.smtp.postfix_info
"""

EXAMPLES = r"""
- name: See how the receiver judged the message
  mailops.smtp.mail_arrival_info:
    host: imap.example.com
    username: probe@example.com
    password: "{{ vault_mailbox_password }}"
    nonces: [proof-4711]
    folders: [INBOX, Junk]
  register: mailbox
  delegate_to: localhost

- name: Show the verdicts
  ansible.builtin.debug:
    msg: "{{ mailbox.messages[0].arrival.verdicts }}"
  when: mailbox.passed
"""

RETURN = r"""
msg:
  description: How many of the messages have arrived.
  type: str
  returned: always
passed:
  description: Whether all of them have.
  type: bool
  returned: when the mailbox could be read
server:
  description: The IMAP server with its port.
  type: str
  returned: when the mailbox could be read
  sample: imap.example.com:993
authserv_id:
  description: O(authserv_id).
  type: str
  returned: when the mailbox could be read
seconds:
  description: How long it was looked for.
  type: float
  returned: when the mailbox could be read
messages:
  description: The messages in the order of O(nonces).
  type: list
  elements: dict
  returned: when the mailbox could be read
  contains:
    nonce:
      description: Its word.
      type: str
    arrived:
      description: Whether it was found.
      type: bool
    folder:
      description: The folder that it was found in.
      type: str
    found_at:
      description: When it was found, in UTC (RFC 3339).
      type: str
    arrival:
      description:
        - What its headers say, as C(ArrivalFacts) of C(docs/evidence.md) describes it, with C(received), C(verdicts)
          and C(signatures).
      type: dict
"""

from ..module_utils._module.mailbox import ARGUMENTS, run
from ..module_utils._module.secrets import DiscreetModule


def main() -> None:
    """Entry point of the module."""
    run(DiscreetModule(argument_spec=ARGUMENTS, supports_check_mode=True))


if __name__ == "__main__":
    main()
