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
  - Takes all files of a service, lays them out in a private directory (the stage), builds and validates them there,
    puts every file in place by rename, makes the service use them and checks its health.
  - If a step fails, every file is put back with owner, mode and SELinux context, and the previous files are activated
    again. This needs no free disk space.
  - A run that was interrupted at any moment is finished or undone by the next run.
  - If no file differs and the service is healthy, nothing is done. If no file differs and the service is not healthy,
    the files are activated again.
  - Commands run with umask 022, in English and with the directories of the system in C(PATH), whatever the login on the
    host sets.
  - A manifest in C(/var/lib/mailops/NAME) lists the files that the transaction owns, and the states of its units before
    the first run. The original of each file, as it was before the first run, is kept beside it in the directory
    C(.mailops-NAME), which only root can enter.
extends_documentation_fragment:
  - mailops.smtp._attributes
  - mailops.smtp._config_checks
attributes:
  check_mode:
    support: full
    details:
      - Also builds and validates, in a temporary directory, unless a program for it is not installed yet.
      - A user or group of a file may be missing then, since an earlier task may create it.
  diff_mode:
    support: full
    details:
      - For a file with O(files[].secret), shows only that it changes.
      - For Python programs (C(*.py)), shows a line for each with its digest, unless it was edited on the host.
  idempotent:
    support: full
options:
  name:
    description: Name of the transaction, unique on the host. Letters, digits, C(_) and C(-).
    type: str
    required: true
  state:
    description:
      - V(present) deploys the files.
      - V(absent) restores the originals, and removes files that did not exist before the first run. Each unit is
        enabled or not, and runs or not, as before the first run. O(files), O(directories), O(build) and O(validators)
        are ignored; O(activate), O(health), O(services[].drained) and the O(services) without a unit are used.
      - V(noted) only notes the states of the units in O(services), unless they are known, and never reports a change.
        Use it before a package is installed that provides a unit. A unit that did not exist then is stopped and
        disabled when it is given back.
    type: str
    choices: [present, absent, noted]
    default: present
  files:
    description:
      - All files that the transaction owns. Required for O(state=present).
      - A file of an earlier run that is no longer declared is replaced by its original, or removed if there was none.
      - The declaration takes precedence over an edit on the host since the last run. The diff shows the edit, and
        RV(edited_files) names the file.
      - Only regular files are supported. A symbolic link in the place of a file is refused.
    type: list
    elements: dict
    suboptions:
      path:
        description: Path of the file. Missing directories are created.
        type: path
        required: true
      content:
        description: Content of the file.
        type: str
      secret:
        description: Content of the file that must not be shown, instead of O(files[].content).
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
      - Directories to create if they are missing. An existing directory is not changed.
      - A directory that the transaction created, declared or not, is removed when it is empty and no longer needed.
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
      - Files that a program builds from declared files, such as the lookup tables of a mail server.
      - All are built in the stage, so that they can be validated. A built file is put in place if its source or its
        command changed, or if it is not as the last run left it. The output need not be the same every time.
    type: list
    elements: dict
    default: []
    suboptions:
      command:
        description: Command as a list of words. C({stage}) as in O(validators). Output on standard error is a failure.
        type: list
        elements: str
        required: true
      source:
        description: Path of the declared file to build from. The built file has its owner, group, mode and secrecy.
        type: path
        required: true
      creates:
        description: Path of the built file, without C({stage}).
        type: path
        required: true
  services:
    description:
      - Services that read the files. After a change each is reloaded if that is sufficient, and otherwise restarted.
      - A service that is not healthy before the change, or after a failure of the new files, is restarted.
      - Each entry has either O(services[].unit) or O(services[].restart).
    type: list
    elements: dict
    default: []
    suboptions:
      unit:
        description:
          - Full name of a systemd unit, such as V(named.service). It is enabled, started, and reloaded if it supports
            that. It is healthy if it is enabled and active.
          - Its state before the first run is noted, and restored when the unit is no longer declared, with
            O(state=absent), and when its first run fails. A unit that ran is restarted, so that it reads the previous
            files. A unit that did not run is stopped before its files are removed, so a unit whose unit file is among
            O(files) can be declared too.
          - Systemd is reloaded if a unit file changes.
          - A masked unit is refused.
        type: str
      drained:
        description:
          - Commands, each as a list of words, that succeed if nothing is lost when the unit stops. They run with
            O(state=absent), for a unit that did not run before the first run. The output of a failing command is the
            reason that the task reports.
          - They run before anything is touched, and again after the unit has stopped. If they fail then, everything is
            put back and the unit is started again.
        type: list
        elements: list
        default: []
      reload:
        description:
          - Command as a list of words that makes the running service read its files again.
          - If it is omitted, every change restarts the service.
        type: list
        elements: str
      restart:
        description:
          - Command as a list of words that restarts the service, or starts it if it is not running.
          - In an undo, it does not run if none of the files that it reads was there before. If it fails, the other
            services are activated all the same.
        type: list
        elements: str
      files:
        description: Files that the service reads, or their directories. If omitted, all files.
        type: list
        elements: path
        default: []
      restart_files:
        description: Files, or their directories, whose changes need a restart.
        type: list
        elements: path
        default: []
      restart_lines:
        description: Regular expression for lines whose changes need a restart, in any file that the service reads.
        type: str
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

