"""Counters of one camera, as /diagnostics shows them."""

from dataclasses import dataclass, field


@dataclass
class Statistics:
    """Counts since the node was configured.

    received = processed + dropped + skipped + failed + idle + under way. Each counter has one writer:
    `received`, `lost` and `dropped` the executor's thread, the others the worker's thread.
    """

    received: int = 0
    lost: int = 0
    """Frames that were lost in transport, or overwritten in the subscription's queue."""
    dropped: int = 0
    """Frames that a newer one replaced before they were processed."""
    skipped: int = 0
    """Frames beyond `max_rate`."""
    processed: int = 0
    """Frames whose results were published."""
    failed: int = 0
    """Frames without a result because of an error in the image or the inference."""
    idle: int = 0
    """Frames that came while there was no command."""
    failed_requests: int = 0
    """Requests that failed in frames for which others succeeded."""
    without_depth: int = 0
    """Results without poses, for lack of a usable depth image or calibration."""
    last_error: str = ""
    inference_ms: float = 0.0
    """Time in the model for the newest batch, which may hold frames of several cameras."""
    result_age_ms: float = 0.0
    """Time from the arrival of the newest processed frame to the publication of its results."""

    lost_share: float = 0.0
    """Share of the frames sent in the last period that were lost, from 0 to 1."""
    dropped_share: float = 0.0
    """Share of the frames received in the last period that were dropped, from 0 to 1."""
    _before: tuple[int, int, int] = field(default=(0, 0, 0), repr=False)  # received, lost, dropped

    def end_period(self) -> None:
        """Compute the shares of the period since the last call."""
        counts = self.received, self.lost, self.dropped
        received, lost, dropped = (now - then for now, then in zip(counts, self._before, strict=True))
        self._before = counts
        self.lost_share = lost / max(1, received + lost)
        self.dropped_share = min(1.0, dropped / max(1, received))  # some were received in the period before

    @property
    def under_way(self) -> int:
        """Frames that wait or are being processed. A frame is done once its results are out, even if its
        poses are not."""
        settled = self.processed + self.dropped + self.skipped + self.failed + self.idle
        return max(0, self.received - settled)

    def values(self) -> dict[str, str]:
        """Return the values under their names on /diagnostics."""
        return {
            "frames received": str(self.received),
            "frames lost": str(self.lost),
            "frames processed": str(self.processed),
            "frames dropped": str(self.dropped),
            "frames skipped": str(self.skipped),
            "frames failed": str(self.failed),
            "frames without a command": str(self.idle),
            "frames under way": str(self.under_way),
            "lost share %": f"{100 * self.lost_share:.0f}",
            "dropped share %": f"{100 * self.dropped_share:.0f}",
            "requests failed": str(self.failed_requests),
            "answers without depth": str(self.without_depth),
            "inference ms": f"{self.inference_ms:.1f}",
            "result age ms": f"{self.result_age_ms:.1f}",
            "last error": self.last_error,
        }
