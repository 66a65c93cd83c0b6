"""`dmmi web`: a page on this machine that answers texts about photographs."""

import argparse
import os

from dmmi_core.cli.options import add_engine, add_model, segmenter_options
from dmmi_core.errors import InputError
from dmmi_core.extras import require


def add(commands) -> None:
    parser = commands.add_parser(
        "web",
        help="open a page to try a model in",
        description="Serve a page on http://127.0.0.1 that takes an image (a file, the camera, an example) "
        "and a text, and shows masks with ids, presence and time.",
    )
    add_model(parser)
    add_engine(parser)
    parser.add_argument("--port", type=int, metavar="N", help="port of the page (the first free from 7860)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    require("gradio")
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when Gradio is imported
    from dmmi_core.segmenter import Segmenter
    from dmmi_core.web.page import build_page, serve

    if arguments.port is not None and not 1 <= arguments.port <= 65535:
        raise InputError(f"--port is {arguments.port}; it must be from 1 to 65535")
    segmenter = Segmenter.from_pretrained(arguments.model, **segmenter_options(arguments))
    segmenter.warm_up()
    try:
        serve(build_page(segmenter, arguments.model), arguments.port)
    except OSError as error:
        raise InputError(
            f"port {arguments.port or 'from 7860'} cannot be used: choose another with --port"
        ) from error
