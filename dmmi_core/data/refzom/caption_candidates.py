"""Strategy (1): captions that seem to speak of several annotated objects, for a person to confirm.

In the paper two annotators play a game: one rewrites a caption, the other finds its targets. Here a file is
exchanged: its lines have captions with proposed targets, and the lines that a person keeps, as they are or
rewritten, come back as pairs.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from dmmi_core.data.refzom.category_terms import Vocabulary
from dmmi_core.data.refzom.images import SourceImage
from dmmi_core.data.refzom.subject import Reading, Subject, read_text
from dmmi_core.data.refzom.text_image_pairs import Pair
from dmmi_core.errors import InputError

KEYS = ("image_id", "text", "ann_id")


def candidate_pairs(image: SourceImage, vocabulary: Vocabulary) -> Iterator[Pair]:
    """Yield the captions about several objects, if their categories are complete and their number fits."""
    for caption in dict.fromkeys(image.captions):
        targets = _proposed(image, read_text(caption, vocabulary))
        if len(targets) > 1:
            yield Pair(image.id, caption, targets, "captions")


def _proposed(image: SourceImage, reading: Reading) -> tuple[int, ...]:
    targets: set[int] = set()
    for subject in reading.subjects:
        members = _members(image, subject)
        if not members or targets & members:
            return ()
        targets |= members
    return tuple(sorted(targets))


def _members(image: SourceImage, subject: Subject) -> set[int]:
    """Return the annotations that the subject means; none if their number is wrong or a mask is missing."""
    meant = subject.term.categories
    members = [i for i, item in enumerate(image.scene.objects) if item.category in meant]
    fits = len(members) > 1 if subject.count is None else len(members) == subject.count
    known = all(i < len(image.annotation_ids) for i in members)
    if not (subject.term.sure and fits and known and meant <= image.scene.complete):
        return set()
    return {image.annotation_ids[i] for i in members}


def write_candidates(path: Path, pairs: list[Pair], files: dict[int, str]) -> None:
    """Write JSON lines of image, image_id, text and ann_id; `files` are image files by id."""
    with open(path, "w", encoding="utf-8") as file:
        for pair in pairs:
            line = {
                "image": files[pair.image_id],
                "image_id": pair.image_id,
                "text": pair.text,
                "ann_id": list(pair.targets),
            }
            file.write(json.dumps(line) + "\n")


def read_confirmed(path: str | Path) -> list[Pair]:
    """Read the lines of a candidates file that a person kept. Raises InputError that names a bad line."""
    pairs = []
    try:
        with open(path, "rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    pairs.append(_confirmed(**{key: json.loads(line)[key] for key in KEYS}))
                except (KeyError, TypeError, ValueError, RecursionError) as error:
                    raise InputError(f"{path}, line {number}: not a candidate: {error!r}") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    return pairs


def _confirmed(image_id: int, text: str, ann_id: list[int]) -> Pair:
    if not isinstance(image_id, int) or not all(isinstance(target, int) for target in ann_id):
        raise TypeError("image_id and each of ann_id must be whole numbers")
    targets = tuple(sorted(set(ann_id)))
    if len(targets) < 2 or not isinstance(text, str) or not text.strip():
        raise ValueError("it needs a text and two or more annotations in ann_id")
    return Pair(image_id, " ".join(text.split()), targets, "captions")
