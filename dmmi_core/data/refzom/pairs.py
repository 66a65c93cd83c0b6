"""A text paired with an image, and from where it is."""

from dataclasses import dataclass

from dmmi_core.data.samples import kind_of

WAYS = {
    "zero": ("captions", "expressions", "templates"),
    "one": ("expressions", "templates"),
    "many": ("captions", "combined", "templates"),
}
"""For each kind, where its texts are from (paper section 4); the ways of "many" in the order of the paper."""


@dataclass(frozen=True)
class Pair:
    """`targets` are ids of annotations of the image; none for a one-to-zero pair."""

    image_id: int
    text: str
    targets: tuple[int, ...]
    way: str

    @property
    def kind(self) -> str:
        return kind_of(len(self.targets))
