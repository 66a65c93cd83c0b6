"""The network as it is exported, against the model's own operations."""

from dataclasses import replace

import pytest
import torch

from dmmi_core.engines.inference_network import FrameNetwork, ImplicitProjection
from dmmi_core.model.dmmi import EncodedText
from dmmi_core.model.image_projection import Projection
from helpers.tiny import CONFIG, FAMILIES, make_model, randomize

GUIDED = {"guide": "nanodet-plus-m", "instances": True}


@pytest.mark.parametrize(("channels", "width", "size"), [(3, 8, (9, 7)), (8, 3, (9, 7)), (6, 5, (1, 2))])
def test_projections_that_are_never_built(channels, width, size):
    torch.manual_seed(0)
    plain = Projection(channels, width).double()
    randomize(plain)
    implicit = ImplicitProjection(channels, width).double()
    implicit.load_state_dict(plain.state_dict())
    x = 3 + torch.randn(2, channels, *size, dtype=torch.float64)
    query = torch.randn(2, 4, width, dtype=torch.float64)
    weights = torch.randn(2, 4, size[0] * size[1], dtype=torch.float64)
    torch.testing.assert_close(implicit.products(query, x), plain.products(query, x))
    torch.testing.assert_close(implicit.gathered(weights, x), plain.gathered(weights, x))


def test_they_are_only_used_where_they_pay(monkeypatch):
    built = []
    monkeypatch.setattr(Projection, "forward", lambda self, x: built.append(x.shape) or x)
    ImplicitProjection(2, 8).products(torch.zeros(1, 4, 8), torch.zeros(1, 2, 9, 9))
    assert not built
    ImplicitProjection(8, 8).products(torch.zeros(1, 4, 8), torch.zeros(1, 8, 2, 2))
    assert built


@pytest.mark.parametrize("affinity", ["summed", "learned"])
@pytest.mark.parametrize("family", [*FAMILIES, "guided"])
@torch.no_grad()
def test_frame_network(family, affinity):
    config = replace(
        CONFIG, **FAMILIES.get(family, GUIDED), region_affinity=affinity, reconstruct=True, contrast=True
    )
    model = make_model(config).double()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    network = FrameNetwork(model)
    images = torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8)
    text = torch.randn(3, 5, config.hidden_size, dtype=torch.float64)
    mask = torch.arange(5) < torch.tensor([[5], [3], [2]])
    image_of = torch.tensor([0, 1, 1])
    categories = torch.rand(3, 80, dtype=torch.float64) if config.guide else None
    pixels, encoded = model.normalize(images.permute(0, 3, 1, 2)), EncodedText(text, categories)
    expected = model(pixels, encoded, mask, image_of=image_of)
    margin, presence, *instances = network(images, text, mask, image_of, categories)
    torch.testing.assert_close(margin, expected.logits[:, 1] - expected.logits[:, 0])
    torch.testing.assert_close(presence, expected.presence)
    if config.instances:
        maps = [expected.centres, expected.offsets, expected.detections, expected.boxes]
        torch.testing.assert_close(instances, maps)
    assert any(isinstance(module, ImplicitProjection) for module in network.modules())
    assert network.model.recovery is network.model.pooling is network.model.text is None
    after = model.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items()), "the model is left alone"
