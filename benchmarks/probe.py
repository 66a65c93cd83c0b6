"""Measure how well the features of an image encoder tell categories apart, by a linear probe of its stages.

    python benchmarks/probe.py (--model MODEL_FOLDER | --weights LOCATION [--backbone NAME])
        --annotations INSTANCES --images DIR [--categories cat,dog,horse] [--stages 4]
        [--guide] [--guide-weights FOLDER]

Each image goes through the stages alone, without a text. An object is the average of a stage's map over its
mask. A linear classifier learns the categories from some images and names the objects of the others. The
table has the accuracy of each stage: mean and standard deviation over the repeats, which differ in the folds
of the images. With `--guide` the heads of the guide's detector are probed too, alone and together with each
stage.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import timm
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dmmi_core.checkpoints.pretrained import load_backbone, load_guide
from dmmi_core.checkpoints.saved_network import load_model
from dmmi_core.cli.program import aligned
from dmmi_core.config import preset
from dmmi_core.data.synthesis.affine_view import ViewedObject, view_scene
from dmmi_core.data.synthesis.images.composition import read_pixels
from dmmi_core.data.synthesis.scenes import Scene, read_scenes
from dmmi_core.errors import DmmiError, ModelError
from dmmi_core.model import Dmmi
from dmmi_core.model.detector_guide import Guide
from dmmi_core.resizing import resize

LEAST_AREA = 0.005
"""Least area of an object that is probed, as a share of the image."""
MASK_QUALITY = 0.8
LEAST_OBJECTS = 20
"""Least number of objects of a category that is probed without being asked for."""
GUIDE_LEVELS = slice(1, 3)
"""Strides 16 and 32 of the detector's four."""
PENALTY = 1.0
"""Factor of half the squared weights, beside the loss summed over the objects."""

Found = list[tuple[Scene, list[ViewedObject]]]
"""Images with the objects that are probed."""


def read_network(arguments: argparse.Namespace) -> Dmmi:
    """Return the network in evaluation mode; parts that the probe does not use may have random weights."""
    if arguments.model:
        model, _ = load_model(arguments.model)
    else:
        published = timm.get_pretrained_cfg(arguments.backbone)
        if published is None:
            raise ModelError(f"timm has no model {arguments.backbone!r}")
        model = Dmmi(
            replace(
                preset("dmmi-lite"),
                backbone=arguments.backbone,
                image_mean=published.mean,
                image_std=published.std,
                guide=None,
            )
        )
        load_backbone(model, arguments.weights)
    if arguments.guide_weights:
        model.guide = model.guide or Guide(model.visual.channels[1:])
        load_guide(model, arguments.guide_weights)
    if arguments.guide and model.guide is None:
        raise ModelError("the network has no guide: give --guide-weights")
    return model.eval()


def find_objects(
    scenes: Sequence[Scene], categories: Sequence[str], size: int, most: int | None
) -> tuple[Found, list[str]]:
    """Return the images with the objects to probe, as the network sees them, and their categories.

    Without `categories`, all with enough objects are probed. At most `most` random objects of each are used.
    """
    found = []
    for scene in scenes:
        matrix = np.array([[size / scene.width, 0, 0], [0, size / scene.height, 0]])
        for item in view_scene(scene, matrix, size).objects:
            if item.mask is not None and item.area >= LEAST_AREA:
                found.append((scene, item))
    counts = Counter(item.category for _, item in found)
    chosen = list(categories) or sorted(name for name, count in counts.items() if count >= LEAST_OBJECTS)
    if missing := [name for name in chosen if not counts[name]]:
        raise DmmiError(f"no object is a {', nor a '.join(missing)}")
    if len(chosen) < 2:
        raise DmmiError("there must be two categories at least to tell apart")
    rng, kept = np.random.default_rng(0), []
    for name in chosen:
        members = [i for i, (_, item) in enumerate(found) if item.category == name]
        kept += rng.permutation(members)[:most].tolist()
    grouped: dict[str, tuple[Scene, list[ViewedObject]]] = {}
    for scene, item in (found[i] for i in sorted(kept)):
        grouped.setdefault(scene.image, (scene, []))[1].append(item)
    return list(grouped.values()), chosen


@torch.no_grad()
def feature_maps(model: Dmmi, pixels: Tensor, *, guide: bool) -> tuple[list[Tensor], list[Tensor]]:
    """Return the maps of the stages and of the guide's heads for pixels, uint8 RGB (1, 3, H, W)."""
    x, stages = model.visual.stem(model.normalize(pixels)), []
    for stage in model.visual.stages:
        x = stage(x)
        stages.append(x)
    found = model.guide.detector(pixels / 255)[GUIDE_LEVELS] if guide else []
    return stages, [level.features for level in found]


def pooled(features: Tensor, mask: np.ndarray) -> Tensor:
    """Return the average of (1, C, h, w) over a mask, bool (S, S), weighted by covered shares."""
    height, width = features.shape[2:]
    share = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    share = torch.from_numpy(share)
    return (features[0] * share).sum(dim=(1, 2)) / share.sum()


