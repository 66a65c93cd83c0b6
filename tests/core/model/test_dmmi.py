"""The assembled network: shapes, order of the steps, and independence of samples and padding."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Tensor

from dmmi_core.config import PRESETS, preset
from dmmi_core.model import Dmmi
from dmmi_core.model.dmmi import DmmiOutput
from dmmi_core.tokenizer import tokenize
from helpers.tiny import CONFIG, FAMILIES, make_model

TEXTS = ["find the two zebras on the left side", "a cup", "every dog!"]
ERASED = ["find [MASK] [MASK] [MASK] [MASK] [MASK] on the left side", "[MASK] [MASK]", "[MASK] [MASK]!"]
SIZE = (64, 96)
# Each switch that changes the flow of data is on in one variant and off in another; each family occurs.
VARIANTS = {
    "swin": {**FAMILIES["swin"], "output_stride": 8, "presence": False},
    "resnet": {**FAMILIES["resnet"], "bidirectional": False},
    "efficientnet": {**FAMILIES["efficientnet"], "position_encoding": True},
    "guided": {**FAMILIES["efficientnet"], "guide": "nanodet-plus-m", "instances": True},
}


@pytest.fixture(params=VARIANTS)
def model(request) -> Dmmi:
    return make_model(replace(CONFIG, **VARIANTS[request.param])).double()


@pytest.fixture
def batch(tokenizer):
    """Images (B, 3, H, W), ids and erased ids (B, L), mask (B, L)."""
    torch.manual_seed(3)
    ids, mask = tokenize(tokenizer, TEXTS, 20)
    erased = tokenizer(ERASED, padding=True, return_tensors="pt")["input_ids"]
    assert erased.shape == ids.shape
    return torch.randn(len(TEXTS), 3, *SIZE, dtype=torch.float64), ids, erased, mask


def forward(model: Dmmi, image: Tensor, ids: Tensor, erased: Tensor, mask: Tensor) -> DmmiOutput:
    return model(image, model.encode_text(ids, mask), mask, erased=model.encode_text(erased, mask))


def assert_same(actual: DmmiOutput, expected: DmmiOutput, mask: Tensor) -> None:
    """Compare all outputs but those of padded tokens, of which `actual` may have more."""
    for name, reference in vars(expected).items():
        value = getattr(actual, name)
        if reference is None:
            assert value is None, name
            continue
        if name in ("text", "recovered"):
            value, reference = value[:, : mask.shape[1]][mask], reference[mask]
        torch.testing.assert_close(value, reference, rtol=1e-8, atol=1e-9, msg=partial("{}: {}".format, name))


@torch.no_grad()
def test_longer_padding_with_garbage_changes_nothing(model, batch):
    image, ids, erased, mask = batch
    expected = forward(model, *batch)

    def longer(values: Tensor) -> Tensor:
        garbage = torch.randint(5, 30, (len(values), mask.shape[1] + 6))
        garbage[:, : mask.shape[1]][mask] = values[mask]
        return garbage

    longer_mask = torch.zeros(len(mask), mask.shape[1] + 6, dtype=torch.bool)
    longer_mask[:, : mask.shape[1]] = mask
    assert_same(forward(model, image, longer(ids), longer(erased), longer_mask), expected, mask)


@torch.no_grad()
def test_garbage_features_of_padded_tokens_change_nothing(model, batch):
    image, ids, erased, mask = batch
    text, recovered = model.encode_text(ids, mask), model.encode_text(erased, mask)
    expected = model(image, text, mask, erased=recovered)
    for features in (text.features, recovered.features):
        features[~mask] = 100 * torch.randn_like(features[~mask])
    assert_same(model(image, text, mask, erased=recovered), expected, mask)


def test_no_gradient_reaches_padded_tokens(model, batch):
    image, ids, _, mask = batch
    encoded = model.encode_text(ids, mask)
    features = encoded.features.detach().requires_grad_()
    text = encoded._replace(features=features)
    output = model(image, text, mask, erased=text)
    total = output.logits.square().sum() + output.recovered[mask].square().sum()
    total = total + (output.image_embedding * output.text_embedding).sum()
    (grad,) = torch.autograd.grad(total, features)
    assert (grad[~mask] == 0).all()
    assert (grad[mask].abs().amax(dim=1) > 0).all()


@torch.no_grad()
def test_a_sample_alone_is_as_in_a_batch(model, batch):
    image, ids, erased, mask = batch
    together = forward(model, *batch)
    for b in range(len(TEXTS)):
        cut = slice(b, b + 1)
        real = mask[cut, : mask[b].sum()]
        length = real.shape[1]
        alone = forward(model, image[cut], ids[cut, :length], erased[cut, :length], real)
        row = DmmiOutput(**{name: None if v is None else v[cut] for name, v in vars(together).items()})
        for name in ("text", "recovered"):
            setattr(row, name, getattr(row, name)[:, :length])
        assert_same(alone, row, real)


@torch.no_grad()
def test_texts_that_share_an_image_are_as_with_one_each(model, batch):
    image, ids, _, mask = batch
    image_of = torch.tensor([1, 0, 1])
    text = model.encode_text(ids, mask)
    shared = model(image[:2], text, mask, image_of=image_of)
    assert_same(shared, model(image[image_of], text, mask), mask)


@pytest.mark.parametrize("size", [(32, 32), (64, 64), (32, 64), (96, 160), (224, 32)])
@torch.no_grad()
def test_any_multiple_of_32_works(model, batch, size):
    _, ids, erased, mask = batch
    output = forward(model, torch.randn(len(TEXTS), 3, *size).double(), ids, erased, mask)
    config = model.config
    assert output.logits.shape == (len(TEXTS), 2, *size)
    assert output.text.shape == output.recovered.shape == (*mask.shape, config.hidden_size)
    assert output.image_embedding.shape == output.text_embedding.shape == (len(TEXTS), config.hidden_size)
    assert (output.presence is not None) == config.presence
    assert all(torch.isfinite(v).all() for v in vars(output).values() if v is not None)
    torch.testing.assert_close(output.image_embedding.norm(dim=1), torch.ones(len(TEXTS)).double())


def record(module: torch.nn.Module, calls: list) -> None:
    module.register_forward_hook(lambda _, inputs, output: calls.append((inputs, output)))


@torch.no_grad()
def test_stages_and_fusions_alternate(model, batch):
    """3.1.1: stage n + 1 goes on from V_n*, and E_n* is the text of the next fusion."""
    stages, fusions, decoder, recovery, guide = [], [], [], [], []
    for stage, fusion in zip(model.visual.stages, model.fusions, strict=True):
        record(stage, stages)
        record(fusion, fusions)
    record(model.decoder, decoder)
    record(model.recovery, recovery)
    if model.guide is not None:
        record(model.guide, guide)
    image, ids, erased, mask = batch
    text = model.encode_text(ids, mask)
    incomplete = model.encode_text(erased, mask)
    output = model(image, text, mask, erased=incomplete)

    assert fusions[0][0][1] is text.features
    for n in range(4):
        seen = stages[n][1] + guide[0][1].maps[n - 1] if n and guide else stages[n][1]
        assert torch.equal(fusions[n][0][0], seen)
        if n:
            assert stages[n][0][0] is fusions[n - 1][1].image
            assert fusions[n][0][1] is fusions[n - 1][1].text
    skips, last_text, _ = decoder[0][0]
    assert all(skip is fused.skip for skip, (_, fused) in zip(skips, fusions, strict=True))
    assert last_text is fusions[3][1].text is output.text
    assert recovery[0][0][0] is incomplete.features
    assert recovery[0][0][2] is decoder[0][1].guidance


@torch.no_grad()
def test_training_only_branches_do_not_run_in_inference(model, batch):
    image, ids, _, mask = batch
    calls = []
    for branch in (model.recovery, model.pooling):
        record(branch, calls)
    text = model.encode_text(ids, mask)
    output = model(image, text, mask)
    assert not calls
    assert output.recovered is output.image_embedding is output.text_embedding is None
    trained = model(image, text, mask, erased=text)
    assert len(calls) == 2
    assert torch.equal(output.logits, trained.logits)


# Bi-D, MS, L_sim, L_con of the paper's Table 3.
TABLE_3 = [
    (True, True, False, False),
    (True, True, True, False),
    (True, True, False, True),
    (False, False, True, True),
    (True, False, True, True),
    (False, True, True, True),
    (True, True, True, True),
]


@pytest.mark.parametrize(("both", "multiscale", "similarity", "contrast"), TABLE_3)
@torch.no_grad()
def test_rows_of_table_3(batch, both, multiscale, similarity, contrast):
    changes = {"bidirectional": both, "reconstruct": similarity, "contrast": contrast}
    if not multiscale:
        changes |= {"image_regions": (1,), "text_regions": (1,)}
    model = make_model(replace(CONFIG, **changes)).double()
    mask = batch[3]
    output = forward(model, *batch)
    before = model.encode_text(batch[1], mask)
    assert torch.equal(output.text, before.features) != both
    assert (output.recovered is not None) == similarity
    assert (output.image_embedding is not None) == (output.text_embedding is not None) == contrast
    names = {name for name, _ in model.named_parameters()}
    assert any(name.startswith("recovery.") for name in names) == similarity
    assert any(name.startswith("pooling.") for name in names) == contrast
    assert any(".to_text." in name for name in names) == both
    scales = {p.numel() for name, p in model.named_parameters() if name.endswith("weights.logits")}
    assert scales == {3 if multiscale else 1}


CHANNELS = {
    "dmmi-swin-base": (128, 256, 512, 1024),
    "dmmi-resnet101": (256, 512, 1024, 2048),
    "dmmi-swin-base-released": (128, 256, 512, 1024),
    "dmmi-resnet101-released": (256, 512, 1024, 2048),
    "dmmi-lite": (24, 40, 112, 320),
}


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_constructible(name):
    with torch.device("meta"):  # sizes only, no memory
        model = Dmmi(preset(name))
    assert model.visual.channels == CHANNELS[name]
    assert [fusion.to_image.regions for fusion in model.fusions] == 4 * [(1, 3, 5)]
    assert [fusion.to_text.regions for fusion in model.fusions] == 4 * [(1, 2, 3)]
    assert model.decoder.query2.layer.self_attn.num_heads == 8


def test_normalize():
    model = make_model(replace(CONFIG, image_mean=(0.1, 0.2, 0.3), image_std=(0.5, 0.25, 0.125)))
    image = torch.tensor([0, 51, 255], dtype=torch.uint8).reshape(1, 3, 1, 1)
    expected = [(0 - 0.1) / 0.5, (0.2 - 0.2) / 0.25, (1 - 0.3) / 0.125]
    torch.testing.assert_close(model.normalize(image).flatten(), torch.tensor(expected))
