"""How a segmenter turns scores into results."""

from dataclasses import dataclass

from dmmi_core.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of a segmenter, or of one call. Raises InputError for values that make no sense."""

    presence_threshold: float | None = None
    """Probability that the image holds any target below which the status is NO_TARGET; None is the model's
    own. Without a presence head the status is NO_TARGET only if no pixel is foreground."""
    mask_threshold: float = 0.5
    """Probability above which a pixel is foreground."""
    min_area: int = 64
    """Least number of pixels of an instance."""
    grouping: str | None = None
    """How foreground becomes instances: a key of `dmmi_core.instances.grouping.GROUPINGS`, or "centres" if
    the model has an instance head. None is "single" for a text about one object, otherwise "centres" or,
    without that head, "watershed"."""
    pairs_at_once: int = 16
    """Most pairs of image and text in one forward pass; more need more memory."""

    def __post_init__(self) -> None:
        if self.pairs_at_once < 1:
            raise InputError(f"pairs_at_once is {self.pairs_at_once}; it must be at least 1")
