# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of config_transaction that try, activate and prove files. Private: it may change at any time."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  validators:
    description:
      - Checks that must accept the files before anything is changed, in this order. Each entry names one kind of
        validator.
    type: list
    elements: dict
    default: []
    suboptions:
      command:
        description:
          - Command as a list of words. It must succeed.
          - C({stage}) stands for the directory below which all files are laid out under their full paths.
          - A command that writes to standard error counts as failed.
        type: list
        elements: str
      postfix:
        description:
          - Tries a Postfix configuration. It finds a missing key, a misspelled restriction and an open relay, which
            C(postfix check) does not.
          - Postfix's own tools read it. Then it is started beside the live Postfix, on no port and with a queue of its
            own, and each of its listeners is asked over SMTP. The live Postfix keeps delivering mail; the trial
            sends none.
          - Other files in the directory are part of the configuration too.
          - Needs root. Takes 0.4 to 3 seconds.
        type: dict
        suboptions:
          config_directory:
            description: Directory of C(main.cf) and C(master.cf).
            type: path
            default: /etc/postfix
          upstreams:
            description:
              - Servers to connect to, with TLS and login as configured, before the configuration goes live. A server
                that is used in the same way already is not tried again.
              - No message is sent. The server sees a session that ends after RCPT.
            type: list
            elements: dict
            default: []
            suboptions:
              transport:
                description: Name of the service in C(master.cf) that delivers to the server.
                type: str
                required: true
              nexthop:
                description: The server as in a transport table, such as V([smtp.example.com]:587).
                type: str
                required: true
      firewall:
        description:
          - Lets the firewall's own program read those of its files that are declared. The files are the ones that
            O(activate[].firewall) names.
          - It has no options.
        type: dict
  activate:
    description:
      - What makes the files take effect after every change, in this order, before O(services). Each entry names one
        kind of activator.
    type: list
    elements: dict
    default: []
    suboptions:
      command:
        description:
          - Command as a list of words. It must succeed.
          - In an undo, it does not run if it names a file that came with the run, such as its own program, and is gone.
            If it fails, everything else is activated all the same.
        type: list
        elements: str
      firewall:
        description:
          - Makes the firewall enforce the rules in its files, and removes the rules of files that do not exist.
          - The files are C(/etc/firewalld/policies/relay.xml), C(/etc/ufw/relay.rules), and
            C(/etc/nftables.d/relay.nft) with C(/etc/systemd/system/relay-firewall.service). The role
            C(mailops.smtp.relay) writes those of the backend that M(mailops.smtp.mail_firewall_info) chooses.
          - The service is healthy when the rules in force are those of the files. Otherwise they are applied again, and
            check mode reports a change.
          - Other rules are not touched. firewalld is reloaded once, if it does not know the policy yet.
          - It has no options.
        type: dict
  health:
    description:
      - Commands, each as a list of words, that succeed when the service is healthy. They change nothing.
      - O(activate[].firewall) is asked too, without a command here.
    type: list
    elements: list
    default: []
  proof:
    description:
      - A message that is sent to port 25 of this host's loopback address when the services are healthy, and followed
        through Postfix until the next server has accepted it. It is sent in every run, but not in check mode.
      - If it does not get through, the previous files are put back and activated, and the message is removed from the
        queue.
    type: dict
    suboptions:
      to:
        description: Recipient address.
        type: str
        required: true
      from:
        description: Sender address.
        type: str
        required: true
      subject:
        description: Subject.
        type: str
        required: true
      body:
        description: Text of the message.
        type: str
        default: ''
      timeout:
        description: As O(mailops.smtp.postfix_info#module:timeout).
        type: float
        default: 60.0
      on_failure:
        description: V(restore) puts the previous files back. V(keep) leaves the new files live. The task fails anyway.
        type: str
        choices: [restore, keep]
        default: restore
  explain:
    description:
      - Commands, each as a list of words, whose output explains why the service failed with the new files, such as the
        end of its log. They run only after such a failure.
    type: list
    elements: list
    default: []
"""
