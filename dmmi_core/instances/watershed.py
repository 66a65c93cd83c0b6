"""Watershed of the distance to the background: objects that touch are cut apart at their necks."""

from collections.abc import Iterator

import cv2
import numpy as np

GRID = 128
"""Cells along the longer side, at most: finer than the scores of a network, and quick."""
NECK = 0.5
"""Parts come apart where their neck is narrower than this share of the narrower part."""
FORWARD = ((0, 1), (1, -1), (1, 0), (1, 1))
"""Half of the eight neighbours; the others are where these lead to from."""


def watershed(foreground: np.ndarray) -> np.ndarray:
    """Labels int32 (H, W), 0 for background, of foreground uint8 (H, W), 0 or 1.

    A basin is what leads up, steepest first, to one peak of the distance to the background. Two basins are
    one object unless the deepest passage between them is less than NECK of the lower peak.
    """
    height, width = foreground.shape
    step = -(-max(height, width) // GRID)
    padding = ((1, 1 + -height % step), (1, 1 + -width % step))  # beyond the border is background
    distance = cv2.distanceTransform(np.pad(foreground, padding), cv2.DIST_L2, 5)[1:-1, 1:-1]
    cells = distance.shape[1] // step, distance.shape[0] // step
    depth = cv2.resize(distance, cells, interpolation=cv2.INTER_AREA)
    labels = _merged(depth, _basins(depth)).astype(np.float32)
    labels = cv2.resize(labels, distance.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return labels[:height, :width].astype(np.int32) * foreground


def _basins(depth: np.ndarray) -> np.ndarray:
    """For each cell the peak that it leads up to, as an index into `depth.flat`; int32 (h, w)."""
    index = np.arange(depth.size, dtype=np.int32).reshape(depth.shape)
    upward, highest = index.copy(), depth.copy()
    for pair in map(_neighbours, FORWARD):
        for here, there in (pair, pair[::-1]):
            better = depth[there] > highest[here]
            upward[here][better], highest[here][better] = index[there][better], depth[there][better]
    upward = upward.ravel()
    while not np.array_equal(further := upward[upward], upward):
        upward = further
    return upward.reshape(depth.shape)


def _merged(depth: np.ndarray, basins: np.ndarray) -> np.ndarray:
    """Labels int64 (h, w) of the objects that the basins make up, 0 where there is no depth."""
    inside = depth > 0
    peaks = np.unique(basins[inside])
    height = depth.flat[peaks]
    parents = np.arange(len(peaks))

    def root(basin: int) -> int:
        while parents[basin] != basin:
            basin = parents[basin]
        return basin

    numbers = np.searchsorted(peaks, basins)
    for passage, *sides in _passages(depth, numbers):
        low, high = sorted(map(root, sides), key=lambda basin: (height[basin], basin))
        if passage >= NECK * height[low]:
            parents[low] = high
    roots = np.array([root(basin) for basin in range(len(peaks))])
    return np.where(inside, 1 + roots[np.minimum(numbers, len(peaks) - 1)], 0)


def _passages(depth: np.ndarray, basins: np.ndarray) -> Iterator[tuple[float, int, int]]:
    """Depth and basins of the deepest passage between each two neighbouring basins, deepest first."""
    deepest: dict[tuple[int, int], float] = {}
    for here, there in map(_neighbours, FORWARD):
        passage = np.minimum(depth[here], depth[there])
        crossing = (basins[here] != basins[there]) & (passage > 0)
        sides = np.sort(np.stack([basins[here][crossing], basins[there][crossing]], axis=1), axis=1)
        for value, pair in zip(passage[crossing].tolist(), map(tuple, sides.tolist()), strict=True):
            deepest[pair] = max(value, deepest.get(pair, 0.0))
    for pair, value in sorted(deepest.items(), key=lambda item: (-item[1], item[0])):
        yield value, *pair


def _neighbours(offset: tuple[int, int]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where cells and their neighbours at `offset` are, of all that have one."""
    down, right = offset
    here = np.s_[: -down or None, max(0, -right) : min(0, -right) or None]
    there = np.s_[down:, max(0, right) : min(0, right) or None]
    return here, there
