"""Samples and a model that commands which score models share."""

import cv2
import numpy as np
import pytest
import torch

from dmmi_core.checkpoints.saved_network import save_model
from dmmi_core.data.samples import Sample, encode_mask, write_samples
from helpers.tiny import make_model

SIZE = (90, 120)


@pytest.fixture(scope="session")
def questions(tmp_path_factory):
    """A folder with three photographs of noise and `samples.jsonl`: seven samples, three of them zero."""
    folder = tmp_path_factory.mktemp("questions")
    rng = np.random.default_rng(0)
    for name in "abc":
        cv2.imwrite(str(folder / f"{name}.png"), rng.integers(0, 256, (*SIZE, 3), np.uint8))
    mask = np.zeros(SIZE, bool)
    mask[:60, :90] = True  # with a part of the border, which is what the network finds
    segmentation = encode_mask(mask)
    kinds = {"one": (segmentation,), "many": (segmentation, segmentation), "zero": ()}
    samples = [
        Sample(f"{image}.png", text, kind, *SIZE, kinds[kind])
        for image, text, kind in (
            ("a", "the dog", "one"),
            ("a", "the two cats on the left", "many"),
            ("a", "cups", "zero"),
            ("b", "the bus", "many"),
            ("b", "<b>zebra</b>", "zero"),
            ("c", "the red cup", "one"),
            ("c", "the person", "zero"),
        )
    ]
    write_samples(folder / "samples.jsonl", samples)
    return folder


@pytest.fixture(scope="session")
def model(tmp_path_factory, tokenizer):
    """A model folder; what is foreground of a photograph of noise is about as much as what is not."""
    network = make_model()
    with torch.no_grad():
        network.decoder.score.bias[1] += 0.7
    folder = tmp_path_factory.mktemp("models") / "undecided"
    save_model(network, tokenizer, folder)
    return folder
