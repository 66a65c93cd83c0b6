"""`dmmi build-refzom`: a dataset of zero, one and many targets, made in the ways of Ref-ZOM."""

import argparse
from pathlib import Path

from dmmi_core.errors import InputError
from dmmi_core.extras import require


def add(commands) -> None:
    parser = commands.add_parser(
        "build-refzom", help="make a dataset of zero, one and many targets from COCO annotations"
    )
    parser.add_argument("folder", type=Path, metavar="OUT_DIR", help="the folder to make")
    parser.add_argument("--annotations", required=True, metavar="FILE.json", help="COCO instances")
    parser.add_argument("--captions", action="append", default=[], metavar="FILE.json", help="COCO captions")
    parser.add_argument(
        "--refs", action="append", default=[], metavar="FILE.p", help="refs(...).p of the RefCOCO family"
    )
    parser.add_argument("--confirmed", metavar="FILE.jsonl", help="checked lines of candidates.jsonl")
    parser.add_argument("--images", type=Path, metavar="DIR", help="use only the photographs in this folder")
    parser.add_argument("--seed", type=int, default=0, help="random seed of all that is drawn (%(default)s)")
    parser.add_argument(
        "--test-share",
        type=int,
        default=5,
        metavar="N",
        help="one photograph in N is for testing, chosen by its file name (%(default)s)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    require("textblob")
    from dmmi_core.data.coco import read_captions
    from dmmi_core.data.refzom.build import build
    from dmmi_core.data.refzom.caption_candidates import read_confirmed
    from dmmi_core.data.refzom.category_terms import Vocabulary
    from dmmi_core.data.refzom.existing_expressions import read_expressions
    from dmmi_core.data.refzom.images import Texts, pairs_by_image, read_images
    from dmmi_core.data.refzom.output_files import STATISTICS, require_writable, write_dataset

    if arguments.seed < 0 or arguments.test_share < 1:
        raise InputError("--seed must be at least 0 and --test-share at least 1")
    require_writable(arguments.folder)
    texts = Texts(
        read_captions(arguments.captions),
        pairs_by_image([pair for path in arguments.refs for pair in read_expressions(path)]),
        pairs_by_image(read_confirmed(arguments.confirmed) if arguments.confirmed else []),
    )
    images, instances = read_images(arguments.annotations, texts)
    if arguments.images:
        images = [image for image in images if (arguments.images / image.scene.image).is_file()]
    if not images:
        raise InputError("no photograph to use: is --images the folder of those in --annotations?")
    vocabulary = Vocabulary(instances.category_names.values())
    built = build(images, vocabulary, seed=arguments.seed, test_share=arguments.test_share)
    write_dataset(arguments.folder, built, instances)
    print((arguments.folder / STATISTICS).read_text(encoding="utf-8"), end="")
