#!/usr/bin/python
# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploy a set of configuration files as one transaction."""

from __future__ import annotations

DOCUMENTATION = r"""
module: config_transaction
short_description: Deploy a set of configuration files as one transaction
version_added: 0.1.0
author:
  - The mailops.smtp authors (@mailops)
description:
  - Takes all files of a service at once, lays them out in a private directory, builds and validates there, puts every
    file in its place by rename, makes the service use them and checks its health.
  - When any step fails, every file is put back, with owner, mode and SELinux context, and the service is activated
    again with the old ones. That needs no free disk space.
  - A run that was killed at any moment is finished or undone by the next one.
  - When nothing differs and the service is healthy, nothing is done. When nothing differs and it is not healthy, the
    files are activated again.
  - A manifest in C(/var/lib/mailops/NAME) says which files the transaction owns, and how its units were before. What
    was there before its first run is kept beside each file, in the directory C(.mailops-NAME) that only root can enter.
extends_documentation_fragment:
  - mailops.smtp._attributes
attributes:
  check_mode:
    support: full
    details: Builds and validates too, in a temporary directory, unless the programs for it are not installed yet.
  diff_mode:
    support: full
    details: Of a file given as O(files[].secret) only shows that it changes.
  idempotent:
    support: full
options:
  name:
    description: Name of the transaction, unique on the host, of letters, digits, C(_) and C(-).
    type: str
    required: true
  state:
    description:
      - V(present) deploys the files.
      - V(absent) puts back what was there before the first run, and removes what was not. Each unit is enabled or not,
        and runs or not, as it did then. O(files), O(directories), O(build) and O(validators) are not used then;
        O(activate) and O(health) are, and of O(services) those without a unit, and O(services[].drained).
      - V(noted) only remembers how the units in O(services) are, unless that is known, and is no change. It is for the
        time before a package is installed that brings them. A unit that was not there is stopped and disabled when it
        is given back.
    type: str
    choices: [present, absent, noted]
    default: present
  files:
    description:
      - The files, all that the transaction owns. Required for O(state=present).
      - A file of an earlier run that is no longer declared gives way to what was there before the first run, or is
        removed where there was none.
      - What is declared wins over a file that somebody edited since the last run. The diff shows the edit, and
        RV(edited_files) names the file.
      - A file is a regular file. A symbolic link in its place is refused.
    type: list
    elements: dict
    suboptions:
      path:
        description: Where the file belongs. Missing directories are made.
        type: path
        required: true
      content:
        description: What it holds.
        type: str
      secret:
        description: What it holds, in place of O(files[].content), when it may never be shown.
        type: str
      mode:
        description: Permission bits in octal, in quotes.
        type: raw
        default: "0644"
      owner:
        description: User it belongs to.
        type: str
        default: root
      group:
        description: Group it belongs to.
        type: str
        default: root
  directories:
    description:
      - Directories to make where they are missing. One that is there is left as it is.
      - One that the transaction made, declared or not, is removed when it is no longer needed and empty.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Path of the directory.
        type: path
        required: true
      mode:
        description: Permission bits in octal, in quotes. A directory that is not declared gets V(0755).
        type: raw
        default: "0755"
      owner:
        description: User it belongs to.
        type: str
        default: root
      group:
        description: Group it belongs to.
        type: str
        default: root
  build:
    description:
      - Files that a program makes from declared files, such as the lookup tables of a mail server.
      - All are built in the stage, so that they can be validated. A built file is put in place when its source or its
        command changed, or when it is not as the last run left it. It need not come out the same every time.
    type: list
    elements: dict
    default: []
    suboptions:
      command:
        description: Command as a list of words. C({stage}) as in O(validators). A word on standard error is a failure.
        type: list
        elements: str
        required: true
      source:
        description: Path of the declared file that it is built from. Owner, group, mode and secrecy are the same.
        type: path
        required: true
      creates:
        description: Path of the file that is built, without C({stage}).
        type: path
        required: true
  validators:
    description:
      - What must accept the files before anything is changed, in this order. Each entry names one kind of validator.
    type: list
    elements: dict
    default: []
    suboptions:
      command:
        description:
          - Command as a list of words, that must succeed.
          - C({stage}) stands for the directory below which all files are laid out under their full paths.
          - A command that writes to standard error has found something and counts as failed.
        type: list
        elements: str
      postfix:
        description:
          - Tries a Postfix configuration. C(postfix check) passes a missing key, a misspelled restriction and an open
            relay; this finds them.
          - Postfix's own tools read it. Then it is started beside the live Postfix, on no port and with a queue of its
            own, and each of its listeners is asked over SMTP. Mail goes on meanwhile, and none is sent.
          - What is in the directory and no file of this transaction belongs to the configuration too.
          - Needs root. Takes 0.4 to 3 seconds.
        type: dict
        suboptions:
          config_directory:
            description: Directory of C(main.cf) and C(master.cf).
            type: path
            default: /etc/postfix
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
        description: Command as a list of words, that must succeed.
        type: list
        elements: str
      firewall:
        description:
          - Makes the firewall follow its files. A file that exists means rules, a file that does not exist means none.
          - The files are C(/etc/firewalld/policies/relay.xml), C(/etc/ufw/relay.rules), and
            C(/etc/nftables.d/relay.nft) with C(/etc/systemd/system/relay-firewall.service). The role
            C(mailops.smtp.relay) writes those of the backend that M(mailops.smtp.mail_firewall_info) chooses.
          - The service is healthy when the rules in force are those of the files. Otherwise they are applied again, and
            check mode reports a change.
          - Rules of others are not touched. firewalld is reloaded once, when it does not know the policy yet.
          - It has no options.
        type: dict
  services:
    description:
      - Services that read the files. After a change each is reloaded where that suffices, and restarted where it must.
      - A service that is not healthy before, or not healthy with the old files after a reload, is restarted.
      - Each entry has either O(services[].unit) or O(services[].restart).
    type: list
    elements: dict
    default: []
    suboptions:
      unit:
        description:
          - Full name of a unit of systemd, such as V(named.service). It is enabled, started, and reloaded where that
            can be done. It is healthy when it is enabled and active.
          - How it was before the first run is remembered. It gets that state again when it is no longer declared, with
            O(state=absent), and when its first run fails. One that ran is restarted then, so that it reads the files
            that came back. One that did not run is stopped while its files are still there, so a unit whose own file
            is among O(files) can be declared too.
          - Systemd is told when a file of a unit changes.
          - A unit that is masked is refused.
        type: str
      drained:
        description:
          - For O(state=absent) and a unit that did not run before the first run. Commands, each as a list of words,
            that succeed when nothing would be lost with it. What a failing one says is the reason that the task gives.
          - They are asked before anything is touched, and again when the unit has been stopped, for what came in
            between. Then a failure puts everything back and starts the unit again.
        type: list
        elements: list
        default: []
      reload:
        description:
          - Command as a list of words that makes the running service read its files again.
          - Without it every change restarts.
        type: list
        elements: str
      restart:
        description: Command as a list of words that starts the service anew, or for the first time.
        type: list
        elements: str
      files:
        description: Files that it reads, or directories they are in. All files when not given.
        type: list
        elements: path
        default: []
      restart_files:
        description: Files, or directories they are in, whose change a reload does not reach.
        type: list
        elements: path
        default: []
      restart_lines:
        description: Regular expression for lines whose change a reload does not reach, in any of its files.
        type: str
  health:
    description:
      - Commands, each as a list of words, that succeed when the service is healthy. They change nothing.
      - O(activate[].firewall) is asked too, without a command here.
    type: list
    elements: list
    default: []
  explain:
    description:
      - Commands, each as a list of words, whose output tells why the service did not take the new files, such as the
        end of its log. Run only then.
    type: list
    elements: list
    default: []
"""

