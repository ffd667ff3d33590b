#!/usr/bin/python
# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send messages by SMTP."""

from __future__ import annotations

DOCUMENTATION = r"""
module: smtp_send
short_description: Send messages by SMTP
version_added: 0.1.0
author:
  - The mailops.smtp authors (@mailops)
description:
  - Sends one or many messages and reports the status of each message for each of its recipients.
  - By default, the server's certificate is verified, and credentials are never sent without TLS.
  - All messages are composed and checked before a connection is opened.
  - The task fails if a message was not accepted for all of its recipients, unless O(partial) allows it. The result
    lists the status of each recipient.
  - Accepts all parameters of M(community.general.mail). Certificates are verified, and some defaults are stricter.
extends_documentation_fragment:
  - mailops.smtp._attributes
  - mailops.smtp._attributes.actiongroup_smtp
  - mailops.smtp._smtp_server
  - mailops.smtp._smtp_oauth
  - mailops.smtp._smtp_message
  - mailops.smtp._smtp_mailing
attributes:
  check_mode:
    support: full
    details: Composes and validates all messages and returns a preview. Opens no connection unless O(check) is set.
  diff_mode:
    support: full
    details: Returns the first 20 messages as they are sent. Ansible's default callback displays a diff only for a task
      that changed something; use C(-v) to see them.
  idempotent:
    support: partial
    details: With O(journal), the next run sends only the remaining messages. Without it, each run sends all messages.
options:
  messages_file:
    description:
      - File with messages, in UTF-8, instead of O(messages). On the controller, unless O(remote_src=true).
      - A CSV file has a header row. A column with the name of a message option, in any case, sets that option unless
        the cell is empty; all other columns are variables. For lists and mappings, a cell may contain JSON. The
        delimiter is a comma, a semicolon, a tab or a bar, or that of a first line such as V(sep=;).
      - A JSON Lines file has one object per line, with the options of a message; all other keys are variables.
      - The task's own options apply to all rows that do not set them, and may use the row's variables; see O(vars).
        Rows of a file on the controller may name files and templates on the controller.
    type: path
  messages_format:
    description: Format of O(messages_file). If not set, the file name's suffix determines it.
    type: str
    choices: [csv, jsonl]
  remote_src:
    description:
      - Whether files are on the host that sends (V(true)) or on the controller (V(false)).
      - If not set, attachments are on the host, as with M(community.general.mail), and all other files on the
        controller.
    type: bool
  check:
    description:
      - Opens a session up to this stage and ends it with QUIT, without sending a message. Also in check mode.
      - V(recipients) checks whether the server would accept each recipient.
    type: str
    choices: [connect, login, recipients]
  partial:
    description:
      - Whether the task fails, warns or succeeds if a message was accepted for only some recipients.
      - If no message was accepted for any recipient, the task fails in any case.
    type: str
    choices: [fail, warn, ok]
    default: fail
  results:
    description:
      - Which messages are returned in RV(messages).
      - V(all) returns all messages, V(open) those with a recipient whose status is not V(sent), at most 1000. V(auto)
        is V(all) for up to 1000 messages and V(open) for more.
      - With V(auto), a task that fails returns only what failed, because Ansible prints all of it - the first 20 of
        these messages, without RV(recipients[].advice) and RV(sessions). Set V(open) or V(all) to use these values in
        C(rescue).
    type: str
    choices: [auto, all, open]
    default: auto
notes:
  - During a task with more than 200 messages, lines of progress show what was sent, the rate and the remaining time;
    with O(messages_per_minute) from two messages on, with O(provider) from eleven; not with C(async).
  - RV(ignore:changed) is always V(false). Sending a message changes nothing on the host, so a play that only sends
    mail does not report a change.
seealso:
  - module: community.general.mail
  - plugin: mailops.smtp.smtp_provider
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Notify the team
  mailops.smtp.smtp_send:
    provider: gmail
    username: deploy@example.com
    password: "{{ vault_app_password }}"
    from: Deploy <deploy@example.com>
    to: ops@example.com
    subject: "{{ inventory_hostname }} is up to date"
    body: Nothing to do.

- name: Send a report with attachments once, from the controller
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

- name: Send many messages over four connections and retry deferred ones
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

- name: Send a mailing that the next run can finish if this one is interrupted
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

- name: Write to each person in people.csv, which has the columns to, name and amount
  mailops.smtp.smtp_send:
    host: smtp.example.com
    tls: starttls
    from: Accounts <accounts@example.com>
    subject: "{{ name }}, your invoice"
    messages_file: people.csv
    body_template: reminder.txt.j2  # Dear {{ name }}, please pay {{ amount }}.
    html_template: reminder.html.j2  # <p>Dear {{ name | e }}, please pay {{ amount | e }}.</p>
    attachments:
      - path: terms.pdf
        remote_src: false
  delegate_to: localhost
  run_once: true

- name: Check the login and whether the recipient would be accepted, without sending a message
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
  description: The outcome as a sentence.
  type: str
  returned: always
message_id:
  description: The C(Message-ID) of the message, with angle brackets.
  type: str
  returned: when the message was composed
  sample: <6740a1b2.0a1b2c3d4e5f60718293@example.com>
size:
  description: Size of the message in octets.
  type: int
  returned: when the message was composed
queue_id:
  description: The server's queue ID for the message, if its reply contains one.
  type: str
  returned: when the message was composed
  sample: 4XyZ1234abcd
recipients:
  description:
    - The result for each recipient of the message.
    - Empty if the message was not tried, for example because the login was refused.
    - If the task fails and O(results=auto), a message with more than 10 recipients lists only those that did not get
      it, and at most 20.
  type: list
  elements: dict
  returned: when the message was composed
  contains:
    address:
      description: The recipient.
      type: str
    status:
      description: V(sent), V(refused), V(deferred) (not accepted, may be retried) or V(unknown) (the connection was
        lost between the end of the message and the reply to it).
      type: str
    stage:
      description: The stage of the session that decided the status.
      type: str
    code:
      description: The code of the server's reply.
      type: int
    enhanced_code:
      description: The enhanced status code of the reply.
      type: str
      sample: 5.1.1
    text:
      description: The text of the reply; without a reply, what is wrong.
      type: str
      returned: unless the task fails with O(results=auto) and without O(messages) and O(messages_file); then RV(result)
        has it
    advice:
      description: What to do about it; empty if sent.
      type: str
      returned: unless the task fails with O(results=auto); then RV(msg) has it
result:
  description:
    - The recipients that did not get the message, each with code and text of the reply; empty if all of them got it.
    - M(community.general.mail) returns the same.
  type: dict
  returned: without O(messages) and O(messages_file), when the message was tried
  sample: {"unknown@example.com": [550, "5.1.1 User unknown"]}
attempts_made:
  description:
    - Number of attempts; 0 if the message was not tried, or if, according to O(journal), an earlier run sent it.
    - Ansible itself returns C(attempts) for a task with C(until).
  type: int
  returned: when the message was composed
messages:
  description:
    - RV(message_id), RV(size), RV(queue_id), RV(attempts_made), RV(recipients) and, in check mode, RV(preview) of each
      message that O(results) selects, in the order of the messages.
  type: list
  elements: dict
  returned: with O(messages) or O(messages_file)
  contains:
    index:
      description: Position of the message among all messages, from 0.
      type: int
messages_left_out:
  description: Number of messages that did not reach every recipient and are not in RV(messages), also those that were
    not tried.
  type: int
  returned: with O(messages) or O(messages_file), when the server was reached
preview:
  description: Envelope and content as they would be sent, up to 400 lines, with attachments shortened; for the first 20
    messages.
  type: str
  returned: in check mode
summary:
  description: Number of recipients by status.
  type: dict
  returned: with O(messages) or O(messages_file), when the server was reached
  sample: {"sent": 9998, "refused": 1, "deferred": 1, "unknown": 0}
sessions:
  description: All connections to the server, in the order of their ends.
  type: list
  elements: dict
  returned: when the server was reached, unless the task fails with O(results=auto)
  contains:
    server:
      description: Host and port as given.
      type: str
    address:
      description: The address that was connected to.
      type: str
    tls_version:
      description: TLS version; null without TLS.
      type: str
    tls_cipher:
      description: Cipher suite.
      type: str
    tls_verified:
      description: Whether the certificate was verified against the trusted authorities and the host name. Not for
        O(validate_certs=false), nor for a server on the sending host with O(tls=opportunistic).
      type: bool
    certificate_subject:
      description: Subject of the server's certificate; null without TLS, empty if it was not verified.
      type: str
      sample: CN=smtp.example.com
    certificate_expires:
      description: When the certificate expires.
      type: str
      sample: Nov 22 10:00:00 2027 GMT
    certificate_sha256:
      description: SHA-256 digest of the certificate, in the form of O(pinned_certificates).
      type: str
    auth_mechanism:
      description: Mechanism of the login; null without a login.
      type: str
    messages:
      description: Number of messages sent over the connection.
      type: int
    round_trips:
      description: Number of round trips, each a wait for a reply.
      type: int
    seconds:
      description: Duration of the connection in seconds.
      type: float
stage:
  description: The stage of the session that failed; V(compose) if no connection was opened.
  type: str
  returned: on failure
  sample: auth
server:
  description: Host and port as given.
  type: str
  returned: when the session could not be opened, and cannot be until something is corrected
code:
  description: The code of the reply that ended the session; null if no reply did.
  type: int
  returned: when the session could not be opened, and cannot be until something is corrected
enhanced_code:
  description: The enhanced status code of that reply.
  type: str
  returned: when the session could not be opened, and cannot be until something is corrected
text:
  description: The text of that reply.
  type: str
  returned: when the session could not be opened, and cannot be until something is corrected
"""

from ..module_utils._mailing import handover
from ..module_utils._module.secrets import DiscreetModule
from ..module_utils._module.send import SEND_SPEC, run_send
from ..module_utils._module.server import hide_passwords


class SendModule(DiscreetModule):
    """Takes what the action plugin hands over out of the arguments, before Ansible checks them for unknown options."""

    def _load_params(self) -> None:
        super()._load_params()
        self.handed = handover.take(self.params)
        hide_passwords(self, self.params)


def main() -> None:
    module = SendModule(**SEND_SPEC, supports_check_mode=True)
    module.params.update(module.handed)
    run_send(module)


if __name__ == "__main__":
    main()
