"""The presence head, with a prior and without."""

import torch

from dmmi_core.model.presence import PresenceHead

WIDTH = 4
MASK = torch.tensor([[True, True, False]])


def test_reads_the_strongest_response_and_the_real_tokens():
    torch.manual_seed(0)
    head = PresenceHead(WIDTH).double()
    refined, text = torch.randn(1, WIDTH, 2, 3).double(), torch.randn(1, 3, WIDTH).double()
    strongest = torch.stack([max(refined[0, c].flatten()) for c in range(WIDTH)])
    mean = (text[0, 0] + text[0, 1]) / 2
    first, _, last = head.layers
    hidden = (first.weight @ torch.cat([strongest, mean]) + first.bias).clamp(min=0)
    torch.testing.assert_close(head(refined, text, MASK), last.weight @ hidden + last.bias)


@torch.no_grad()
def test_a_prior_speaks_from_the_first_step():
    torch.manual_seed(0)
    head = PresenceHead(WIDTH, guided=True)
    refined, text = torch.randn(2, WIDTH, 2, 3), torch.randn(2, 3, WIDTH)
    low, high = (head(refined, text, MASK.expand(2, -1), torch.full((2,), prior)) for prior in (-4.0, 0.0))
    assert (low < 0).all() and (high > 0).all()


def test_the_prior_takes_part_in_the_layers():
    torch.manual_seed(0)
    head = PresenceHead(WIDTH, guided=True).double()
    refined, text = torch.randn(1, WIDTH, 2, 3).double(), torch.randn(1, 3, WIDTH).double()
    prior = torch.tensor([0.7]).double()
    strongest, mean = refined[0].flatten(1).amax(dim=1), (text[0, 0] + text[0, 1]) / 2
    first, _, last = head.layers
    hidden = (first.weight @ torch.cat([strongest, mean, prior]) + first.bias).clamp(min=0)
    expected = last.weight @ hidden + last.bias + head.prior.weight[0] * prior + head.prior.bias
    torch.testing.assert_close(head(refined, text, MASK, prior), expected)
