"""The page of `dmmi web`: its answers, and the page itself in headless Chromium."""

import shutil

import cv2
import numpy as np
import pytest

from dmmi_core.cli import main
from dmmi_core.segmenter import Segmenter
from helpers.tiny import ABSENT, PRESENT, RedFinder

gradio = pytest.importorskip("gradio", reason="needs the extra [web]")
from dmmi_core.web.page import COLUMNS, EXAMPLES, TEXTS, answer, build_page, serve  # noqa: E402

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def segmenter(tokenizer):
    return Segmenter.of_network(RedFinder(), tokenizer, device="cpu", grouping="connected_components")


@pytest.fixture
def photograph(tmp_path) -> str:
    """An image with two red squares."""
    image = np.zeros((64, 96, 3), np.uint8)
    image[10:30, 10:30] = image[30:50, 60:80] = (0, 0, 255)
    path = tmp_path / "squares.png"
    cv2.imwrite(str(path), image)
    return str(path)


def test_answer(segmenter, photograph):
    found = answer(segmenter, photograph, PRESENT, 0.5, 0.5)
    assert found.line.startswith("2 targets: presence 0.90, threshold 0.50; ") and found.line.endswith(" ms")
    image, masks = found.picture
    assert image.shape == (64, 96, 3) and [label for _, label in masks] == ["1", "2"]
    assert [row[0] for row in found.rows] == [1, 2] and {len(row) for row in found.rows} == {len(COLUMNS)}


def test_thresholds(segmenter, photograph):
    assert answer(segmenter, photograph, ABSENT, 0.5, 0.5).line.startswith("no target: presence 0.10")
    assert answer(segmenter, photograph, ABSENT, 0.05, 0.5).line.startswith("2 targets")
    assert answer(segmenter, photograph, PRESENT, 0.95, 0.5).picture[1] == []


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        (None, PRESENT, "choose an image first"),
        ("squares.png", "  ", "the text is empty: say what to look for"),
        ("squares.png", None, "the text is empty: say what to look for"),
        ("notes.txt", PRESENT, "not an image that can be read: notes.txt"),
    ],
)
def test_bad_input_is_one_line(segmenter, photograph, tmp_path, name, text, line):
    (tmp_path / "notes.txt").write_text("no image")
    path = name and str(tmp_path / name)
    assert answer(segmenter, path, text, 0.5, 0.5) == (line, None, ())


def test_examples_are_photographs(segmenter):
    assert {path.name for path in EXAMPLES.iterdir()} == set(TEXTS)
    for name, text in TEXTS.items():
        assert answer(segmenter, str(EXAMPLES / name), text, 0.0, 0.5).picture


@pytest.fixture
def page(segmenter):
    """The page, open in a browser."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    if BROWSER is None:
        pytest.skip("needs the browser chromium or google-chrome")
    blocks = build_page(segmenter, "red-finder")
    address = serve(blocks, None, wait=False)
    try:
        with sync_api.sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
            page = browser.new_page()
            requested: list[str] = []
            page.on("request", lambda request: requested.append(request.url))
            page.set_default_timeout(60_000)
            page.goto(address)
            yield page
            outside = [
                url for url in requested if not url.startswith((address, "data:", "blob:")) and url != address
            ]
            assert outside == [], "nothing is asked of another machine"
            browser.close()
    finally:
        blocks.close()


def shows(page, text: str) -> None:
    """Wait until the line of the answer has a text."""
    page.wait_for_function(
        "text => document.querySelector('#line textarea, #line input')?.value.includes(text)", arg=text
    )


def test_page(page, photograph, tmp_path):
    page.click("#find")
    shows(page, "choose an image first")
    page.set_input_files("input[type=file]", photograph)
    page.wait_for_selector("img[src*='squares']")
    page.click("#find")
    shows(page, "the text is empty")
    page.fill("#text textarea, #text input", PRESENT)
    page.click("#find")
    shows(page, "2 targets: presence 0.90")
    page.wait_for_selector("#masks img")
    page.fill("#presence input[type=number]", "0.95")
    page.click("#find")
    shows(page, "no target: presence 0.90, threshold 0.95")


def test_unreadable_file_in_the_page(page, tmp_path):
    path = tmp_path / "broken.png"
    path.write_bytes(b"no image")
    page.set_input_files("input[type=file]", str(path))
    page.wait_for_selector("img[src*='broken']", state="attached")
    page.fill("#text textarea, #text input", PRESENT)
    page.click("#find")
    shows(page, "not an image that can be read: broken.png")


@pytest.mark.parametrize("port", ["0", "65536"])
def test_ports(capsys, port):
    assert main(["web", "--port", port]) == 2
    assert capsys.readouterr().err == f"dmmi: --port is {port}; it must be from 1 to 65535\n"
