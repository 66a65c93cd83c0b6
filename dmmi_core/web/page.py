"""A page that answers texts about photographs, made with Gradio."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
import numpy as np

from dmmi_core.data.samples import read_image
from dmmi_core.errors import DmmiError
from dmmi_core.instances.grouping import union_mask
from dmmi_core.result import Result, Status
from dmmi_core.segmenter import Segmenter
from dmmi_core.visualization.overlay import PALETTE

EXAMPLES = Path(__file__).with_name("examples")
"""Photographs of scikit-image in the public domain: NASA's astronaut, a cat (CC0) and a cup (CC0)."""
TEXTS = {"astronaut.jpg": "the person", "cat.jpg": "the cat", "coffee.jpg": "the dogs on the left"}
COLUMNS = ["id", "score", "area", "x", "y", "width", "height"]
FONT = ["system-ui", "sans-serif"]  # the default theme asks a server for its fonts

Masks = tuple[np.ndarray, list[tuple[np.ndarray, str]]]


class Answer(NamedTuple):
    """The values of the page's outputs."""

    line: str
    """One line: the answer, or what is wrong."""
    picture: Masks | None = None
    """The image, uint8 RGB (H, W, 3), and the mask, bool (H, W), and id of each instance."""
    rows: Sequence[Sequence[float]] = ()
    """A row of COLUMNS for each instance."""


def answer(
    segmenter: Segmenter, path: str | None, text: str, presence_threshold: float, mask_threshold: float
) -> Answer:
    """Answer a text about an image file; bad input gives a line that says what to do."""
    if not path:
        return Answer("choose an image first")
    options = replace(segmenter.options, presence_threshold=presence_threshold, mask_threshold=mask_threshold)
    try:
        image = read_image(path)
        start = time.perf_counter()
        result = segmenter(image, text or "", options)
    except DmmiError as error:
        return Answer(str(error).replace(str(path), Path(path).name))
    milliseconds = 1e3 * (time.perf_counter() - start)
    return Answer(_line(result, milliseconds), _masks(image, result), _rows(result))


def build_page(segmenter: Segmenter, name: str) -> gr.Blocks:
    """Return the page for a model."""
    with gr.Blocks(title=f"DMMI: {name}", analytics_enabled=False) as page:
        gr.Markdown(f"## {name}\nFinds every object that a text refers to, or says that there is none.")
        with gr.Row():
            with gr.Column():
                image = gr.Image(label="image", sources=["upload", "webcam", "clipboard"], type="filepath")
                image.preprocess = _path  # type: ignore[method-assign]
                text = gr.Textbox(label="text", placeholder="the two cups on the left", elem_id="text")
                ask = gr.Button("Find", variant="primary", elem_id="find")
                presence = gr.Slider(
                    0,
                    1,
                    segmenter.presence_threshold,
                    step=0.01,
                    label="presence threshold",
                    elem_id="presence",
                )
                mask = gr.Slider(
                    0.01, 0.99, segmenter.options.mask_threshold, step=0.01, label="mask threshold"
                )
            with gr.Column():
                line = gr.Textbox(label="answer", interactive=False, elem_id="line")
                masks = gr.AnnotatedImage(label="instances", color_map=_colours(), elem_id="masks")
                table = gr.Dataframe(headers=COLUMNS, label="instances", elem_id="table")
        inputs = [image, text, presence, mask]
        gr.Examples([[str(EXAMPLES / file), said] for file, said in TEXTS.items()], inputs=[image, text])

        def ask_model(*values) -> tuple:
            line, picture, rows = answer(segmenter, *values)
            return line, picture, list(rows)

        triggers = [ask.click, text.submit, presence.release, mask.release]
        gr.on(triggers, ask_model, inputs, [line, masks, table], concurrency_limit=1, api_name="answer")
    return page


def serve(page: gr.Blocks, port: int | None, *, wait: bool = True) -> str:
    """Serve the page on this machine alone, until Ctrl-C if `wait` is true; return its address.

    Raises OSError if the port is taken.
    """
    _, address, _ = page.launch(
        server_name="127.0.0.1",
        server_port=port,
        share=False,
        quiet=True,
        prevent_thread_lock=True,
        max_file_size="50mb",
        allowed_paths=[str(EXAMPLES)],
        theme=gr.themes.Default(font=FONT, font_mono=["monospace"]),
        ssr_mode=False,
    )
    if wait:
        print(f"{address} (Ctrl-C ends it)", flush=True)
        page.block_thread()
    return address


def _path(payload: Any) -> str | None:
    """Return the path of an uploaded file; Gradio's own function ends in a traceback if it is no image."""
    return None if payload is None else payload.path


def _line(result: Result, milliseconds: float) -> str:
    found = {Status.NO_TARGET: "no target", Status.ONE: "one target"}.get(
        result.status, f"{len(result.instances)} targets"
    )
    compared = f"presence {result.presence:.2f}, threshold {result.presence_threshold:.2f}"
    return f"{found}: {compared}; {milliseconds:.0f} ms"


def _masks(image: np.ndarray, result: Result) -> Masks:
    shape = result.mask.shape
    return image, [(union_mask((item,), *shape), str(item.id)) for item in result.instances]


def _rows(result: Result) -> list[list[float]]:
    return [
        [item.id, round(item.score, 2), item.area, item.roi.x, item.roi.y, item.roi.width, item.roi.height]
        for item in result.instances
    ]


def _colours() -> dict[str, str]:
    """Return the colours of the overlays for the ids of as many instances as one might see."""
    return {str(n + 1): "#{:02x}{:02x}{:02x}".format(*PALETTE[n % len(PALETTE)]) for n in range(100)}
