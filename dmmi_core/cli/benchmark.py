"""`dmmi benchmark`: measures how fast each engine is, and how far its answers are from the reference's."""

import argparse
import json
from pathlib import Path

from dmmi_core.benchmarking.cases import REFERENCE, SUITES, TRAINING, Case
from dmmi_core.cli.options import add_model
from dmmi_core.cli.program import aligned
from dmmi_core.errors import InputError
from dmmi_core.extras import require


def add(commands) -> None:
    parser = commands.add_parser(
        "benchmark",
        help="measure the engines",
        description="Measure engines and plain PyTorch in float32 in turn in one process: latency by step, "
        "throughput, memory, start, and how far their answers are from PyTorch's.",
    )
    add_model(parser)
    parser.add_argument(
        "--suite",
        choices=SUITES,
        help="measure the cases of benchmarks/README.md; of the other options, only --image, --text, --runs "
        "and --json apply",
    )
    parser.add_argument(
        "--engines",
        nargs="+",
        default=["onnx:fp32", "openvino:fp32"],
        metavar="E:P",
        help="engines and their precisions (onnx:fp32 openvino:fp32)",
    )
    parser.add_argument(
        "--batches", nargs="+", type=int, default=[1], metavar="N", help="frames at a time (1)"
    )
    parser.add_argument(
        "--sizes", nargs="+", type=int, metavar="N", help="sides of the network's input (the model's own)"
    )
    parser.add_argument(
        "--image",
        type=Path,
        metavar="FILE",
        help="the frame, in its own size (a photograph of scikit-image, 640 x 480)",
    )
    parser.add_argument("--text", default="the person", help="what to ask for (%(default)s)")
    parser.add_argument("--runs", type=int, default=30, metavar="N", help="runs of each engine (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    require("torch", *(("accelerate",) if arguments.suite else ()))
    from dmmi_core.benchmarking.benchmark import machine, measure

    if min(*arguments.batches, arguments.runs) < 1:
        raise InputError("--batches and --runs must be at least 1")
    image = _image(arguments.image)
    cases = SUITES[arguments.suite] if arguments.suite else _cases(arguments)
    found = {
        "machine": machine(),
        "rows": [row for case in cases for row in measure(case, image, arguments.text, arguments.runs)],
        "training": _training(arguments.suite) if arguments.suite else [],
    }
    print(json.dumps(found) if arguments.json else _text(found))


def _training(suite: str) -> list[dict]:
    from dmmi_core.benchmarking.training import measure_training

    return [row for step in TRAINING[suite] for row in measure_training(**step)]


def _text(found: dict) -> str:
    from dmmi_core.benchmarking.benchmark import COLUMNS, TRAINING_COLUMNS, table

    parts = [
        "\n".join(f"{name}: {value}" for name, value in found["machine"].items()),
        aligned(table(found["rows"], COLUMNS)),
    ]
    if found["training"]:
        parts += ["a training step:", aligned(table(found["training"], TRAINING_COLUMNS))]
    return "\n\n".join(parts)


def _cases(arguments: argparse.Namespace) -> list[Case]:
    """Return a case for each size."""
    from dmmi_core.device import device_name

    pairs = [tuple(text.split(":")) for text in arguments.engines]
    if any(len(pair) != 2 for pair in pairs):
        raise InputError("--engines are like onnx:fp32, an engine and a precision")
    engines, batches = tuple(pair for pair in pairs if pair != REFERENCE), tuple(arguments.batches)
    device = device_name(arguments.device)
    return [Case(arguments.model, engines, batches, size, device) for size in arguments.sizes or [None]]


def _image(path: Path | None):
    """Return the frame, uint8 RGB; by default a photograph of scikit-image with a person, in VGA size."""
    from dmmi_core.data.samples import read_image

    if path:
        return read_image(path)
    try:
        import skimage.data
    except ModuleNotFoundError as error:
        raise InputError(
            "give a photograph with --image, or pip install scikit-image, which has some"
        ) from error
    import cv2

    return cv2.resize(skimage.data.astronaut(), (640, 480), interpolation=cv2.INTER_AREA)
