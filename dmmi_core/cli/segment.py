"""`dmmi segment`: segments one image for any number of texts."""

import argparse
import json
from pathlib import Path

import numpy as np

from dmmi_core.cli.options import add_engine, add_model, segmenter_options
from dmmi_core.errors import InputError
from dmmi_core.files import replaced_file
from dmmi_core.result import Result, Status


def add(commands) -> None:
    parser = commands.add_parser("segment", help="segment one image")
    parser.add_argument("image", help="an image file")
    parser.add_argument("texts", nargs="+", metavar="TEXT", help='for example "the two cups on the left"')
    add_model(parser)
    add_engine(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object for each text")
    parser.add_argument(
        "--overlay", type=Path, metavar="OUT.png", help="write the picture with the masks drawn"
    )
    parser.add_argument("--mask", type=Path, metavar="OUT.png", help="write the mask, 0 or 255")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    from dmmi_core.data.samples import read_image
    from dmmi_core.segmenter import Segmenter

    image = read_image(arguments.image)
    segmenter = Segmenter.from_pretrained(arguments.model, **segmenter_options(arguments))
    results = segmenter.batch([image] * len(arguments.texts), arguments.texts)
    for number, result in enumerate(results, start=1):
        print(json.dumps(result_to_dict(result)) if arguments.json else _sentence(result))
        if arguments.overlay:
            from dmmi_core.visualization.overlay import draw_overlay

            _write_image(_numbered(arguments.overlay, number, len(results)), draw_overlay(image, result))
        if arguments.mask:
            _write_image(_numbered(arguments.mask, number, len(results)), result.mask.astype(np.uint8) * 255)


def result_to_dict(result: Result) -> dict:
    """Return a result as values for JSON; masks are compressed COCO RLEs of the whole image."""
    from dmmi_core.data.samples import encode_mask
    from dmmi_core.instances.grouping import union_mask

    height, width = result.mask.shape
    return {
        "text": result.text,
        "status": result.status.name.lower(),
        "presence": result.presence,
        "presence_threshold": result.presence_threshold,
        "height": height,
        "width": width,
        "instances": [
            {
                "id": item.id,
                "score": item.score,
                "area": item.area,
                "bbox": [item.roi.x, item.roi.y, item.roi.width, item.roi.height],
                "segmentation": encode_mask(union_mask((item,), height, width)),
            }
            for item in result.instances
        ],
        "timing_ms": result.timing_ms,
    }


def _sentence(result: Result) -> str:
    if result.status == Status.NO_TARGET:
        return f"{result.text}: no target (presence {result.presence:.2f})"
    parts = ", ".join(f"{item.area} px at ({item.roi.x}, {item.roi.y})" for item in result.instances)
    return f"{result.text}: {len(result.instances)} found (presence {result.presence:.2f}): {parts}"


def _numbered(path: Path, number: int, count: int) -> Path:
    """Return OUT.png; with several texts OUT-1.png, OUT-2.png and so on."""
    return path if count == 1 else path.with_stem(f"{path.stem}-{number}")


def _write_image(path: Path, image: np.ndarray) -> None:
    """uint8 RGB (H, W, 3) or grey (H, W)."""
    import cv2

    try:
        _, data = cv2.imencode(path.suffix, image[..., ::-1] if image.ndim == 3 else image)
    except cv2.error as error:
        raise InputError(f"cannot write {path}: the name must end in .png or .jpg") from error
    try:
        with replaced_file(path, needed=len(data)) as new:
            new.write_bytes(data.tobytes())
    except FileNotFoundError as error:
        raise InputError(f"cannot write {path}: does its folder exist?") from error
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
