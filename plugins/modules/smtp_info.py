#!/usr/bin/python
# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Walk through an SMTP server step by step, and tell why mail does not go."""

from __future__ import annotations

DOCUMENTATION = r"""
module: smtp_info
short_description: Find out step by step why mail does not go
version_added: 0.1.0
author:
  - The mailops.smtp authors (@mailops)
description:
  - Asks an SMTP server the questions of a client, one after the other, and returns for each step what became of it, how
    long it took, and what the server said. For the first step that does not pass it says why, and what to do.
  - The steps are the name, a connection to each of its addresses, greeting, EHLO, STARTTLS or implicit TLS, the
    certificate, EHLO in TLS, and, as far as the options ask for them, the login, a wrong login, sender, recipient and
    a test message.
  - It has the options, the presets of providers and the advice of M(mailops.smtp.smtp_send), and does what that module
    would do. So the task that fails needs no other options here.
  - A time-out, a lost connection and a reply of class 4yz, such as 421 or greylisting, are not known rather than
    failed - another time it may be otherwise.
  - It makes at most six connections to the port unless O(probe_connections) allows more, waits for the greeting, and
    tries the login once.
  - If no address accepts a connection, it also connects to the other ports of O(provider), or to 587, 465 and 2525,
    and returns which one would do. It sends nothing there.
extends_documentation_fragment:
  - mailops.smtp._attributes
  - mailops.smtp._attributes.actiongroup_smtp
  - mailops.smtp._smtp_server
  - mailops.smtp._smtp_oauth
attributes:
  check_mode:
    support: full
    details: Asks the same, but sends no message. The active test V(smuggling) is left out.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: Changes nothing. With O(test_message=true), each run sends a message.
options:
  sender:
    description:
      - Address to try as the sender of a message, which is not sent. V(<>) is the null sender.
      - Many servers refuse a sender only when they are told a recipient. So without O(recipient), the address is tried
        as its own recipient; only a reply about the sender counts.
      - By default O(username), if that is an address.
    type: str
    aliases: [from]
  recipient:
    description: Address to try as the recipient of a message, which is not sent unless O(test_message=true).
    type: str
    aliases: [to]
  test_message:
    description: Whether to send a test message from O(sender) to O(recipient).
    type: bool
    default: false
  wrong_login:
    description:
      - Whether to try a random secret as well, on a connection of its own, after all other steps. The step passes if
        the server refuses it.
      - Providers count refused logins, and may lock the account or refuse this host for a time.
    type: bool
    default: false
  probes:
    description:
      - Active tests to make after the steps, if the server accepts a connection, whether or not all steps passed. What
        they find is in RV(evidence.facts), and does not change RV(passed).
      - Only for servers that you may test. A provider may block a client that tries them.
    type: list
    elements: str
    choices:
      banner: Product names and versions in the greeting.
      auth_before_tls: Whether a login can begin before TLS.
      commands: VRFY, EXPN, ETRN, HELP, DSN, XFORWARD and XCLIENT.
      size: The limit for messages, and a message of one octet more.
      injection: Commands in clear behind STARTTLS, and what the server remembers.
      relay: The 22 open-relay variants. Needs O(probe_sink); sends messages only with O(probe_messages).
      smuggling: False ends of data with a second message behind them. Sends messages.
      login_replies: A wrong password for O(username) and one for an unknown user, each once.
      tls: TLS versions and weak cipher suites.
      early_talk: EHLO before the greeting.
      rate: Limits of connections, messages and errors, by a bounded number of attempts.
    default: []
  probe_sink:
    description:
      - Address that the server is not responsible for, and you are. Relayed messages go there.
    type: str
    default: ""
  probe_recipient:
    description: Recipient of the server itself, for tests that need one.
    type: str
    default: postmaster
  probe_messages:
    description: Whether to send a message to O(probe_sink) by each variant of V(relay) that the server accepts at RCPT.
    type: bool
    default: false
  probe_connections:
    description:
      - How many connections the active tests may open. By default, what the steps left of six.
      - What could not be seen for want of a connection is in RV(evidence.unknown).
    type: int
  on_problem:
    description: What to do if a step does not pass. The result is the same in each case.
    type: str
    choices:
      report: Return it in RV(passed) and RV(msg).
      warn: Show RV(msg) as a warning.
      fail: The task fails.
    default: report
seealso:
  - module: mailops.smtp.smtp_send
  - module: mailops.smtp.mail_port_info
  - plugin: mailops.smtp.smtp_provider
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Find out why the provider does not accept mail
  mailops.smtp.smtp_info:
    provider: gmail
    username: deploy@example.com
    password: "{{ vault_app_password }}"
  register: mail
  delegate_to: localhost

- name: Show the checklist
  ansible.builtin.debug:
    var: mail.checklist

- name: Stop the pipeline if the relay would not take mail for the team
  mailops.smtp.smtp_info:
    host: relay.example.com
    port: 587
    tls: starttls
    username: app@example.com
    password: "{{ vault_smtp_password }}"
    sender: app@example.com
    recipient: ops@example.com
    on_problem: fail

- name: See which certificate a server has, and when it expires
  mailops.smtp.smtp_info:
    host: mx.example.com
    port: 25
    tls: starttls
  register: mx

- name: Fail thirty days before it expires
  ansible.builtin.assert:
    that: mx.evidence.facts.tls.chain[0].not_after > in_thirty_days
    fail_msg: The certificate expires on {{ mx.evidence.facts.tls.chain[0].not_after }}.
  vars:
    in_thirty_days: "{{ '%Y-%m-%dT%H:%M:%SZ' | strftime(now().timestamp() + 30 * 86400, utc=true) }}"

- name: Send a test message, and make sure that a wrong password is refused
  mailops.smtp.smtp_info:
    host: smtp.example.com
    tls: starttls
    username: deploy@example.com
    password: "{{ vault_smtp_password }}"
    recipient: me@example.com
    test_message: true
    wrong_login: true

- name: See from outside whether a relay of your own takes mail for strangers
  mailops.smtp.smtp_info:
    host: relay.example.com
    port: 25
    probes: [auth_before_tls, commands, relay]
    probe_sink: me@elsewhere.example
"""

