"""Damaged entries and images of a dataset: left out and reported, and an error if there are too many."""

import logging
import math
from collections.abc import Hashable
from pathlib import Path

from dmmi_core.errors import InputError

logger = logging.getLogger(__name__)
EXAMPLES = 3
BAD_SHARE = 0.1
"""Largest share of a dataset that may be damaged, by default."""


class LeftOut:
    """The damaged entries of a file.

    `entry` is the word for one, such as "annotation"; `share` is the largest share of them that may be
    damaged, rounded up to a whole number.
    """

    def __init__(self, entry: str, share: float = BAD_SHARE):
        self.entry, self.share = entry, share
        self.keys: set[Hashable] = set()
        """The ids or line numbers that were added."""
        self._reasons: list[str] = []

    def add(self, key: Hashable, reason: Exception) -> None:
        """Count an entry with this id or line number."""
        text = str(reason) if isinstance(reason, InputError) else f"it is damaged: {reason!r}"
        self.keys.add(key)
        self._reasons.append(f"{self.entry} {key}: {text}")

    def report(self, path: str | Path, total: int) -> None:
        """Warn once of what was left out of the `total` entries of a file.

        Raises InputError if that is more than the share, or everything.
        """
        count = len(self._reasons)
        if not count:
            return
        text = f"{path}: {count} of {total} {self.entry}s are damaged: {examples(self._reasons)}"
        if count > math.ceil(self.share * total) or count == total:
            raise InputError(f"{text}; at most a share of {self.share:g} may be (data.bad_share of a recipe)")
        logger.warning("%s; left out", text)


class UnreadableImages:
    """The images of a training that turned out not to be readable, each reported once.

    A loader's processes have one each. `total` is the number of all images.
    """

    def __init__(self, total: int, share: float = BAD_SHARE):
        self._most = math.ceil(share * total)
        self._reasons: set[str] = set()

    def add(self, reason: InputError) -> None:
        """Report an image; raises `reason` if there are more than the share allows."""
        if str(reason) in self._reasons:
            return
        self._reasons.add(str(reason))
        if len(self._reasons) > self._most:
            raise InputError(f"{reason}; more images cannot be used than data.bad_share allows") from reason
        logger.warning("%s; left out", reason)


def examples(reasons: list[str]) -> str:
    """Return the first few reasons in one line."""
    return "; ".join(reasons[:EXAMPLES]) + "; ..." * (len(reasons) > EXAMPLES)
