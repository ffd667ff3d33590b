# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The new files laid out below a root of their own, built and validated there."""

from __future__ import annotations

import os
import typing as t

from . import disk
from .model import Steps, TransactionError, WantedFile, digest_of
from .plan import Plan


class Host(t.Protocol):
    """What a transaction has others do. Each raises :class:`TransactionError` with a sentence when it cannot."""

    def label(self, path: str, live: str) -> None:
        """Give ``path`` the security context that the host's policy has for ``live``."""

    def build(self, stage: str) -> None:
        """Make the files that no one wrote, below ``stage``."""

    def validate(self, stage: str, removed: t.Collection[str]) -> None:
        """Judge the files below ``stage``.

        :param removed: paths that will no longer be there.
        """

    def states(self, names: t.Collection[str]) -> dict[str, str]:
        """The state of each of these, before the transaction has touched any of them: a word to be kept."""

    def require_drained(self, first: t.Mapping[str, str]) -> None:
        """Ask whether nothing would be lost if these had their first state again."""

    def release(self, first: t.Mapping[str, str]) -> None:
        """Stop those of them that did not run at first. They still have their files, and these are about to go.

        It comes before :meth:`activate`, which gives them the rest of their first state.
        """

    def activate(self, plan: Plan, unsettled: t.Collection[str], back: bool) -> None:
        """Make the services use the files, and give back those that no longer do; :meth:`.Plan.duties` says which.

        :param unsettled: paths of which a service may use a content that nobody knows any more.
        :param back: whether the old files have just been put back.
        """

    def check(self, plan: Plan, back: bool) -> None:
        """Ask whether the services are well, and whether those given back are as they were."""


def lay_out(root: str, plan: Plan, host: Host, step: Steps) -> dict[str, str]:
    """Write, build and validate all files below ``root``, each under its full path, with the originals that come back.

    :param root: a directory only the caller can enter: some of the files hold secrets.
    :return: digests of the files that were built.
    :raises TransactionError: one step failed.
    """
    for wanted in plan.files:
        with step("stage", wanted.path):
            os.makedirs(os.path.dirname(root + wanted.path), exist_ok=True)
            if wanted.content is not None:
                ids = disk.owner_ids(wanted.path, wanted.owner, wanted.group)
                disk.write_new(root + wanted.path, wanted.content, wanted.mode, *ids)
                _label(root + wanted.path, wanted.path, host)
    for path, original in plan.restored.items():
        with step("stage", path):
            os.makedirs(os.path.dirname(root + path), exist_ok=True)
            disk.write_new(root + path, original.content, original.mode, original.uid, original.gid)
    with step("build"):
        host.build(root)
    built = {}
    for wanted in plan.files:
        if wanted.content is None:
            with step("build", wanted.path):
                built[wanted.path] = _take_over(root + wanted.path, wanted, host)
    with step("validate"):
        host.validate(root, plan.removed)
    return built


def _take_over(path: str, wanted: WantedFile, host: Host) -> str:
    present = disk.read_present(path)
    if present is None:
        raise TransactionError(f"no build command made {wanted.path}")
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fchown(descriptor, *disk.owner_ids(wanted.path, wanted.owner, wanted.group))
        os.fchmod(descriptor, wanted.mode)
        _label(path, wanted.path, host)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return digest_of(present.content)


def _label(path: str, live: str, host: Host) -> None:
    """A file keeps the context of the one it replaces; a new one gets what the policy says."""
    if os.path.lexists(live):
        disk.set_label(path, disk.label_of(live))
    else:
        host.label(path, live)