RETURN = r"""
msg:
  description: The outcome as a sentence; for the first step that did not pass, why, and what to do.
  type: str
  returned: always
  sample: "smtp.example.com:587: every step passed."
passed:
  description: Whether every step that was asked for passed.
  type: bool
  returned: when the options can be used
  sample: true
stopped_at:
  description: The first step that did not pass; null if all did.
  type: str
  returned: when the options can be used
  sample: login
steps:
  description: What became of each step, in their order. TLS from the first byte comes before the greeting.
  type: list
  elements: dict
  returned: when the options can be used
  contains:
    step:
      description: V(name), V(connect), V(greeting), V(ehlo), V(starttls), V(tls), V(ehlo in tls), V(login),
        V(sender), V(recipient), V(message) or V(wrong login).
      type: str
      sample: tls
    state:
      description: V(passed); V(failed); V(unknown) after a time-out, a lost connection or a reply of class 4yz;
        V(not reached) if an earlier step did not pass.
      type: str
      sample: passed
    milliseconds:
      description: How long it took; null if it was not reached.
      type: float
      sample: 23.4
    code:
      description: The code of the server's reply; null without one.
      type: int
      sample: 535
    enhanced_code:
      description: The enhanced status code of the reply.
      type: str
      sample: 5.7.8
    text:
      description: The text of the reply.
      type: str
      sample: Authentication failed
    problem:
      description: What is wrong, as a sentence; empty if it passed.
      type: str
      sample: ""
    advice:
      description: What to do; empty if it passed.
      type: str
      sample: ""
checklist:
  description: The steps as lines for people, each with a mark and its time. The first that did not pass has what to do.
  type: list
  elements: str
  returned: when the options can be used
  sample:
    - "[ok] Name: smtp.example.com has the address 192.0.2.1. (3 ms)"
    - "[ok] Network: port 587 of 192.0.2.1 accepts connections. (12 ms)"
    - "[ok] Firewall of this host: it lets the connection out."
certificate_accepted_by:
  description:
    - Options by which a certificate that was refused would be accepted, each on its own; empty if it was not refused.
    - C(pinned_certificates) is its digest, for O(pinned_certificates) with O(validate_certs=false).
      C(tls_server_name) lists its names, if only the name is wrong. C(ca_file) says which certificate O(ca_file) would
      need, if only its authority is unknown.
  type: dict
  returned: when the options can be used
  sample: {"tls_server_name": ["mail.example.com"]}
evidence:
  description:
    - What was seen, with its date and the addresses of this host that were used, as a document that can be saved and
      compared. It holds facts, never a verdict, no secret, and nothing of a message.
    - A fact is null if it was not asked for, or could not be seen; then RV(evidence.unknown) has the reason.
  type: dict
  returned: when the options can be used
  contains:
    kind:
      description: Always V(smtp).
      type: str
      sample: smtp
    subject:
      description: Host and port as given.
      type: str
      sample: smtp.example.com:587
    seen_at:
      description: When the questions began, in UTC (RFC 3339).
      type: str
      sample: "2026-11-28T12:00:00Z"
    seconds:
      description: How long they took.
      type: float
      sample: 0.4
    seen_from:
      description: Name of the host that asked, and the addresses from which it connected.
      type: dict
      sample: {"host": "client", "addresses": ["192.0.2.9"]}
    facts:
      description:
        - What was seen. C(addresses); C(connections) with one for each address; C(address) of the session; C(greeting);
          C(ehlo), C(starttls), C(tls) with its certificates, and C(ehlo_in_tls); C(login) and C(wrong_login);
          C(sender), C(recipient) and C(message); C(other_ports), C(firewall_refuses), C(connections_made); C(probes),
          with a fact for each of O(probes).
      type: dict
    unknown:
      description: What could not be seen, each with the path of the fact and the reason.
      type: list
      elements: dict
      sample: [{"path": "recipient", "reason": "The server does not accept the recipient at the moment."}]
    version:
      description: Version of the document.
      type: int
      sample: 1
"""

from ..module_utils._module.secrets import DiscreetModule
from ..module_utils._module.server import hide_passwords
from ..module_utils._module.smtp_info import INFO_SPEC, run_info


class InfoModule(DiscreetModule):
    """Hides the passwords in the arguments before Ansible checks them."""

    def _load_params(self) -> None:
        super()._load_params()
        hide_passwords(self, self.params)


def main() -> None:
    module = InfoModule(**INFO_SPEC, supports_check_mode=True)
    run_info(module)


if __name__ == "__main__":
    main()
