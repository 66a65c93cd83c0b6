"""Watershed on the distance to the background: it separates touching objects at their necks."""

from collections.abc import Iterator

import cv2
import numpy as np

GRID = 128
"""Most cells along the longer side: finer than the score maps of the networks, and fast."""
NECK = 0.5
"""Parts are separated if their neck is narrower than this share of the narrower part."""
NEIGHBOURS = ((0, 1), (1, -1), (1, 0), (1, 1))
"""Four of the eight neighbour offsets, as rows and columns; the others are their mirror images."""


def watershed(foreground: np.ndarray) -> np.ndarray:
    """Label the objects of foreground, uint8 (H, W), 0 or 1: int32 (H, W), 0 for background.

    A basin is the set of cells from which steepest ascent of the distance to the background ends at the same
    peak. Two basins belong to one object unless the depth of the deepest passage between them is less than
    NECK times the lower peak.
    """
    height, width = foreground.shape
    step = -(-max(height, width) // GRID)
    padding = ((1, 1 + -height % step), (1, 1 + -width % step))  # outside the image is background
    distance = cv2.distanceTransform(np.pad(foreground, padding), cv2.DIST_L2, 5)[1:-1, 1:-1]
    cells = distance.shape[1] // step, distance.shape[0] // step
    depth = cv2.resize(distance, cells, interpolation=cv2.INTER_AREA)
    coarse = _merged(depth, _basins(depth)).astype(np.float32)
    labels = cv2.resize(coarse, distance.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return labels[:height, :width].astype(np.int32) * foreground


def _basins(depth: np.ndarray) -> np.ndarray:
    """Return the peak where steepest ascent from each cell ends, an index into `depth.flat`: int32 (h, w)."""
    index = np.arange(depth.size, dtype=np.int32).reshape(depth.shape)
    upward, highest = index.copy(), depth.copy()
    for pair in map(_neighbours, NEIGHBOURS):
        for here, there in (pair, pair[::-1]):
            better = depth[there] > highest[here]
            upward[here][better], highest[here][better] = index[there][better], depth[there][better]
    targets = upward.ravel()
    while not np.array_equal(further := targets[targets], targets):
        targets = further
    return targets.reshape(depth.shape)


def _merged(depth: np.ndarray, basins: np.ndarray) -> np.ndarray:
    """Label the objects that basins are merged into: int64 (h, w), 0 where the depth is 0."""
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
    """Yield depth and basins of the deepest passage between neighbouring basins, deepest first."""
    deepest: dict[tuple[int, int], float] = {}
    for here, there in map(_neighbours, NEIGHBOURS):
        passage = np.minimum(depth[here], depth[there])
        crossing = (basins[here] != basins[there]) & (passage > 0)
        sides = np.sort(np.stack([basins[here][crossing], basins[there][crossing]], axis=1), axis=1)
        for value, pair in zip(passage[crossing].tolist(), map(tuple, sides.tolist()), strict=True):
            deepest[pair] = max(value, deepest.get(pair, 0.0))
    for pair, value in sorted(deepest.items(), key=lambda item: (-item[1], item[0])):
        yield value, *pair


def _neighbours(offset: tuple[int, int]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return two views' indices: all cells with a neighbour at `offset`, and those neighbours."""
    down, right = offset
    here = np.s_[: -down or None, max(0, -right) : min(0, -right) or None]
    there = np.s_[down:, max(0, right) : min(0, right) or None]
    return here, there
