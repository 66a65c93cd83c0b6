"""Limit on the rate at which frames are processed."""

EARLY, LATE = 0.1, 0.5
"""Tolerances as shares of a period: a frame up to EARLY too early is admitted; one more than LATE too late
restarts the beat."""


class RateLimit:
    """Admits frames of one camera at up to `rate` Hz; a rate of 0 admits all. Times are in seconds.

    A frame that comes too early is dropped rather than kept, as the next one is newer. The beat does not
    shift with frames that come slightly late; otherwise a camera whose period does not divide that of the
    beat would get a lower rate than allowed.
    """

    def __init__(self) -> None:
        self._beat = float("-inf")

    def admits(self, arrival: float, rate: float) -> bool:
        """Return whether a frame that came at `arrival` may be processed."""
        period = _period(rate)
        return arrival >= self._beat + period - EARLY * period

    def count(self, arrival: float, rate: float) -> None:
        """Record that an admitted frame, which came at `arrival`, is processed."""
        period = _period(rate)
        beat = self._beat + period
        self._beat = beat if arrival <= beat + LATE * period else arrival


def _period(rate: float) -> float:
    return 1 / rate if rate else 0.0