- name: Deploy the configuration of a mail server, tried before it goes live
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

- name: Deploy a lookup table, built and swapped with its source
  mailops.smtp.config_transaction:
    name: tables
    files:
      - path: /etc/postfix/virtual
        content: "{{ lookup('ansible.builtin.template', 'virtual.j2') }}"
    build:
      - command: [postmap, "lmdb:{stage}/etc/postfix/virtual"]
        source: /etc/postfix/virtual
        creates: /etc/postfix/virtual.lmdb

- name: Restore the files and units as they were before the first run
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
  description: Paths of files no longer declared that were, or would be, removed or replaced by their originals.
  type: list
  elements: str
  returned: once the files could be compared
edited_files:
  description:
    - Paths of those files that were edited or removed on the host since the last run. In check mode, each is a warning
      that begins with C(drift:).
  type: list
  elements: str
  returned: once the files could be compared
given_back:
  description: Units no longer declared, with the state before the first run that was, or would be, restored.
  type: dict
  returned: once the files could be compared
  sample: {named.service: disabled stopped}
drift:
  description:
    - What was in force and did not follow the files, a sentence for each entry of O(activate) that can be asked.
    - Each is a warning, too.
  type: list
  elements: str
  returned: success
  sample: [The rules in force in nftables are not those of the files.]
recovered:
  description: Whether an incomplete earlier run was, or would be, finished or undone.
  type: bool
  returned: once the files could be compared
seconds:
  description: Seconds spent in each step, by name of the step. Steps that were not needed are omitted.
  type: dict
  returned: once the options are valid
  sample: {lock: 0.001, plan: 0.002, stage: 0.02, validate: 0.31, prepare: 0.03, swap: 0.01, activate: 0.4, health: 0.1}
proof_hops:
  description: The hops of the message of O(proof), as RV(mailops.smtp.postfix_info#module:hops).
  type: list
  elements: dict
  returned: when the message was sent
outcome:
  description:
    - How a failed run left the host, as one of a few words that a pipeline can act on.
    - V(untouched) and V(put back) mean that the host is as before. V(unhealthy) and V(unproved) mean that the new files
      are live, and the service or the message of O(proof) fails. V(not active), V(not back) and V(not cleared) mean
      that the next run has something to repair.
  type: str
  returned: on failure
  sample: put back
step:
  description:
    - The step that failed, one of V(options), V(lock), V(plan), V(note), V(drained), V(stage), V(build), V(validate),
      V(prepare), V(release), V(swap), V(activate), V(health), V(prove), V(committed), or one of the steps that clean up
      after a run.
  type: str
  returned: on failure
failed_file:
  description: Path of the first file in which a validator or another program found a problem, if it named one.
  type: str
  returned: on failure
failed_line:
  description: Line in RV(failed_file), counted from 1, if one is known.
  type: int
  returned: on failure
msg:
  description:
    - What failed and whether everything was put back, or why check mode could not validate.
    - For O(validators[].postfix), a line for each problem with file, line, parameter, Postfix's message and what to do.
  type: str
  returned: on failure, and in check mode if a program for building or validating is not installed yet
"""

from ..module_utils._module.config_options import ARGUMENTS, REQUIRED_IF
from ..module_utils._module.config_transaction import run_transaction
from ..module_utils._module.secrets import DiscreetModule


def main() -> None:
    module = DiscreetModule(argument_spec=ARGUMENTS, required_if=REQUIRED_IF, supports_check_mode=True)
    run_transaction(module)


if __name__ == "__main__":
    main()
