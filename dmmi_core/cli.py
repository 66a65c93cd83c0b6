"""The `dmmi` command."""

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dmmi_core.errors import DmmiError, InputError
from dmmi_core.result import Result, Status


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status 0; 2 with one line on stderr for bad input; 130 when interrupted."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="dmmi: %(message)s")
    logging.getLogger("dmmi_core").setLevel(logging.INFO)
    try:
        arguments.run(arguments)
    except DmmiError as error:
        print(f"dmmi: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dmmi", description="Find what a text refers to: zero, one or many objects."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    segment = commands.add_parser("segment", help="segment one image")
    segment.add_argument("image", help="an image file")
    segment.add_argument("texts", nargs="+", metavar="TEXT", help='for example "the two cups on the left"')
    _add_model(segment)
    segment.add_argument("--json", action="store_true", help="print one JSON object for each text")
    segment.add_argument(
        "--overlay", type=Path, metavar="OUT.png", help="write the picture with the masks drawn"
    )
    segment.add_argument("--mask", type=Path, metavar="OUT.png", help="write the mask, 0 or 255")
    segment.set_defaults(run=_segment)

    train = commands.add_parser("train", help="train as a recipe says; resumes by itself")
    train.add_argument("recipe", help="a YAML file")
    train.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="replaces a value of the recipe")
    for part in ("backbone", "text"):
        train.add_argument(
            f"--{part}-weights",
            metavar="WHERE",
            help=f"replaces the recipe's {part}_weights: a file or folder, or a name on the Hugging Face hub",
        )
    train.set_defaults(run=_train)

    convert = commands.add_parser("convert", help="turn a checkpoint of the authors into a model folder")
    convert.add_argument("checkpoint", metavar="RELEASED.pth", help="as their training code wrote it")
    convert.add_argument("folder", metavar="OUT_DIR", help="the folder to make")
    convert.add_argument(
        "--model-name", metavar="PRESET", help="refuse a checkpoint that is not of this *-released preset"
    )
    convert.add_argument(
        "--tokenizer",
        default="bert-base-uncased",
        metavar="FOLDER",
        help="a folder with tokenizer.json or vocab.txt, or a name on the Hugging Face hub (%(default)s)",
    )
    convert.set_defaults(run=_convert)

    evaluate = commands.add_parser("evaluate", help="score a model")
    _add_model(evaluate)
    source = evaluate.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--recipe", nargs="+", metavar="RECIPE", help="a recipe's validation split [KEY=VALUE ...]"
    )
    source.add_argument("--samples", type=Path, metavar="FILE.jsonl", help="a samples file; needs --images")
    evaluate.add_argument("--images", type=Path, metavar="DIR", help="folder of the samples' images")
    evaluate.add_argument("--json", action="store_true", help="print one JSON object")
    evaluate.set_defaults(run=_evaluate)
    return parser


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", default="dmmi-lite", help="a shipped model's name, or a folder (%(default)s)"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (%(default)s)")


def _segment(arguments: argparse.Namespace) -> None:
    from dmmi_core.data.samples import read_image
    from dmmi_core.segmenter import Segmenter

    image = read_image(arguments.image)
    segmenter = Segmenter.from_pretrained(arguments.model, device=arguments.device)
    results = segmenter.batch([image] * len(arguments.texts), arguments.texts)
    for number, result in enumerate(results, start=1):
        print(json.dumps(result_to_dict(result)) if arguments.json else _sentence(result))
        if arguments.overlay:
            from dmmi_core.overlay import draw_overlay

            _write_image(_numbered(arguments.overlay, number, len(results)), draw_overlay(image, result))
        if arguments.mask:
            _write_image(_numbered(arguments.mask, number, len(results)), result.mask.astype(np.uint8) * 255)


def _train(arguments: argparse.Namespace) -> None:
    from transformers.utils import logging as transformers_logging

    from dmmi_core.recipe import read_recipe
    from dmmi_core.training import Trainer

    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()  # its report of BERT's unused pooler
    weights = {"backbone_weights": arguments.backbone_weights, "text_weights": arguments.text_weights}
    overrides = [f"{key}={value}" for key, value in weights.items() if value is not None]
    Trainer(read_recipe(arguments.recipe, [*arguments.overrides, *overrides])).run()


def _convert(arguments: argparse.Namespace) -> None:
    from dmmi_core.released import convert

    convert(
        arguments.checkpoint,
        arguments.folder,
        tokenizer=arguments.tokenizer,
        model_name=arguments.model_name,
    )
    print(f"{arguments.folder}: try it with dmmi segment IMAGE TEXT --model {arguments.folder}")


def _evaluate(arguments: argparse.Namespace) -> None:
    from dmmi_core.evaluation import evaluate
    from dmmi_core.segmenter import Segmenter

    samples, images = _samples(arguments)
    segmenter = Segmenter.from_pretrained(arguments.model, device=arguments.device)

    def progress(done: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{done}/{len(samples)}", end="" if done < len(samples) else "\n", file=sys.stderr)

    scores = evaluate(segmenter, samples, images, on_progress=progress)
    if arguments.json:
        print(json.dumps(scores))
        return
    for name, value in scores.items():
        print(f"{name:9}", "-" if value is None else value if isinstance(value, int) else f"{value:.2f}")


def _samples(arguments: argparse.Namespace) -> tuple[list, Path]:
    if arguments.samples:
        from dmmi_core.data.samples import read_samples

        if arguments.images is None:
            raise InputError("--samples needs --images, the folder that their photographs are in")
        return read_samples(arguments.samples), arguments.images
    from dmmi_core.data.scenes import is_validation, read_scenes
    from dmmi_core.data.validation import validation_samples
    from dmmi_core.recipe import read_recipe

    data = read_recipe(arguments.recipe[0], arguments.recipe[1:]).data
    scenes = [s for s in read_scenes(data.annotations) if is_validation(s, data.validation_share)]
    return validation_samples(scenes), Path(data.images)


def result_to_dict(result: Result) -> dict:
    """A result as JSON can hold it; masks are compressed COCO RLEs of the whole image."""
    from dmmi_core.data.samples import encode_mask
    from dmmi_core.instances import union_mask

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
    """OUT.png; with several texts OUT-1.png, OUT-2.png and so on."""
    return path if count == 1 else path.with_stem(f"{path.stem}-{number}")


def _write_image(path: Path, image: np.ndarray) -> None:
    """uint8 RGB (H, W, 3) or grey (H, W)."""
    import cv2

    try:
        written = cv2.imwrite(str(path), image[..., ::-1] if image.ndim == 3 else image)
    except cv2.error as error:
        raise InputError(f"cannot write {path}: the name must end in .png or .jpg") from error
    if not written:
        raise InputError(f"cannot write {path}: does its folder exist?")


if __name__ == "__main__":
    sys.exit(main())
