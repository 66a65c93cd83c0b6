import torch

from dmmi_core.model.instance_head import InstanceHead


@torch.no_grad()
def test_few_positions_begin_as_centres():
    torch.manual_seed(0)
    centres = InstanceHead(8).eval()(torch.randn(2, 8, 6, 9))
    assert centres.heat.shape == (2, 6, 9) and centres.offsets.shape == (2, 2, 6, 9)
    assert centres.heat.sigmoid().mean() < 0.1
