#!/usr/bin/python
# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send a message by SMTP."""

from __future__ import annotations

DOCUMENTATION = r"""
module: smtp_send
short_description: Send a message by SMTP
version_added: 0.1.0
author:
  - The mailops.smtp authors (@mailops)
description:
  - Sends one message to any number of recipients and reports what became of it for each of them.
  - The server's certificate is verified and a login never leaves the host without TLS, unless told otherwise.
  - Everything is composed and checked before a connection is opened.
  - A message that not every recipient was accepted for fails the task. The result says who got it.
extends_documentation_fragment:
  - mailops.smtp._attributes
  - mailops.smtp._attributes.actiongroup_smtp
  - mailops.smtp._smtp_server
attributes:
  check_mode:
    support: full
    details: Composes and validates the message and the options; opens no connection.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Each run sends the message again.
options:
  from:
    description: Author of the message, with or without a name, such as V(Deploy <deploy@example.com>).
    type: str
    required: true
    aliases: [sender]
  to:
    description:
      - Recipients, as a list of addresses or one string with commas between them.
      - A name that holds a comma stands in quotes, as in V("Doe, Jo" <jo@example.com>).
    type: raw
    default: []
    aliases: [recipients]
  cc:
    description: Recipients of a copy, named in the message.
    type: raw
    default: []
  bcc:
    description: Recipients of a copy, named nowhere in the message.
    type: raw
    default: []
  reply_to:
    description: Where answers go.
    type: raw
    default: []
  envelope_from:
    description:
      - Where bounces go. Without it, the address in O(from).
      - Empty or V(<>) is the null sender, for messages that must not bounce.
    type: str
  subject:
    description: Subject, in any language.
    type: str
    required: true
  body:
    description: The message as plain text.
    type: str
  html:
    description: The message as HTML. With O(body) too, readers show the one they can.
    type: str
  headers:
    description:
      - Further header fields.
      - Fields that have an option of their own are refused here, so that none occurs twice.
      - C(Auto-Submitted) is V(auto-generated) unless given, so that no vacation notes come back.
    type: dict
    default: {}
  attachments:
    description: Files to send along.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: File on the host that sends.
        type: path
      content:
        description: Text of the attachment, in place of a file. Needs O(attachments[].name).
        type: str
      name:
        description: File name that the reader sees. Without it, the last part of O(attachments[].path).
        type: str
      type:
        description: Media type such as V(text/csv). Without it, what the name suggests.
        type: str
notes:
  - RV(ignore:changed) is always V(false). Sending a message changes nothing on the host, and a play that notifies
    should not count as one that changed it.
"""

EXAMPLES = r"""
- name: Tell the team
  mailops.smtp.smtp_send:
    host: smtp.example.com
    username: deploy@example.com
    password: "{{ vault_smtp_password }}"
    from: Deploy <deploy@example.com>
    to: ops@example.com
    subject: "{{ inventory_hostname }} is up to date"
    body: Nothing to do.

- name: Send a report with an attachment, from the controller, once
  mailops.smtp.smtp_send:
    host: smtp.example.com
    tls: implicit
    username: deploy@example.com
    password: "{{ vault_smtp_password }}"
    from: deploy@example.com
    to: [ops@example.com, '"Doe, Jo" <jo@example.com>']
    subject: Bericht für Köln
    body: The numbers are attached.
    html: <p>The numbers are <b>attached</b>.</p>
    attachments:
      - path: /var/tmp/report.pdf
      - name: numbers.csv
        content: "{{ numbers }}"
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
msg:
  description: What happened, as a sentence.
  type: str
  returned: always
message_id:
  description: The C(Message-ID) of the message, with its angle brackets.
  type: str
  returned: when the message was composed
  sample: <6740a1b2.0a1b2c3d4e5f60718293@example.com>
size:
  description: Size of the message in octets.
  type: int
  returned: when the message was composed
queue_id:
  description: The server's name for the message, where its reply tells.
  type: str
  returned: when the server was reached
  sample: 4XyZ1234abcd
recipients:
  description: What became of the message, for each recipient.
  type: list
  elements: dict
  returned: when the server was reached
  contains:
    address:
      description: The recipient.
      type: str
    status:
      description: V(sent), V(refused), V(deferred) (not accepted, may be tried again) or V(unknown) (the connection was
        lost between the end of the message and the reply to it).
      type: str
    stage:
      description: The stage of the session that decided.
      type: str
    code:
      description: The code of the server's reply.
      type: int
    enhanced_code:
      description: The enhanced status code of the reply.
      type: str
      sample: 5.1.1
    text:
      description: The text of the reply.
      type: str
    problem:
      description: What is wrong, as a sentence; empty when sent.
      type: str
connection:
  description: What the connection came to.
  type: dict
  returned: when the server was reached
  contains:
    server:
      description: Host and port as given.
      type: str
    address:
      description: The address that answered.
      type: str
    tls_version:
      description: TLS version; null without TLS.
      type: str
    tls_cipher:
      description: Cipher suite.
      type: str
    tls_verified:
      description: Whether the certificate was checked against authorities and host name.
      type: bool
    auth_mechanism:
      description: Mechanism of the login, if there was one.
      type: str
stage:
  description: The stage of the session that failed; V(compose) when no connection was opened.
  type: str
  returned: on failure
  sample: auth
server:
  description: Host and port as given.
  type: str
  returned: when the session could not be opened
code:
  description: The code of the reply that ended the session, if it was a reply.
  type: int
  returned: when the session could not be opened
enhanced_code:
  description: The enhanced status code of that reply.
  type: str
  returned: when the session could not be opened
text:
  description: The text of that reply.
  type: str
  returned: when the session could not be opened
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._module.smtp import MESSAGE_ARGUMENTS, SERVER_ARGUMENTS, SERVER_REQUIRED_TOGETHER, run_send


def main() -> None:
    module = AnsibleModule(
        argument_spec={**SERVER_ARGUMENTS, **MESSAGE_ARGUMENTS},
        required_together=SERVER_REQUIRED_TOGETHER,
        supports_check_mode=True,
        no_log=True,  # what people write each other does not belong into the host's syslog
    )
    run_send(module)


if __name__ == "__main__":
    main()
