"""The model that is shipped."""

import socket
from importlib.util import find_spec
from pathlib import Path

import pytest

from dmmi_core.checkpoints.model_folder import read_config
from dmmi_core.engines.manifest import config_digest, read_manifest
from dmmi_core.result import Status
from helpers.paths import ROOT

FOLDER = ROOT / "models" / "dmmi-lite"
SKIMAGE = find_spec("skimage")


@pytest.fixture(scope="module")
def segmenter():
    """Opened by name and without a network."""
    from dmmi_core.segmenter import Segmenter

    def refuse(*_, **__):
        raise AssertionError("the network is not to be used")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(socket.socket, "connect", refuse)
        return Segmenter.from_pretrained("dmmi-lite", device="cpu")


def test_it_is_small():
    assert (
        sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) <= 64 * 2**20
    )  # with its graphs


def test_it_has_a_model_card():
    assert len((FOLDER / "README.md").read_text(encoding="utf-8")) > 500


@pytest.mark.skipif(SKIMAGE is None, reason="scikit-image is not installed")
def test_a_photograph_of_a_cat(segmenter):
    from dmmi_core.data.samples import read_image

    image = read_image(Path(SKIMAGE.origin).parent / "data" / "chelsea.png")
    height, width = image.shape[:2]
    cat = segmenter(image, "the cat")
    assert cat.status != Status.NO_TARGET
    assert cat.mask[height // 4 : height * 3 // 4, width // 4 : width * 3 // 4].mean() > 0.6
    assert segmenter(image, "the car").status == Status.NO_TARGET


def test_its_graphs_are_those_of_its_weights():
    manifest = read_manifest(FOLDER)
    assert manifest.config == config_digest(read_config(FOLDER))
    assert set(manifest.files) == {"text.onnx", "frame.onnx", "model.safetensors"}
    assert {"onnx:fp32", "openvino:fp32"} <= set(manifest.disagreement)
