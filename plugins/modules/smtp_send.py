#!/usr/bin/python
# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send a message by SMTP."""

from __future__ import annotations

DOCUMENTATION = r"""
module: smtp_send
short_description: Send messages by SMTP
version_added: 0.1.0
author:
  - The mailops.smtp authors (@mailops)
description:
  - Sends one message or many and reports what became of each for each of its recipients.
  - The server's certificate is verified and a login never leaves the host without TLS, unless told otherwise.
  - Everything is composed and checked before a connection is opened.
  - A message that not every recipient was accepted for fails the task, unless O(partial) says otherwise. The result
    says who got it.
  - Takes all parameters of M(community.general.mail), so that changing the module's name is the whole migration.
extends_documentation_fragment:
  - mailops.smtp._attributes
  - mailops.smtp._attributes.actiongroup_smtp
  - mailops.smtp._smtp_server
  - mailops.smtp._smtp_oauth
  - mailops.smtp._smtp_message
attributes:
  check_mode:
    support: full
    details: Composes and validates all messages, and returns a preview; opens no connection unless O(check) is set.
  diff_mode:
    support: full
    details: Returns the first 20 messages as they travel. Ansible's default callback displays a diff only for a task
      that changed something, so C(-v) shows them.
  idempotent:
    support: partial
    details: With O(journal), another run sends what is left. Without it, each run sends the messages again.
options:
  messages_file:
    description:
      - File of messages, in place of O(messages), in UTF-8. From the controller, unless O(remote_src) says otherwise.
      - A CSV file has a header row. Columns called as options of a message are those options, an empty cell not being
        given; all other columns are variables for O(body_template) and O(html_template). In place of commas there may
        be semicolons or tabs. For options with a list or a mapping a cell may hold JSON.
      - A JSON Lines file has one object a line, with the options of a message; all other keys are variables.
      - What a row does not say, the task's own options say for all. Nothing in it is taken for a template, but rows may
        name files and templates of the controller when the file is the controller's.
    type: path
  messages_format:
    description: Form of O(messages_file). Without it, what the name's suffix says.
    type: str
    choices: [csv, jsonl]
  remote_src:
    description:
      - Whether files are those of the host that sends (V(true)) or the controller's (V(false)).
      - Without it, attachments are the host's, as with M(community.general.mail), and all other files the controller's.
    type: bool
  check:
    description:
      - Walks the server to this stage and leaves with QUIT, sending nothing. Also in check mode.
      - V(recipients) asks whether the server would take the message for each of them.
    type: str
    choices: [connect, login, recipients]
  partial:
    description:
      - What to make of a message that only some recipients were accepted for.
      - When none of the task's messages was accepted for anybody, the task fails in any case.
    type: str
    choices: [fail, warn, ok]
    default: fail
  connections:
    description:
      - Connections side by side, each in a process of its own; at most as many as the provider takes. Without it, one.
      - When the server refuses one of them, the others go on.
    type: int
  messages_per_connection:
    description: Messages after which a connection is closed and another opened. Without it, the provider's limit.
    type: int
  messages_per_minute:
    description: Messages in a minute over all connections. Without it, the provider's limit.
    type: float
  attempts:
    description:
      - How often a message is tried in all. Only what is known not to be accepted is tried again, and only for the
        recipients it was not accepted for.
    type: int
    default: 1
  retry_delay:
    description: Seconds before the second attempt. Each further one waits twice as long, up to five minutes.
    type: float
    default: 5.0
  retry_for:
    description: Seconds from its first attempt after which a message is given up.
    type: float
    default: 600.0
  resend_unknown:
    description:
      - Whether a message is sent again when the connection was lost between its end and the reply to it. The server may
        have taken it, and its recipients may then get it twice.
    type: bool
    default: false
  journal:
    description:
      - File on the host that sends, which remembers what was accepted. Another run with it, even after one that was
        killed at any moment, sends each remaining message and none that was accepted before.
      - A message is known by its O(message_id), or else by its O(idempotency_key), or else by all that it says. With an
        O(idempotency_key) for all O(messages), each is known by it and its recipients.
      - When a run died between the end of a message and the reply to it, nobody but the server knows whether it was
        accepted. Its recipients are V(unknown), and O(resend_unknown) says whether they are sent it again.
      - Made where missing, readable by its owner only; one that others may write to is refused. It names recipients.
        Remove it when all is done.
    type: path
  results:
    description:
      - Whose results are returned in RV(messages).
      - V(all) of them, or those that somebody did not get (V(open)), at most 1000. V(auto) is V(all) for up to 1000
        messages and V(open) for more.
    type: str
    choices: [auto, all, open]
    default: auto
  _spool:
    description: For the collection's own use. The controller wrote O(messages_file).
    type: bool
  _slice:
    description: For the collection's own use. How long to work before telling how far the messages are.
    type: dict
notes:
  - While a task with more than 200 messages runs, a line every while tells what was sent, how fast, and how long the
    rest will take; with O(messages_per_minute) from two messages on, with O(provider) from eleven; not with C(async).
  - RV(ignore:changed) is always V(false). Sending a message changes nothing on the host, and a play that notifies
    should not count as one that changed it.
seealso:
  - module: community.general.mail
  - plugin: mailops.smtp.smtp_provider
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Tell the team
  mailops.smtp.smtp_send:
    provider: gmail
    username: deploy@example.com
    password: "{{ vault_app_password }}"
    from: Deploy <deploy@example.com>
    to: ops@example.com
    subject: "{{ inventory_hostname }} is up to date"
    body: Nothing to do.

- name: Send a report with an attachment, from the controller, once
  mailops.smtp.smtp_send:
    host: smtp.example.com
    port: 465
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

- name: Send many messages over four connections, trying again what is deferred
  mailops.smtp.smtp_send:
    host: smtp.example.com
    tls: starttls
    from: news@example.com
    subject: News
    messages:
      - to: ann@example.com
        body: Dear Ann
      - to: bob@example.com
        body: Dear Bob
    connections: 4
    attempts: 3
    partial: warn

- name: Send a mailing that another run may finish, should this one be interrupted
  mailops.smtp.smtp_send:
    provider: sendgrid
    username: apikey
    password: "{{ vault_sendgrid_key }}"
    from: news@example.com
    subject: News
    messages_file: people.csv
    body_template: news.txt.j2
    idempotency_key: news 2026-11
    journal: /var/lib/mailings/2026-11.journal
    connections: 4
    attempts: 3

- name: Write to each person in people.csv, which has the columns to, subject, name and amount
  mailops.smtp.smtp_send:
    host: smtp.example.com
    tls: starttls
    from: Accounts <accounts@example.com>
    messages_file: people.csv
    body_template: reminder.txt.j2  # Dear {{ name }}, please pay {{ amount }}.
    html_template: reminder.html.j2  # <p>Dear {{ name | e }}, please pay {{ amount | e }}.</p>
    attachments:
      - path: terms.pdf
        remote_src: false
  delegate_to: localhost
  run_once: true

- name: See whether the login works and the recipient would be accepted, sending nothing
  mailops.smtp.smtp_send:
    provider: microsoft365
    username: deploy@example.com
    oauth:
      provider: microsoft
      tenant: example.onmicrosoft.com
      client_id: 00000000-0000-0000-0000-000000000000
      client_secret: "{{ vault_client_secret }}"
    from: deploy@example.com
    to: ops@example.com
    subject: Test
    check: recipients
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
  description:
    - What became of the message, for each recipient.
    - Empty when nothing was tried with the message, as when the login was refused; nobody got it then.
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
    advice:
      description: What to do about it; empty when sent.
      type: str
attempts:
  description: How often the message was tried; 0 when O(journal) says that an earlier run sent it.
  type: int
  returned: when the server was reached
messages:
  description:
    - RV(message_id), RV(size), RV(queue_id), RV(attempts), RV(recipients) and, in check mode, RV(preview) of messages,
      in their order. O(results) says of which.
  type: list
  elements: dict
  returned: with O(messages) or O(messages_file)
  contains:
    index:
      description: Place of the message among all, from 0.
      type: int
messages_left_out:
  description: How many messages that somebody did not get are not in RV(messages), which holds 1000.
  type: int
  returned: with O(messages) or O(messages_file), when the server was reached
preview:
  description: Envelope and message as they travel, the first 400 lines and without long attachments; of 20 messages.
  type: str
  returned: in check mode
summary:
  description: How many recipients have each status.
  type: dict
  returned: with O(messages) or O(messages_file), when the server was reached
  sample: {"sent": 9998, "refused": 1, "deferred": 1, "unknown": 0}
connections:
  description: What each connection came to, as RV(connection).
  type: list
  elements: dict
  returned: when the server was reached
connection:
  description: What the last connection came to.
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
    certificate_subject:
      description: Whose certificate the server has; null without TLS, empty when it was not verified.
      type: str
      sample: CN=smtp.example.com
    certificate_expires:
      description: Until when it is valid.
      type: str
      sample: Nov 22 10:00:00 2027 GMT
    certificate_sha256:
      description: SHA-256 digest of the certificate, as O(pinned_certificates) takes it.
      type: str
    auth_mechanism:
      description: Mechanism of the login, if there was one.
      type: str
    messages:
      description: How many messages it carried.
      type: int
    round_trips:
      description: How often an answer was waited for.
      type: int
    seconds:
      description: How long it was open.
      type: float
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

from ..module_utils._module.send import SEND_ARGUMENTS, SEND_RULES, run_send


def main() -> None:
    module = AnsibleModule(
        argument_spec=SEND_ARGUMENTS,
        **SEND_RULES,
        supports_check_mode=True,
        no_log=True,  # what people write each other does not belong into the host's syslog
    )
    run_send(module)


if __name__ == "__main__":
    main()
