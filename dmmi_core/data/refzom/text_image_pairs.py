"""Pairs of a text and an image, and the strategies that they come from."""

from dataclasses import dataclass

from dmmi_core.data.samples import kind_of

STRATEGIES = {
    "zero": ("captions", "expressions", "templates"),
    "one": ("expressions", "templates"),
    "many": ("captions", "combined", "templates"),
}
"""Sources of the texts of each kind (paper section 4); those of "many" are the paper's strategies 1 to 3."""


@dataclass(frozen=True)
class Pair:
    """A text with the annotations that it refers to in an image."""

    image_id: int
    text: str
    targets: tuple[int, ...]
    """Annotation ids; none for a one-to-zero pair."""
    strategy: str
    """One of the STRATEGIES of its kind."""

    @property
    def kind(self) -> str:
        return kind_of(len(self.targets))
