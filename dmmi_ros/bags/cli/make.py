"""`dmmi-bag make`: a bag from images or a video."""

import argparse
from pathlib import Path
from typing import Any

from dmmi_core.extras import require
from dmmi_ros.bags.cli.options import BAG_MODULES, STORAGES, rate, topic


def add(commands: Any) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser("make", help="make a bag from images or a video")
    parser.add_argument(
        "source",
        type=Path,
        metavar="IMAGES_OR_VIDEO",
        help="folder of images, in the order of their names, or video",
    )
    parser.add_argument("bag", type=Path, metavar="OUT_BAG")
    parser.add_argument(
        "--rate", type=rate, metavar="HZ", help="frames per second (default: the video's own; 10 for images)"
    )
    parser.add_argument(
        "--storage", choices=STORAGES, default="mcap", help="storage of the bag (%(default)s)"
    )
    parser.add_argument(
        "--topic", type=topic, default="/camera/image_raw", metavar="T", help="image topic (%(default)s)"
    )
    parser.add_argument("--compressed", action="store_true", help="write CompressedImage to T/compressed")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write images or a video to a new bag."""
    require(*BAG_MODULES)
    from dmmi_ros.bags.from_images import write_images
    from dmmi_ros.bags.writer import new_bag

    topic = f"{arguments.topic}/compressed" if arguments.compressed else arguments.topic
    with new_bag(arguments.bag, storage=arguments.storage) as bag:
        count, rate = write_images(
            bag, arguments.source, topic=topic, rate=arguments.rate, compressed=arguments.compressed
        )
    print(f"{arguments.bag}: {count} frames on {topic}, {rate:g} Hz")
