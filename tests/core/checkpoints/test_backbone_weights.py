"""Pretrained weights load from every layout that they are published in, or the error says what to do."""

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor

from dmmi_core import training
from dmmi_core.checkpoints import pretrained
from dmmi_core.checkpoints.pretrained import MODEL_FILES, load_backbone, resolve
from dmmi_core.cli import main
from dmmi_core.errors import ModelError
from dmmi_core.model.swin_weights import fit_tables
from dmmi_core.model.visual import VisualEncoder, create_backbone

NAME = "swin_tiny_patch4_window7_224"
SIZES = {"embed_dim": 16, "depths": (2, 2, 1, 1), "num_heads": (1, 2, 2, 4), "always_partition": True}
IMAGE = torch.linspace(-1, 1, 2 * 3 * 96 * 64).reshape(2, 3, 96, 64).sin()


class Model:
    """The part of a network that `load_backbone` touches."""

    def __init__(self, name: str, **args):
        self.visual = VisualEncoder(name, **args).eval()

    @torch.no_grad()
    def maps(self) -> list[Tensor]:
        x, maps = self.visual.stem(IMAGE), []
        for stage in self.visual.stages:
            x = stage(x)
            maps.append(x)
        return maps


def original_layout(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """timm's names as the authors of Swin have them: reductions end a stage, and buffers are stored."""
    renamed = {key.replace("head.fc.", "head."): value for key, value in state.items()}
    for n in (1, 2, 3):
        for key in [key for key in renamed if key.startswith(f"layers.{n}.downsample.")]:
            renamed[key.replace(f"layers.{n}", f"layers.{n - 1}", 1)] = renamed.pop(key)
    renamed["layers.0.blocks.0.attn.relative_position_index"] = torch.zeros(49, 49).long()
    renamed["layers.0.blocks.1.attn_mask"] = torch.zeros(64, 49, 49)
    return renamed


LAYOUTS = {
    "timm": dict,
    "original": lambda state: {"model": original_layout(state)},
    "segmentation": lambda state: {
        "state_dict": {f"backbone.{key}": value for key, value in original_layout(state).items()}
    },
    "parallel": lambda state: {f"module.encoder.{key}": value for key, value in state.items()},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_of_swin(layout, tmp_path):
    torch.manual_seed(0)
    whole = create_backbone(NAME, **SIZES).eval()
    torch.save(LAYOUTS[layout](whole.state_dict()), tmp_path / "swin.pth")
    model = Model(NAME, **SIZES)
    load_backbone(model, str(tmp_path / "swin.pth"))
    expected = whole.forward_intermediates(IMAGE, intermediates_only=True)
    for actual, reference in zip(model.maps(), expected, strict=True):
        torch.testing.assert_close(actual, reference)


@pytest.mark.parametrize("contents", [{}, {"model": 3}, {"state_dict": [1]}, {3: 4, "model": {5: 6}}])
def test_files_without_weights(contents, tmp_path):
    torch.save(contents, tmp_path / "swin.pth")
    with pytest.raises(ModelError, match="do not fit"):
        load_backbone(Model(NAME, **SIZES), str(tmp_path / "swin.pth"))


def test_a_folder_with_safetensors(tmp_path):
    whole = create_backbone(NAME, **SIZES).eval()
    save_file(whole.state_dict(), tmp_path / "model.safetensors")
    model = Model(NAME, **SIZES)
    load_backbone(model, str(tmp_path))
    assert torch.equal(model.visual.stem.module.proj.weight, whole.patch_embed.proj.weight)
    with pytest.raises(ModelError, match="cannot read"):
        load_backbone(model, str(tmp_path.parent))


def test_another_window_resizes_the_position_tables(tmp_path):
    whole = create_backbone(NAME, **SIZES)
    torch.save(original_layout(whole.state_dict()), tmp_path / "swin.pth")
    model = Model(NAME, window_size=12, **SIZES)
    load_backbone(model, str(tmp_path / "swin.pth"))
    assert all(torch.isfinite(x).all() for x in model.maps())

    key = "blocks.0.attn.relative_position_bias_table"
    rows, columns = torch.meshgrid(torch.arange(-6.0, 7), torch.arange(-6.0, 7), indexing="ij")
    table = torch.stack([torch.full((169,), 0.5), rows.flatten(), columns.flatten()], dim=1)
    wide = fit_tables({key: table}, {key: torch.empty(529, 3)})[key].T.reshape(3, 23, 23)
    torch.testing.assert_close(wide[0], torch.full((23, 23), 0.5))
    torch.testing.assert_close(wide[1], wide[2].T)
    steps = 13 / 23 * torch.arange(-8.0, 9)  # the outermost are clamped; cubics keep a ramp nearly
    torch.testing.assert_close(wide[1][3:-3, 11], steps, rtol=0, atol=0.06)


@torch.no_grad()
def test_torchvision_resnet101(tmp_path):
    torch.manual_seed(0)
    whole = torchvision.models.resnet101().eval()
    torch.save(whole.state_dict(), tmp_path / "resnet101.pth")
    model = Model("resnet101")
    load_backbone(model, str(tmp_path / "resnet101.pth"))
    x = whole.maxpool(whole.relu(whole.bn1(whole.conv1(IMAGE))))
    for actual, stage in zip(
        model.maps(), (whole.layer1, whole.layer2, whole.layer3, whole.layer4), strict=True
    ):
        x = stage(x)
        torch.testing.assert_close(actual, x)


def test_a_name_on_the_hub_is_a_folder_of_the_files_asked_for(tmp_path, monkeypatch):
    asked = []

    def download(name: str, allow_patterns: list[str]) -> str:
        asked.append((name, allow_patterns))
        return str(tmp_path)

    monkeypatch.setattr(pretrained, "snapshot_download", download)
    assert resolve("timm/swin.ms_in22k") == resolve("bert-base-uncased", files=("vocab.txt",)) == tmp_path
    assert asked == [("timm/swin.ms_in22k", list(MODEL_FILES)), ("bert-base-uncased", ["vocab.txt"])]


def test_without_a_network_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match=r"no such file or folder: timm/no_such\.net.*download .*model\.s"):
        resolve("timm/no_such.net")
    for path in ("weights/swin.pth", "/no/such/folder"):
        with pytest.raises(ModelError, match=f"no such file or folder: {path}$"):
            resolve(path)


def test_flags_replace_the_recipe(tmp_path, monkeypatch):
    (tmp_path / "recipe.yaml").write_text(
        "{model: dmmi-lite, data: {images: a, annotations: b}, output: c, "
        "backbone_weights: d, text_weights: e}"
    )
    recipes = []

    class Trainer:
        def __init__(self, recipe):
            recipes.append(recipe)

        def run(self):
            pass

    monkeypatch.setattr(training, "Trainer", Trainer)
    recipe = str(tmp_path / "recipe.yaml")
    assert main(["train", recipe, "steps=7"]) == 0
    assert main(["train", recipe, "steps=7", "--backbone-weights", "timm/x", "--text-weights", "/y z"]) == 0
    assert [(r.backbone_weights, r.text_weights, r.steps) for r in recipes] == [
        ("d", "e", 7),
        ("timm/x", "/y z", 7),
    ]