def object_features(
    model: Dmmi, found: Found, images: Path, size: int, stages: Sequence[int], *, guide: bool
) -> dict[str, Tensor]:
    """Return features (objects, C), in the order of `found`, by name. `stages` are counted from 1."""
    rows: dict[str, list[Tensor]] = {}
    for scene, objects in found:
        image = resize(read_pixels(scene, images), size, model.config.antialias)
        pixels = torch.from_numpy(image).permute(2, 0, 1)[None]
        maps, heads = feature_maps(model, pixels, guide=guide)
        for item in objects:
            seen = [pooled(head, item.mask) for head in heads]
            if seen:
                rows.setdefault("guide", []).append(torch.cat(seen))
            for number in stages:
                own = pooled(maps[number - 1], item.mask)
                rows.setdefault(f"stage {number}", []).append(own)
                if seen:
                    rows.setdefault(f"stage {number} + guide", []).append(torch.cat([own, *seen]))
    return {name: torch.stack(vectors).double() for name, vectors in rows.items()}


def fit(features: Tensor, labels: Tensor, classes: int) -> nn.Linear:
    """Multinomial logistic regression of (N, C) to int64 (N,), with an L2 penalty on the weights."""
    layer = nn.Linear(features.shape[1], classes, dtype=features.dtype)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        error = F.cross_entropy(layer(features), labels, reduction="sum")
        total = error + PENALTY / 2 * layer.weight.square().sum()
        total.backward()
        return total

    optimizer.step(loss)
    return layer


def cross_validated(features: Tensor, labels: Tensor, images: Tensor, folds: int, repeats: int) -> np.ndarray:
    """Return the accuracy of each repeat. All objects of an image are in one fold.

    features (N, C); labels and images int64 (N,), counted from 0.
    """
    rng, classes = np.random.default_rng(0), int(labels.max()) + 1
    accuracies = []
    for _ in range(repeats):
        count = int(images.max()) + 1
        fold_of = torch.from_numpy(rng.permutation(count) % folds)[images]
        right = 0
        for fold in range(folds):
            held_out = fold_of == fold
            deviation, mean = torch.std_mean(features[~held_out], dim=0)
            standard = (features - mean) / deviation.clamp(min=1e-6)
            with torch.enable_grad():
                layer = fit(standard[~held_out], labels[~held_out], classes)
            with torch.no_grad():
                right += int((layer(standard[held_out]).argmax(dim=1) == labels[held_out]).sum())
        accuracies.append(right / len(labels))
    return np.array(accuracies)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    network = parser.add_mutually_exclusive_group(required=True)
    network.add_argument("--model", type=Path, metavar="FOLDER", help="a model folder")
    network.add_argument("--weights", help="of a backbone, as backbone_weights of a recipe")
    parser.add_argument("--backbone", default="tf_efficientnet_lite1", help="timm's name, with --weights")
    parser.add_argument(
        "--annotations", required=True, metavar="FILE", help="COCO-style instances with masks"
    )
    parser.add_argument("--images", type=Path, required=True, metavar="DIR")
    parser.add_argument(
        "--categories", default="", help="joined by commas; default: all of 20 objects or more"
    )
    parser.add_argument("--max-objects", type=int, help="of a category")
    parser.add_argument("--size", type=int, default=320, help="side of the network's input")
    parser.add_argument("--stages", type=int, nargs="+", choices=(1, 2, 3, 4), default=[4])
    parser.add_argument("--guide", action="store_true", help="probe the heads of the guide, too")
    parser.add_argument("--guide-weights", metavar="FOLDER", help="as guide_weights of a recipe")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    arguments.guide = arguments.guide or bool(arguments.guide_weights)
    if arguments.guide and arguments.size % 32:
        parser.error("with a guide, --size must be a multiple of 32")
    try:
        probe(arguments)
    except DmmiError as error:
        parser.error(str(error))


def probe(arguments: argparse.Namespace) -> None:
    model = read_network(arguments)
    scenes = read_scenes(arguments.annotations, mask_quality=MASK_QUALITY)
    asked = [name.strip() for name in arguments.categories.split(",") if name.strip()]
    found, categories = find_objects(scenes, asked, arguments.size, arguments.max_objects)
    if len(found) < arguments.folds:
        raise DmmiError(f"{arguments.folds} folds need as many images; there are {len(found)}")
    named = [(i, item.category) for i, (_, objects) in enumerate(found) for item in objects]
    images = torch.tensor([i for i, _ in named])
    labels = torch.tensor([categories.index(category) for _, category in named])
    counts = Counter(category for _, category in named)
    listed = ", ".join(f"{name} {counts[name]}" for name in categories)
    print(f"{len(named)} objects in {len(found)} images: {listed}")
    print(f"always the most frequent category: {max(counts.values()) / len(named):.3f}")
    features = object_features(
        model, found, arguments.images, arguments.size, arguments.stages, guide=arguments.guide
    )
    torch.set_num_threads(1)  # more are slower with matrices as small as these
    rows = [("features", "width", "accuracy", "deviation")]
    for name, vectors in features.items():
        accuracies = cross_validated(vectors, labels, images, arguments.folds, arguments.repeats)
        rows.append((name, str(vectors.shape[1]), f"{accuracies.mean():.3f}", f"{accuracies.std():.3f}"))
    print(aligned(rows))


if __name__ == "__main__":
    main()
