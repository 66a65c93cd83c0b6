"""Checkpoints of the published sizes: what they are recognised as, and what converting one takes."""

import json
import resource
import subprocess
import sys
import time
from argparse import Namespace
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from transformers import BertTokenizerFast

from dmmi_core.checkpoints.released import interpret
from dmmi_core.config import preset
from helpers.parity import full_checkpoint, kits, read_shapes


@pytest.mark.parametrize("keys", [*kits("keys_swinb*.txt"), *kits("keys_resnet101.txt")])
def test_sizes_are_found_from_the_tensors(keys):
    with torch.device("meta"):
        shapes = {"model": read_shapes(keys.name), "bert_model": read_shapes("keys_bert.txt")}
        contents = {part: {key: torch.empty(s) for key, s in of.items()} for part, of in shapes.items()}
    config, _ = interpret(contents)
    expected = preset("dmmi-resnet101-released" if "resnet" in keys.name else "dmmi-swin-base-released")
    window = {"window_size": 7} if "window7" in keys.name else {}
    assert config == replace(expected, backbone_args={**expected.backbone_args, **window})


@pytest.mark.slow
@pytest.mark.parametrize("keys", kits("keys_swinb.txt"))
def test_full_size(keys, tmp_path):
    """With the state of the optimizer: less than a minute, less than 6 GiB, and the model runs."""
    contents = full_checkpoint("swinb")
    moments = {
        n: {"step": torch.tensor(9.0), "exp_avg": value.clone(), "exp_avg_sq": value.clone()}
        for n, value in enumerate(contents["model"].values())
        if value.is_floating_point()
    }
    contents |= {
        "optimizer": {"state": moments, "param_groups": [{"lr": 5e-5, "params": list(moments)}]},
        "epoch": 39,
        "args": Namespace(img_size=480, model="dmmi_swin", window12=True, lr=5e-5),
        "lr_scheduler": {"last_epoch": 100, "base_lrs": [5e-5], "lr_lambdas": [None]},
    }
    path, out, words = tmp_path / "released.pth", tmp_path / "out", tmp_path / "words"
    torch.save(contents, path)
    del contents, moments
    words.mkdir()
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cups"]
    (words / "vocab.txt").write_text("\n".join(pieces) + "\n")
    BertTokenizerFast(vocab=str(words / "vocab.txt")).save_pretrained(words)

    def dmmi(*arguments: str) -> str:
        command = [sys.executable, "-m", "dmmi_core.cli", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    started = time.monotonic()
    dmmi("convert", str(path), str(out), "--tokenizer", str(words))
    seconds = time.monotonic() - started
    gib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(f"{path.stat().st_size / 2**30:.2f} GiB converted in {seconds:.1f} s within {gib:.2f} GiB")
    assert seconds < 60
    assert gib < 6
    cv2.imwrite(str(tmp_path / "image.png"), np.zeros((60, 80, 3), np.uint8))
    result = json.loads(
        dmmi("segment", str(tmp_path / "image.png"), "the cups", "--model", str(out), "--json")
    )
    assert (result["height"], result["width"]) == (60, 80)
    print(result["timing_ms"])