EXAMPLES = r"""
- name: Deploy the configuration of the name server
  mailops.smtp.config_transaction:
    name: nameserver
    files:
      - path: /etc/bind/named.conf.local
        content: "{{ lookup('ansible.builtin.template', 'named.conf.local.j2') }}"
      - path: /etc/bind/transfer.key
        secret: "{{ vault_transfer_key }}"
        mode: "0640"
        group: bind
    validators:
      - command: [named-checkconf, "{stage}/etc/bind/named.conf.local"]
    services:
      - unit: named.service
    explain:
      - [journalctl, --no-pager, --lines=10, --unit=named]

- name: The configuration of a mail server, tried before it goes live
  mailops.smtp.config_transaction:
    name: mailserver
    files:
      - path: /etc/postfix/main.cf
        content: "{{ lookup('ansible.builtin.template', 'main.cf.j2') }}"
    validators:
      - postfix: {}
    services:
      - reload: [postfix, reload] # a host without systemd
        restart: [sh, -c, "postfix stop; postfix start"]
        restart_lines: ^(inet_interfaces|inet_protocols)\s*=
    health:
      - [postfix, status]

- name: A table of a mail server, built and swapped with its source
  mailops.smtp.config_transaction:
    name: tables
    files:
      - path: /etc/postfix/virtual
        content: "{{ lookup('ansible.builtin.template', 'virtual.j2') }}"
    build:
      - command: [postmap, "lmdb:{stage}/etc/postfix/virtual"]
        source: /etc/postfix/virtual
        creates: /etc/postfix/virtual.lmdb

- name: Put back what was there before all this
  mailops.smtp.config_transaction:
    name: nameserver
    state: absent
"""

