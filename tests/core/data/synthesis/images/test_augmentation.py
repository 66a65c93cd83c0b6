import numpy as np
import pytest

from dmmi_core.data.samples import read_image
from dmmi_core.data.synthesis.affine_view import view_scene
from dmmi_core.data.synthesis.images.augmentation import jitter, random_view, warp, whole_view
from dmmi_core.data.synthesis.scenes import Scene, read_scenes
from helpers.pictures import HEIGHT, WIDTH, look

SCENE = Scene("", WIDTH, HEIGHT, (), frozenset())
SIZE = 100


def inverse(matrix: np.ndarray) -> np.ndarray:
    return np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]


def test_random_views_are_crops_of_the_image_mirrored_half_of_the_time():
    flips, sides = 0, []
    for seed in range(200):
        matrix = random_view(SCENE, SIZE, np.random.default_rng(seed))
        assert matrix[0, 1] == matrix[1, 0] == 0
        corners = inverse(matrix) @ [[0, SIZE], [0, SIZE], [1, 1]]
        assert (corners > -1e-6).all()
        assert corners[0].max() < WIDTH + 1e-6 and corners[1].max() < HEIGHT + 1e-6
        sides.append([np.ptp(corners[0]) / WIDTH, np.ptp(corners[1]) / HEIGHT])
        flips += matrix[0, 0] < 0
        assert matrix[1, 1] > 0, "never upside down"
    assert 70 < flips < 130
    assert 0.6 <= np.min(sides) < 0.65 and 0.95 < np.max(sides) <= 1


def test_the_whole_view_has_every_corner():
    assert (whole_view(SCENE, SIZE) @ [[0, WIDTH], [0, HEIGHT], [1, 1]]).tolist() == [[0, SIZE], [0, SIZE]]


@pytest.mark.parametrize("seed", range(10))
def test_pixels_and_masks_move_alike(pictures, seed):
    """Each object's pixels lie within a pixel of its mask, mirrored or not."""
    rng = np.random.default_rng(seed)
    scene = read_scenes(pictures)[5 * seed % 40]
    matrix = random_view(scene, 240, rng)
    seen = look(jitter(warp(read_image(pictures.parent / scene.image), matrix, 240), rng))
    view = view_scene(scene, matrix, 240)
    for item in view.objects:
        found = next(s for s in seen[item.category] if (s.mask & item.mask).sum() > 0.5 * item.mask.sum())
        edges = [
            (rows.min(), rows.max(), cols.min(), cols.max())
            for rows, cols in map(np.nonzero, (found.mask, item.mask))
        ]
        assert np.abs(np.subtract(*edges)).max() <= 2


def test_jitter_keeps_hues_and_stays_in_range():
    colours = np.array([[[200, 40, 40], [40, 200, 40], [40, 40, 200], [128, 128, 128]]], np.uint8)
    results = [jitter(colours, np.random.default_rng(seed)) for seed in range(50)]
    for result in results:
        assert result.dtype == np.uint8 and result.shape == colours.shape
        assert result[0, :3].argmax(axis=1).tolist() == [0, 1, 2]
        assert np.ptp(result[0, 3]) <= 1, "grey stays grey"
    assert np.ptp([result[0, 3, 0] for result in results]) > 40
