"""How many frames a second are answered at most."""

EARLY, LATE = 0.1, 0.5
"""Shares of a period. A frame this much early is still in time; one that is later begins a new beat."""


class RateLimit:
    """Admits frames of one camera, in a beat of `rate` a second; a rate of 0 admits all.

    What comes too early is not kept for later, when it would be old: the next frame is newer. The beat does
    not wait for frames that come a little late, or a camera whose period is no divisor of the beat's would be
    answered less often than `rate` allows. Times are in seconds.
    """

    def __init__(self):
        self._beat = float("-inf")

    def admits(self, arrival: float, rate: float) -> bool:
        """Whether the frame that came at `arrival` may be answered."""
        period = _period(rate)
        return arrival >= self._beat + period - EARLY * period

    def count(self, arrival: float, rate: float) -> None:
        """Takes note that the frame that came at `arrival`, and was admitted, is answered."""
        period = _period(rate)
        beat = self._beat + period
        self._beat = beat if arrival <= beat + LATE * period else arrival


def _period(rate: float) -> float:
    return 1 / rate if rate else 0.0
