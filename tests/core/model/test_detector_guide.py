"""The guide: the published detector, the link from texts to categories, and its effect on the network."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from dmmi_core.checkpoints.pretrained import load_guide
from dmmi_core.errors import ModelError
from dmmi_core.model import Dmmi
from dmmi_core.model.category_names import CATEGORIES, name_categories
from dmmi_core.model.detector_guide import SHARPNESS, CategoryLink, Guide
from dmmi_core.model.nanodet import STRIDES, NanoDet, graph_order
from dmmi_core.tokenizer import tokenize
from helpers.tiny import CONFIG, make_model

PUBLISHED = os.environ.get("DMMI_NANODET")
GUIDED = replace(CONFIG, guide="nanodet-plus-m")
TEXTS = ["the dogs", "find the two cups on the left"]


@pytest.fixture(scope="module")
def detector() -> NanoDet:
    torch.manual_seed(0)
    return NanoDet().eval()


@torch.no_grad()
def test_the_detector_sees_four_strides(detector):
    for stride, level in zip(STRIDES, detector(torch.rand(2, 3, 64, 128)), strict=True):
        size = (64 // stride, 128 // stride)
        assert level.features.shape == (2, 96, *size)
        assert level.classes.shape == (2, 80, *size)
        assert level.boxes.shape == (2, 32, *size)


def test_every_convolution_has_its_place_in_the_graph(detector):
    names = [name for name, module in detector.named_modules() if isinstance(module, torch.nn.Conv2d)]
    assert sorted(graph_order()) == sorted(names)


@pytest.mark.skipif(not PUBLISHED, reason="DMMI_NANODET does not name the folder of the published detector")
@torch.no_grad()
def test_it_is_the_published_detector():
    model = Dmmi(GUIDED)
    load_guide(model, PUBLISHED)
    reference = np.load(Path(PUBLISHED) / "reference_320.npz")
    image = torch.from_numpy(reference["image_bgr"][..., ::-1].copy()).permute(2, 0, 1)[None] / 255
    for stride, level in zip(STRIDES, model.guide.detector.eval()(image), strict=True):
        scores = torch.cat([level.classes, level.boxes], dim=1)[0]
        for found, name in ((level.features[0], "head"), (scores, "scores")):
            assert np.abs(found.numpy() - reference[f"{name}_s{stride}"]).max() < 1e-4


def test_weights_come_from_a_model_folder_too(tmp_path, tokenizer):
    from dmmi_core.checkpoints.saved_network import save_model

    source, target = make_model(GUIDED, seed=1), make_model(GUIDED, seed=2)
    save_model(source, tokenizer, tmp_path / "model", dtype=torch.float32)
    load_guide(target, str(tmp_path / "model"))
    for name, value in source.guide.detector.state_dict().items():
        assert torch.equal(target.guide.detector.state_dict()[name], value), name


@pytest.mark.parametrize("location", ["", "nowhere/weights.safetensors"])
def test_missing_weights_are_told_in_one_line(location):
    with pytest.raises(ModelError) as caught:
        load_guide(make_model(GUIDED), location)
    assert "\n" not in str(caught.value)


@torch.no_grad()
def test_words_name_categories_by_their_best_cosine():
    torch.manual_seed(0)
    link = CategoryLink(6).double()
    names = [torch.randn(n, 6).double() for n in torch.randint(1, 3, (80,)).tolist()]
    link.set_names(names)
    features, mask = torch.randn(1, 5, 6).double(), torch.tensor([[True, True, True, True, False]])
    cosines = [
        max(F.cosine_similarity(features[0, word], name.mean(dim=0), dim=0) for word in (1, 2))
        for name in names
    ]
    expected = (SHARPNESS * torch.stack(cosines)).softmax(dim=0)
    torch.testing.assert_close(link(features, mask)[0], expected)


@torch.no_grad()
def test_a_category_names_itself(tokenizer):
    model = make_model(GUIDED)
    name_categories(model, tokenizer)
    for name in ("dog", "cat", "bus", "person"):
        ids, mask = tokenize(tokenizer, [name], 20)
        assert CATEGORIES[model.encode_text(ids, mask).categories[0].argmax()] == name


@torch.no_grad()
def test_the_prior_is_the_highest_logit_of_what_is_named():
    torch.manual_seed(0)
    guide = Guide((4, 5, 6)).eval()
    image, shares = torch.rand(2, 3, 64, 64), torch.rand(2, 80)
    levels = guide.detector(image)
    expected = [
        max((level.classes[b] * shares[b][:, None, None]).sum(dim=0).max() for level in levels)
        for b in range(2)
    ]
    guidance = guide(image, shares)
    torch.testing.assert_close(guidance.prior, torch.stack(expected))
    assert [tuple(m.shape) for m in guidance.maps] == [(2, 4, 8, 8), (2, 5, 4, 4), (2, 6, 2, 2)]


@torch.no_grad()
def test_boxes_reach_their_expected_bins_from_the_corners_of_the_cells():
    torch.manual_seed(0)
    guide = Guide((4, 5, 6)).eval()
    image, shares = torch.rand(1, 3, 64, 96), torch.rand(1, 80)  # 96: one and a half cells of stride 64
    expected = []
    for stride, level in zip(STRIDES, guide.detector(image), strict=True):
        for row, column in np.ndindex(*level.boxes.shape[2:]):
            bins = level.boxes[0, :, row, column].reshape(4, 8).softmax(dim=1)
            left, top, right, bottom = (stride * sum(k * p for k, p in enumerate(side)) for side in bins)
            x, y = stride * column, stride * row
            expected.append([(x - left) / 96, (y - top) / 64, (x + right) / 96, (y + bottom) / 64])
    output = guide(image, shares)
    torch.testing.assert_close(output.boxes[0], torch.tensor(expected))
    assert output.detections.shape == (1, len(expected))


@torch.no_grad()
def test_texts_about_one_image_share_what_it_sees():
    torch.manual_seed(0)
    guide = Guide((4, 5, 6)).eval()
    for parameter in guide.parameters():
        torch.nn.init.normal_(parameter, 0, 0.1)
    images, shares, image_of = torch.rand(2, 3, 64, 64), torch.rand(3, 80), torch.tensor([1, 0, 1])
    shared, alone = guide(images, shares, image_of), guide(images[image_of], shares)
    torch.testing.assert_close(shared.prior, alone.prior)
    for ours, expected in zip(shared.maps, alone.maps, strict=True):
        torch.testing.assert_close(ours, expected)


@torch.no_grad()
def test_a_new_guide_changes_no_stage_but_tells_presence(tokenizer):
    model = Dmmi(GUIDED).eval()
    ids, mask = tokenize(tokenizer, TEXTS, 20)
    text, image = model.encode_text(ids, mask), torch.randn(2, 3, 64, 64)
    before = model(image, text, mask)
    for parameter in model.guide.detector.scores.parameters():
        parameter.add_(1.0)  # every category is likelier everywhere
    after = model(image, text, mask)
    assert torch.equal(after.logits, before.logits)
    assert (after.presence > before.presence).all()
