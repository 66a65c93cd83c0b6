"""The real node with a stand-in for the model, run as a program by the tests.

The parameter `model` controls loading: "broken" fails, "slow" waits at the gate first. A command with the
word "slowly" waits at the gate during inference; one with "run out" runs out of memory; one with "at length"
is warned of, as Segmenter does with long texts. The gate is the FIFO named by STUB_GATE: opening it for
writing waits until the stub is there, and closing it lets the stub pass.
"""

import logging
import os
import sys
from pathlib import Path

from dmmi_core.errors import ModelError
from dmmi_ros.node import main
from dmmi_ros.testing.fake_segmenter import ColourSegmenter


def pass_gate() -> None:
    """Wait until the gate is opened and closed."""
    Path(os.environ["STUB_GATE"]).read_bytes()


class GatedSegmenter(ColourSegmenter):
    def batch(self, images, texts, options=None):
        if any("slowly" in text for text in texts):
            pass_gate()
        if any("at length" in text for text in texts):
            logging.getLogger("dmmi_core.segmenter").warning("the text is too long")
        if any("run out" in text for text in texts):
            raise MemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nmore of it")
        return super().batch(images, texts, options)


def load_stub(parameters, on_progress):
    if parameters.model == "broken":
        raise ModelError("no model 'broken' here; choose another")
    if parameters.model == "slow":
        pass_gate()
    return GatedSegmenter()


sys.exit(main(load_segmenter=load_stub))
