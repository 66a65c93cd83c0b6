"""Fixtures that several tests share. The tests use no network and no GPU.

PyTorch is imported only where a fixture needs it, since the tests of the ROS side start without it.
"""

import os

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="session", autouse=True)
def engine_cache(tmp_path_factory):
    """Exported models of the tests, in a folder of their own, which the processes they start see too."""
    folder = tmp_path_factory.mktemp("cache")
    os.environ["DMMI_CACHE"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory):
    from helpers.tiny import make_tokenizer

    return make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """The COCO instances file of forty drawn photographs, which lie beside it."""
    from helpers.pictures import write_pictures

    return write_pictures(tmp_path_factory.mktemp("pictures"), count=40)


@pytest.fixture(scope="session")
def weights(tmp_path_factory, tokenizer):
    """What a tiny network starts from: the file `backbone.pth`, and BERT with its tokenizer in `text`."""
    from helpers.tiny import write_backbone, write_text_encoder

    folder = tmp_path_factory.mktemp("weights")
    write_backbone(folder / "backbone.pth")
    write_text_encoder(folder / "text", tokenizer)
    return folder


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory, tokenizer):
    """A tiny model as it is shipped; tests that damage it work on a copy."""
    from dmmi_core.checkpoints.saved_network import save_model
    from helpers.tiny import make_model

    folder = tmp_path_factory.mktemp("models") / "tiny"
    save_model(make_model(), tokenizer, folder)
    return folder


@pytest.fixture(scope="session")
def exported(model_folder, tmp_path_factory):
    """The tiny model with graphs; tests that damage it work on a copy."""
    from dmmi_core.cli import main

    folder = tmp_path_factory.mktemp("exported") / "tiny"
    assert main(["export", str(model_folder), str(folder)]) == 0
    return folder


class Trap:
    """Unpickling it writes `executed`."""

    def __init__(self, folder):
        self.executed = folder / "executed"

    def __reduce__(self):
        return type(self.executed).touch, (self.executed,)


@pytest.fixture
def hostile_pickle(tmp_path):
    """Writes a pickle that would run code to a path; afterwards no code must have run."""
    import pickle

    trap = Trap(tmp_path)
    yield lambda path: path.write_bytes(pickle.dumps({"state": trap}))
    assert not trap.executed.exists()
