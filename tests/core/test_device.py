import pytest
import torch

from dmmi_core.device import select_device
from dmmi_core.errors import ModelError


def test_auto_is_a_gpu_where_there_is_one():
    assert select_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_by_name():
    assert select_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["cuda:99", "gpu", "", "cpu:x", "meta"])
def test_devices_that_are_not_there(name):
    with pytest.raises(ModelError, match="cannot be used") as error:
        select_device(name)
    assert repr(name) in str(error.value) and "\n" not in str(error.value)
