"""The decoder's first convolution, folded with the upsampling before it and the norm after it."""

import pytest
import torch

from dmmi_core.engines.folded_upsampling import FoldedAggregate
from dmmi_core.model.decoder import Aggregate
from helpers.tiny import randomize


@pytest.mark.parametrize(("side", "target"), [(2, 4), (1, 2), (3, 7), (4, 4)])
@torch.no_grad()
def test_as_the_aggregate_itself(side, target):
    torch.manual_seed(0)
    aggregate = Aggregate(coarse=5, skip=3, width=4).eval()
    randomize(aggregate)
    y, skip = torch.randn(2, 5, side, side), torch.randn(2, 3, target, target)
    folded = FoldedAggregate(aggregate, side, target)
    expected = aggregate(y, skip)
    assert 0.2 < (expected > 0).float().mean() < 1, "or ReLU hides what differs"
    torch.testing.assert_close(folded(y, skip), expected, atol=1e-5, rtol=1e-5)
