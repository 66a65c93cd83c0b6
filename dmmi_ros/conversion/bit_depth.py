"""The number of bits that the 16-bit images of a camera hold."""

import cv2
import numpy as np

USUAL_BITS = (8, 10, 12, 14, 16)


class BitDepth:
    """Brings the 16-bit images of one camera to 8 bits.

    Many cameras send 10 or 12 bits as mono16 or bayer_*16: divided by 256, their images would be almost
    black.
    """

    def __init__(self, bits: int = 0):
        """Take `bits` per sample, 1 to 16; 0 finds the number from the largest value seen so far."""
        self._given = bits
        self.found = 0
        """Bits per sample that were found, which grow with brighter images and never shrink; at first 0."""

    def to_8_bits(self, samples: np.ndarray) -> np.ndarray:
        """Return `samples`, uint16, as uint8 of the same shape; values above those of the bits become 255."""
        if not self._given:
            needed = int(samples.max()).bit_length()
            self.found = max(self.found, next(bits for bits in USUAL_BITS if bits >= needed))
        largest = 2 ** (self._given or self.found) - 1
        return cv2.convertScaleAbs(samples, alpha=255 / largest).reshape(samples.shape)

    def warning(self) -> str:
        """Return a warning if fewer than 16 bits were found, else an empty string."""
        if not 0 < self.found < 16:
            return ""
        return (
            f"16-bit images hold no value above {2**self.found - 1}: they are taken to have {self.found} "
            "bits until brighter ones come; set the parameter bits to the number that the camera has"
        )
