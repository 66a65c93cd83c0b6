"""Every engine and precision that is installed gives the reference's answers."""

from dataclasses import replace

import numpy as np
import pytest

from dmmi_core.checkpoints.model_folder import find_model
from dmmi_core.checkpoints.saved_network import save_model
from dmmi_core.engines.registry import PRECISIONS
from dmmi_core.engines.selection import EngineUnavailable, open_engine
from dmmi_core.engines.torch_engine import TorchEngine
from dmmi_core.engines.verification import TOLERANCE, disagreement
from helpers.tiny import CONFIG, FAMILIES, make_model

RELEASED = replace(
    CONFIG,
    **FAMILIES["swin"],
    attend_padding=True,
    antialias=True,
    region_affinity="learned",
    presence=False,
)
"""A small network of the authors' layout."""
QUICK = [("torch", "bf16"), *((name, precision) for name in ("onnx", "openvino") for precision in PRECISIONS)]
CASES = [(model, *pair) for model in ("lite", "released") for pair in QUICK]
CASES += [  # which take minutes to compile
    pytest.param(model, "compiled", precision, marks=pytest.mark.slow)
    for model in ("lite", "released")
    for precision in ("fp32", "bf16")
]


@pytest.fixture(scope="session")
def folders(tmp_path_factory, tokenizer):
    released = tmp_path_factory.mktemp("models") / "released"
    save_model(make_model(RELEASED), tokenizer, released)
    return {"lite": find_model("dmmi-lite"), "released": released}


def questions(engine) -> tuple:
    """Two noisy pictures; three texts, two of them about the second."""
    random, config = np.random.default_rng(1), engine.config
    images = random.integers(0, 256, (2, config.image_size, config.image_size, 3), np.uint8)
    lengths = [config.max_tokens] * 3 if config.attend_padding else [4, 9, config.max_tokens]
    ids = [random.integers(5, config.text_encoder.vocab_size, length) for length in lengths]
    masks = [np.arange(length) < 9 for length in lengths]
    return images, [engine.encode(*text) for text in zip(ids, masks, strict=True)], [0, 1, 1]


@pytest.mark.parametrize(("model", "name", "precision"), CASES)
def test_engines_agree(model, name, precision, folders):
    folder = folders[model]
    reference = open_engine(folder, engine="torch", device="cpu")
    try:
        engine = open_engine(folder, engine=name, precision=precision, device="cpu")
    except EngineUnavailable as error:
        pytest.skip(str(error))
    assert (engine.name, engine.precision, engine.device) == (name, precision, "cpu")
    assert disagreement(engine, reference) < TOLERANCE[precision]
    found, expected = (e.score(*questions(e)) for e in (engine, reference))
    within = {"fp32": 1e-4, "bf16": 0.1, "fp16": 0.1}[precision] * np.ptp(expected.margin)
    assert found.margin.shape == expected.margin.shape and found.margin.dtype == np.float32
    assert np.abs(found.margin - expected.margin).max() < within
    assert (found.presence is None) == (expected.presence is None)
    if expected.presence is not None:
        np.testing.assert_allclose(found.presence, expected.presence, atol=within)


def test_disagreement_is_seen(model_folder):
    """Of networks with one weight changed, and of one that gives no numbers."""
    reference = open_engine(model_folder, engine="torch", device="cpu")
    changed, broken = make_model(), make_model()
    changed.decoder.score.weight.data[1, 0] += 1
    broken.decoder.score.weight.data[:] = float("nan")
    assert disagreement(TorchEngine(make_model(), device="cpu"), reference) < 1e-2, "float16 weights"
    assert 0.1 < disagreement(TorchEngine(changed, device="cpu"), reference) < 10
    assert disagreement(TorchEngine(broken, device="cpu"), reference) == float("inf")
    other = make_model()
    other.presence.layers[-1].bias.data += 4
    assert 0.3 < disagreement(TorchEngine(other, device="cpu"), reference) < 1
    other.presence.layers[-1].bias.data += float("nan")
    assert disagreement(TorchEngine(other, device="cpu"), reference) == float("inf")
