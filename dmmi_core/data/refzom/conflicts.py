"""The check that a one-to-zero text certainly refers to nothing in an image."""

from dmmi_core.data.lexicon.confusion import CONFUSED_OBJECTS
from dmmi_core.data.refzom.category_terms import Vocabulary
from dmmi_core.data.refzom.images import SourceImage
from dmmi_core.data.refzom.subject import Reading, read_text

REASONS = (
    "names no category",
    "names what is annotated",
    "names what the image's captions name",
    "names what is not labelled in full",
    "is not clearly about a category",
)


class ConflictChecker:
    """A checker that reads each text once."""

    def __init__(self, vocabulary: Vocabulary):
        self._vocabulary = vocabulary
        self._readings: dict[str, Reading] = {}

    def conflict(self, text: str, image: SourceImage) -> str | None:
        """Return one of REASONS, or None if everything that `text` may mean is certainly absent.

        A category is certainly absent if it is labelled in full, neither it nor a category confused with it
        has an object, and the image's own captions have no word for it, not even a wider one.
        """
        reading = self._read(text)
        if not reading.mentioned:
            return REASONS[0]
        if reading.mentioned & _maybe_present(image):
            return REASONS[1]
        if any(reading.mentioned & self._read(caption).mentioned for caption in image.captions):
            return REASONS[2]
        if not reading.mentioned <= image.scene.complete:
            return REASONS[3]
        if not reading.subjects or not all(subject.term.sure for subject in reading.subjects):
            return REASONS[4]
        return None

    def _read(self, text: str) -> Reading:
        if text not in self._readings:
            self._readings[text] = read_text(text, self._vocabulary)
        return self._readings[text]


def _maybe_present(image: SourceImage) -> frozenset[str]:
    present = image.present
    return present.union(*(group for group in CONFUSED_OBJECTS if group & present))
