"""The data section of a training recipe."""

from dataclasses import dataclass
from typing import Any

from dmmi_core.data.left_out import BAD_SHARE
from dmmi_core.errors import InputError


@dataclass(frozen=True)
class ExtraScenes:
    """Further annotated images, for templates."""

    images: str
    """Folder of the images."""
    annotations: str | tuple[str, ...]
    """As in DataRecipe."""

    def __post_init__(self):
        if not self.annotations:
            raise InputError("recipe: an entry of data.extra needs annotations")


@dataclass(frozen=True)
class DataRecipe:
    """The source of the samples: `samples`, or `refs` with their `annotations`, or `annotations` alone.

    In the last case templates generate expressions for the annotated objects.
    """

    images: str
    """Folder of the images."""
    annotations: str | tuple[str, ...] = ""
    """COCO-style instances file. For templates also a list: further files complete the annotations of the
    first one's images. Validation uses the first file alone."""
    extra: tuple[ExtraScenes, ...] = ()
    """Further annotated images, for templates; the validation samples have none of them."""
    mask_quality: float = 0.75
    """Least expected IoU of a segmentation (its `quality`), for templates; below it, only the object's box is
    used."""
    clothing: str = ""
    """Folder of images of one person each with annotated garments, in the format of Clothing Co-Parsing, for
    templates."""
    refs: str = ""
    """refs(...).p of RefCOCO, RefCOCO+, RefCOCOg or Ref-ZOM, or grefs(unc).json of gRefCOCO."""
    samples: str = ""
    """Samples file, JSON lines."""
    split: str = "train"
    """Split of `refs` to train on."""
    validation_split: str = ""
    """Split of `refs` to validate on; without one, a share of the images is held out."""
    validation_share: int = 10
    """One image in so many is held out, chosen by its file name."""
    draw_sentence: bool = False
    """Whether an epoch has one random sentence for each object, as the authors train RefCOCO, or all."""
    balanced: bool = False
    """Whether every batch has equal numbers of the kinds zero, one and many that occur."""
    bad_share: float = BAD_SHARE
    """Largest share of the annotations, samples or images that may be damaged; they are left out."""

    def __post_init__(self):
        require_positive(self, "validation_share")
        if not (self.samples or self.annotations):
            raise InputError("recipe: data needs annotations, refs with annotations, or samples")
        if self.refs and (self.samples or not self.annotations):
            raise InputError("recipe: data.refs goes with data.annotations and without data.samples")
        if self.refs and not isinstance(self.annotations, str):
            raise InputError("recipe: data.refs goes with a single file of data.annotations")
        if self.extra and not self.from_templates:
            raise InputError("recipe: data.extra is for templates, without data.refs and data.samples")
        for name in ("mask_quality", "bad_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"recipe: data.{name} is {getattr(self, name)}; it must be from 0 to 1")
        if self.validation_split and not self.refs:
            raise InputError("recipe: only data.refs has splits, and so a data.validation_split")

    @property
    def from_templates(self) -> bool:
        return not (self.refs or self.samples)


def require_positive(recipe: Any, *names: str) -> None:
    """Raise InputError if one of the named fields is less than 1."""
    for name in names:
        if getattr(recipe, name) < 1:
            raise InputError(f"recipe: {name} is {getattr(recipe, name)}; it must be at least 1")