RETURN = r"""
changed_files:
  description: Paths of the declared files that were, or would be, written or built.
  type: list
  elements: str
  returned: once the files could be compared
removed_files:
  description: Paths of files no longer declared, which were, or would be, removed or replaced by what was there first.
  type: list
  elements: str
  returned: once the files could be compared
edited_files:
  description: Those of the two above that somebody changed or removed since the last run.
  type: list
  elements: str
  returned: once the files could be compared
given_back:
  description: Units no longer declared, with the state that each got, or would get, again.
  type: dict
  returned: once the files could be compared
  sample: {named.service: disabled stopped}
recovered:
  description: Whether an earlier run was cut short or could not settle the service, and was or would be mended.
  type: bool
  returned: once the files could be compared
seconds:
  description: Seconds spent in each step, by its name. Steps that were not needed are not there.
  type: dict
  returned: once the options make sense
  sample: {lock: 0.001, plan: 0.002, stage: 0.02, validate: 0.31, prepare: 0.03, swap: 0.01, activate: 0.4, health: 0.1}
step:
  description:
    - The step that failed, one of V(options), V(lock), V(plan), V(note), V(drained), V(stage), V(build), V(validate),
      V(prepare), V(release), V(swap), V(activate), V(health), V(committed), or one of the steps that clear away what a
      run left.
  type: str
  returned: on failure
failed_file:
  description: Path of the file that a validator or another program complained of first, where it named one.
  type: str
  returned: on failure
failed_line:
  description: Line in RV(failed_file), counted from 1, where one is to blame.
  type: int
  returned: on failure
msg:
  description:
    - What failed and whether everything was put back, or what could not be validated in check mode.
    - Of O(validators[].postfix) a line for each problem, with file, line, parameter, Postfix's words and what to do.
  type: str
  returned: on failure, and in check mode when a program for building or validating is not installed yet
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._module.config_options import ARGUMENTS, REQUIRED_IF
from ..module_utils._module.config_transaction import run_transaction


class QuietModule(AnsibleModule):
    """Writes nothing into the host's log.

    Ansible would write the parameters there, and masks only those secrets that repr() leaves alone. Its ``no_log`` does
    not serve: the controller sets it anew for each task.
    """

    def log(self, msg, log_args=None) -> None:
        """Nothing: the task's result tells what was done."""


def main() -> None:
    module = QuietModule(argument_spec=ARGUMENTS, required_if=REQUIRED_IF, supports_check_mode=True)
    run_transaction(module)


if __name__ == "__main__":
    main()
