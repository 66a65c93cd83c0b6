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
