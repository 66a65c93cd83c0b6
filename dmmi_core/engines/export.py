"""Exports a model to ONNX graphs, which ONNX Runtime and OpenVINO run."""

import logging
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn
from torch.export import Dim

from dmmi_core.checkpoints.model_folder import WEIGHTS
from dmmi_core.checkpoints.saved_network import load_network
from dmmi_core.engines.exported_engine import (
    FRAME,
    TEXT,
    TEXT_INPUTS,
    frame_inputs,
    frame_outputs,
    text_outputs,
)
from dmmi_core.engines.inference_network import FrameNetwork, TextNetwork
from dmmi_core.engines.manifest import write_manifest
from dmmi_core.engines.registry import GRAPH_ENGINES, PACKAGES, PRECISIONS, graph_runtime
from dmmi_core.engines.shared_weights import share_weights
from dmmi_core.engines.torch_engine import TorchEngine
from dmmi_core.engines.verification import disagreement
from dmmi_core.extras import missing
from dmmi_core.model import Dmmi
from dmmi_core.model.nanodet import CLASSES

OPSET = 18


def export(folder: Path, on_stage: Callable[[str], None] = lambda stage: None) -> dict[str, float]:
    """Write the graphs of the model in `folder` beside its weights, and measure them on a CPU.

    Calls `on_stage` with the name of each step. Returns the disagreement with PyTorch by
    "engine:precision".
    """
    on_stage("reading the weights")
    network = load_network(folder)
    on_stage("tracing the network")
    export_onnx(network, folder)
    share_weights(folder / WEIGHTS, folder / TEXT, folder / FRAME)
    on_stage("comparing the graphs with PyTorch")
    found = _disagreements(folder, network)
    write_manifest(folder, network.config, files=(TEXT, FRAME, WEIGHTS), disagreement=found)
    return found


def _disagreements(folder: Path, network: Dmmi) -> dict[str, float]:
    reference = TorchEngine(network, device="cpu")
    return {
        f"{name}:{precision}": disagreement(
            runtime.open_folder(folder, network.config, precision, "cpu"), reference
        )
        for name in GRAPH_ENGINES
        if not missing(*PACKAGES[name])
        for runtime in [graph_runtime(name)]
        for precision in PRECISIONS
        if runtime.supports(precision, "cpu")
    }


def export_onnx(model: Dmmi, folder: Path) -> None:
    """Write text.onnx and frame.onnx in float32, for any number of images and texts of fixed sizes."""
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
    _export(TextNetwork(model), texts, folder / TEXT, TEXT_INPUTS, text_outputs(config))
    _export(
        FrameNetwork(model),
        tuple(frames),
        folder / FRAME,
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
        assert program is not None  # it is for the exporter that dynamo replaced
        for node in program.model.graph.all_nodes():
            node.metadata_props.clear()  # stack traces, with the paths of this machine
        program.save(path)


@contextmanager
def _quiet():
    """Silence the exporter, which describes each of its steps."""
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
