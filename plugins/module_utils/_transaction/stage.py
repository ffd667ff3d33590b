# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lay out the new files in the stage, build and validate them there."""

from __future__ import annotations

import os
import typing as t

from . import disk
from .model import Steps, TransactionError, WantedFile, digest_of
from .plan import Plan


class Host(t.Protocol):
    """What a transaction needs from the host. Each method raises :class:`TransactionError` if it fails."""

    def label(self, path: str, live: str) -> None:
        """Give ``path`` the security context that the host's policy has for ``live``."""

    def build(self, stage: str) -> None:
        """Build the files that have no declared content, below ``stage``."""

    def validate(self, stage: str, removed: t.Collection[str]) -> None:
        """Validate the files below ``stage``.

        :param removed: paths that the run removes.
        """

    def states(self, names: t.Collection[str]) -> dict[str, str]:
        """Return the state of each service as a word for the manifest, before the transaction touches any of them."""

    def returned(self, first: t.Mapping[str, str]) -> t.Collection[str]:
        """Return the names of those of these services that are in their first states."""

    def require_drained(self, first: t.Mapping[str, str]) -> None:
        """Require that nothing is lost if these services return to their first states."""

    def release(self, first: t.Mapping[str, str]) -> None:
        """Stop the services that did not run at first, while they still have their files.

        :meth:`activate` restores the rest of their first states after the swap.
        """

    def rest(self, first: t.Mapping[str, str]) -> None:
        """Let services that do not run and did not start at boot at first stay so: a package may have enabled them."""

    def activate(self, plan: Plan, unsettled: t.Collection[str], back: bool) -> None:
        """Make the services use the files, and give back the others; :meth:`.Plan.duties` returns both.

        :param unsettled: paths of which a service may use a content that is no longer known.
        :param back: whether the previous files have just been put back.
        """

    def check(self, plan: Plan, back: bool) -> None:
        """Require that the services are healthy, and that those given back are in their first states."""

    def prove(self) -> None:
        """Require that the healthy services do their work; a failure puts the previous files back."""


def lay_out(root: str, plan: Plan, host: Host, step: Steps) -> dict[str, str]:
    """Write, build and validate all files below ``root``, each under its full path, with the restored originals.

    :param root: a directory that only this user can enter, since files may hold secrets.
    :return: digests of the built files, by path.
    :raises TransactionError: a step failed.
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
        raise TransactionError(f"{wanted.path}: no build command created it; correct its entry in build")
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
    """Give a file the context of the file that it replaces, or that of the policy if it replaces none."""
    if os.path.lexists(live):
        disk.set_label(path, disk.label_of(live))
    else:
        host.label(path, live)
