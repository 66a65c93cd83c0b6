"""`dmmi compare`: the page and the picture, which samples they show, and one line for mistakes."""

import re

import cv2
import numpy as np
import pytest

from dmmi_core.cli import main
from dmmi_core.evaluation.side_by_side import TARGET_COLOUR
from dmmi_core.visualization.grid import CELL, GAP, LINE


@pytest.fixture
def arguments(questions, model, tmp_path) -> list[str]:
    models = (str(model), f"{model}/")  # another name of the same folder
    return [
        *("compare", *models, "--device", "cpu", "--engine", "torch", "--output", str(tmp_path / "out")),
        *("--samples", str(questions / "samples.jsonl"), "--images", str(questions)),
    ]


def test_page_and_picture(arguments, tmp_path, capsys):
    assert main([*arguments, "--pick", "1", "5"]) == 0
    page, picture = tmp_path / "out" / "comparison.html", tmp_path / "out" / "comparison.png"
    assert capsys.readouterr().out.split() == [str(page), str(picture)]
    html = page.read_text(encoding="utf-8")
    assert re.findall("<h2>(.*?)</h2>", html) == ["the dog", "&lt;b&gt;zebra&lt;/b&gt;"]
    assert html.count("<img") == 2 * 4 and "http" not in html
    assert html.count(f"<th>{arguments[1]}</th>") == 1 and "<figcaption>ground truth: zero<" in html
    drawn = cv2.imread(str(picture))[..., ::-1]
    height = round(CELL * 90 / 120)
    assert drawn.shape == (LINE + 2 * (2 * LINE + height) + GAP, GAP + 4 * (CELL + GAP), 3)
    middle = [drawn[2 * LINE + 40 : 2 * LINE + 60, GAP + n * (CELL + GAP) + 40 :][:, :20] for n in range(4)]
    image, target, first, second = (patch.reshape(-1, 3).mean(axis=0) for patch in middle)
    assert np.linalg.norm(target - TARGET_COLOUR) < np.linalg.norm(image - TARGET_COLOUR)
    assert np.array_equal(first, second), "the same model"
    assert not np.array_equal(drawn[:, -CELL:], drawn[:, GAP : GAP + CELL])


def test_samples_from_everywhere_unless_picked(arguments, tmp_path):
    assert main(arguments) == 0
    html = (tmp_path / "out" / "comparison.html").read_text(encoding="utf-8")
    assert html.count("<section>") == 7, "all of the file's"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--pick", "0"], "--pick 0: the samples file has the lines 1 to 7"),
        (["--pick", "8"], "--pick 8: the samples file has the lines 1 to 7"),
        (["--samples", "/dev/null"], "the samples file is empty"),
        (["--images", "nowhere"], "no such image file"),
        (["--output", "/dev/null/out"], "cannot write /dev/null/out/comparison.png"),
    ],
)
def test_mistakes_are_one_line(arguments, capsys, more, message):
    assert main([*arguments, *more]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
