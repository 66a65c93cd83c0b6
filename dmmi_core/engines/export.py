"""Makes the folder of a model's graphs."""

import logging
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn
from torch.export import Dim

from dmmi_core.checkpoints.checkpoint import load_model
from dmmi_core.checkpoints.folder import write_config
from dmmi_core.engines import PRECISIONS
from dmmi_core.engines.graph_engine import (
    FRAME,
    TEXT,
    TEXT_INPUTS,
    frame_inputs,
    frame_outputs,
    text_outputs,
)
from dmmi_core.engines.inference_network import FrameNetwork, TextNetwork
from dmmi_core.engines.manifest import MANIFEST, write_manifest
from dmmi_core.engines.registry import missing_packages
from dmmi_core.engines.torch_engine import TorchEngine
from dmmi_core.engines.verification import disagreement
from dmmi_core.errors import InputError, ModelError
from dmmi_core.files import replaced_folder
from dmmi_core.model import Dmmi
from dmmi_core.model.nanodet import CLASSES

OPSET = 18


def export_folder(model: Path, format: str, folder: Path) -> dict[str, float]:
    """Makes of a model folder one with the graphs for the engine `format`, which replaces `folder` at once.

    Returns their disagreement with the reference, by precision. Raises a DmmiError.
    """
    if folder.exists() and not (folder / MANIFEST).is_file():
        raise InputError(f"{folder} is there, and is not an exported model: choose another folder")
    missing = missing_packages(format)
    if missing:
        raise ModelError(f"this needs {' and '.join(missing)}: pip install 'dmmi[engines]'")
    network, tokenizer = load_model(model)
    try:
        with replaced_folder(folder) as new:
            found = export(network, format, new)
            write_config(network.config, new)
            tokenizer.save_pretrained(new)
    except OSError as error:
        raise InputError(f"cannot write {folder}: {error.strerror}") from error
    return found


def export(model: Dmmi, format: str, folder: Path) -> dict[str, float]:
    """Writes the graphs for the engine `format` into `folder`, which is there, and measures them."""
    if format == "openvino":
        from dmmi_core.engines import openvino_engine as runtime

        with tempfile.TemporaryDirectory() as onnx:
            export_onnx(model, Path(onnx))
            runtime.convert(Path(onnx), folder)
    else:
        from dmmi_core.engines import onnx_engine as runtime

        export_onnx(model, folder)
    reference = TorchEngine(model, device="cpu")
    found = {
        precision: disagreement(runtime.open_folder(folder, model.config, precision, "cpu"), reference)
        for precision in PRECISIONS
        if runtime.has(precision, "cpu")
    }
    write_manifest(folder, format=format, disagreement=found)
    return found


def export_onnx(model: Dmmi, folder: Path) -> None:
    """Writes text.onnx and frame.onnx, in float32; any number of images and texts, otherwise fixed sizes."""
    config = model.config
    side, tokens = config.image_size, config.max_tokens
    mask = torch.ones(3, tokens, dtype=torch.bool)
    texts = (torch.ones(1, tokens, dtype=torch.int64), mask[:1])
    frames = [
        torch.zeros(2, side, side, 3, dtype=torch.uint8),
        torch.zeros(3, tokens, config.hidden_size),
        mask,
        torch.tensor([0, 1, 1]),
    ]
    images, pairs = Dim("images"), Dim("pairs")
    axes = [{0: images}, {0: pairs}, {0: pairs}, {0: pairs}]
    if config.guide:
        frames.append(torch.ones(3, CLASSES) / CLASSES)
        axes.append({0: pairs})
    _export(TextNetwork(model), texts, folder / f"{TEXT}.onnx", TEXT_INPUTS, text_outputs(config))
    _export(
        FrameNetwork(model),
        tuple(frames),
        folder / f"{FRAME}.onnx",
        frame_inputs(config),
        frame_outputs(config),
        tuple(axes),
    )


def _export(network: nn.Module, examples, path: Path, inputs, outputs, axes=None) -> None:
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            network.eval(),
            examples,
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            input_names=inputs,
            output_names=outputs,
            dynamic_shapes=axes,
        )
        program.save(path)


@contextmanager
def _quiet():
    """The exporter says at length what it does."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
