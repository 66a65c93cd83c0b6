"""The data section of a training recipe."""

from dataclasses import dataclass

from dmmi_core.errors import InputError


@dataclass(frozen=True)
class ExtraScenes:
    """More photographs with their objects, for templates."""

    images: str
    """Folder of the photographs."""
    annotations: str | tuple[str, ...]
    """As in DataRecipe."""

    def __post_init__(self):
        if not self.annotations:
            raise InputError("recipe: an entry of data.extra needs annotations")


@dataclass(frozen=True)
class DataRecipe:
    """Samples come from `samples`, or from `refs` with their `annotations`, or from `annotations` alone: then
    templates make expressions of their objects."""

    images: str
    """Folder of the photographs."""
    annotations: str | tuple[str, ...] = ""
    """COCO-style instances file. For templates also a list of one and of files with more annotations of the
    same photographs, which complete it; validation is on the first file's alone."""
    extra: tuple[ExtraScenes, ...] = ()
    """More photographs with their objects, for templates; those are in none of the validation samples."""
    mask_quality: float = 0.75
    """For templates: objects whose segmentation says in `quality` that less IoU is to be expected of it have
    their boxes only, as those without a segmentation."""
    clothing: str = ""
    """Folder of photographs of one person each with their garments, as Clothing Co-Parsing has them; more
    photographs for templates."""
    refs: str = ""
    """refs(...).p of RefCOCO, RefCOCO+, RefCOCOg or Ref-ZOM."""
    samples: str = ""
    """Samples file, JSON lines."""
    split: str = "train"
    """Split of `refs` to train on."""
    validation_split: str = ""
    """Split of `refs` to validate on; without one, `validation_share` of the photographs is kept apart."""
    validation_share: int = 10
    """One photograph in so many is kept apart, chosen by its file name."""
    draw_sentence: bool = False
    """An epoch has one sentence for each object, drawn afresh, as the authors train RefCOCO; else all."""
    balanced: bool = False
    """Zero, one and many samples in equal numbers in every batch, where there are any of them."""

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
        if not 0 <= self.mask_quality <= 1:
            raise InputError(f"recipe: data.mask_quality is {self.mask_quality}; it must be from 0 to 1")
        if self.validation_split and not self.refs:
            raise InputError("recipe: only data.refs has splits, and so a data.validation_split")

    @property
    def from_templates(self) -> bool:
        return not (self.refs or self.samples)


def require_positive(recipe, *names: str) -> None:
    for name in names:
        if getattr(recipe, name) < 1:
            raise InputError(f"recipe: {name} is {getattr(recipe, name)}; it must be at least 1")
