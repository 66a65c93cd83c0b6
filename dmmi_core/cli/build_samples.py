"""`dmmi build-samples`: a samples file of zero, one and many targets from label images or Cityscapes."""

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dmmi_core.errors import InputError
from dmmi_core.extras import require
from dmmi_core.files import replaced_file

if TYPE_CHECKING:
    from dmmi_core.data.samples import Sample


def add(commands) -> None:
    parser = commands.add_parser(
        "build-samples",
        help="make a samples file from Cityscapes or other label images",
        description="Make requests such as 'the pedestrians' and 'the cars on the left', and 'the train' for "
        "an image without one, for dmmi evaluate, dmmi compare and dmmi train.",
    )
    parser.add_argument("out", type=Path, metavar="OUT.jsonl", help="the samples file to write")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--cityscapes", type=Path, metavar="DIR", help="folder with leftImg8bit/ and gtFine/")
    source.add_argument(
        "--labels", type=Path, metavar="DIR", help="folder of label images; needs --images and --words"
    )
    parser.add_argument("--split", metavar="NAME", help="split of Cityscapes (val)")
    parser.add_argument("--images", type=Path, metavar="DIR", help="folder of the images")
    parser.add_argument(
        "--words", type=Path, metavar="FILE.yaml", help="sections things and regions, each of label: word"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    require("textblob")  # for plurals
    from dmmi_core.data.samples import KINDS, write_samples

    samples, images = _source(arguments)
    kinds: Counter[str] = Counter()

    def counted() -> "Iterator[Sample]":
        for sample in samples:
            kinds[sample.kind] += 1
            yield sample

    try:
        with replaced_file(arguments.out) as new:
            write_samples(new, counted())
    except OSError as error:
        raise InputError(f"cannot write {arguments.out}: {error.strerror}") from error
    numbers = ", ".join(f"{kinds[kind]} {kind}" for kind in KINDS)
    print(f"{kinds.total()} samples ({numbers}); dmmi evaluate --samples {arguments.out} --images {images}")


def _source(arguments: argparse.Namespace) -> "tuple[Iterator[Sample], Path]":
    """Return the samples and the folder of their images. Raises InputError if options contradict."""
    from dmmi_core.data.cityscapes import WORDS, image_folder, read_cityscapes
    from dmmi_core.data.label_images import label_image_samples, read_words

    if arguments.cityscapes:
        if arguments.images:
            raise InputError("--images goes with --labels: Cityscapes has its own")
        split = arguments.split or "val"
        words = read_words(arguments.words) if arguments.words else WORDS
        return read_cityscapes(arguments.cityscapes, split, words), image_folder(arguments.cityscapes, split)
    if arguments.split:
        raise InputError("--split goes with --cityscapes: plain label images have no splits")
    if not (arguments.images and arguments.words):
        raise InputError("--labels needs --images and --words")
    return label_image_samples(
        arguments.images, arguments.labels, read_words(arguments.words)
    ), arguments.images
