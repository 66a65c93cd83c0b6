import json
from dataclasses import FrozenInstanceError, replace

import pytest

from dmmi_core.config import PRESETS, DmmiConfig, preset
from dmmi_core.errors import ModelError
from helpers.tiny import CONFIG


@pytest.mark.parametrize("config", [CONFIG, *PRESETS.values()], ids=["tiny", *PRESETS])
def test_survives_json(config):
    assert DmmiConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_is_frozen():
    with pytest.raises(FrozenInstanceError):
        CONFIG.hidden_size = 3


@pytest.mark.parametrize(
    "changes",
    [
        {"region_affinity": "guessed"},
        {"presence_temperature": 0.0},
        {"presence_threshold": 1.5},
        {"output_stride": 16},
        {"image_size": 0},
        {"image_size": -64},
        {"image_size": 100},
        {"max_tokens": 2},
        {"image_regions": ()},
        {"image_regions": (1, 2)},
        {"image_regions": (-1,)},
        {"image_size": 65_536},
        {"max_tokens": 65},
        {"image_mean": (0.5, 0.5)},
        {"image_std": (0.0, 0.5, 0.5)},
        {"image_regions": (1,) * 17},
        {"decoder_heads": 0},
        {"decoder_dropout": -0.5},
        {"backbone_args": {"depths": [2, 2, 1_000_000, 2]}},
        {"backbone_args": {"embed_dim": 10**9}},
        {"backbone_args": {"window_size": [[7]]}},
        {"text_regions": ()},
        {"text_regions": (0,)},
        {"hidden_size": 15},
        {"hidden_size": 18, "position_encoding": True},
    ],
    ids=str,
)
def test_impossible_settings_are_refused(changes):
    with pytest.raises(ModelError, match=f"configuration: {next(iter(changes))}"):
        replace(CONFIG, **changes)


@pytest.mark.parametrize(
    ("values", "name"),
    [({"image_sise": 448}, "image_sise"), ({"text_encoder": {"depth": 3}}, "text_encoder.depth")],
)
def test_unknown_keys_are_refused(values, name):
    with pytest.raises(ModelError, match=f"unknown key {name}"):
        DmmiConfig.from_dict(values)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"image_regions": [1, 3.0, 5]}, "image_regions is 3.0; it must be a whole number"),
        ({"image_regions": None}, "image_regions is None"),
        ({"image_size": "448"}, "image_size is '448'"),
        ({"image_size": -64}, "image_size is -64; it must be from 32 to 2048"),
        ({"presence": 1}, "presence is 1; it must be true or false"),
        ({"presence_threshold": float("nan")}, "presence_threshold is nan"),
        ({"image_mean": [0, 0, 10**400]}, "image_mean is 1000"),
        ({"text_encoder": []}, r"text_encoder is a section with keys of its own, not \[\]"),
        ({"text_encoder": {"num_attention_heads": 5}}, "hidden_size 768 is not a multiple of .*heads 5"),
        ({"text_encoder": {"num_hidden_layers": 1_000_000}}, "num_hidden_layers is 1000000; .* to 96"),
        ({"text_encoder": {"vocab_size": -1}}, "text_encoder.vocab_size is -1"),
        ({"backbone": "swin\0"}, "backbone is"),
    ],
    ids=str,
)
def test_values_of_another_type_or_size_are_refused(changes, name):
    with pytest.raises(ModelError, match=f"^configuration: .*{name}"):
        DmmiConfig.from_dict(changes)


@pytest.mark.parametrize("values", [[], 3, "config", None])
def test_other_files_are_refused(values):
    with pytest.raises(ModelError, match="must be a mapping"):
        DmmiConfig.from_dict(values)


def test_unknown_presets_are_refused():
    with pytest.raises(ModelError, match=r"no preset 'dmmi'; known: dmmi-swin-base, .*dmmi-lite"):
        preset("dmmi")


@pytest.mark.parametrize("name", ["dmmi-swin-base", "dmmi-resnet101"])
def test_presets_of_the_paper(name):
    """5.1, and that nothing is in them that the paper has not."""
    config = preset(name)
    assert (config.image_size, config.max_tokens, config.decoder_heads) == (448, 20, 8)
    assert (config.image_regions, config.text_regions) == ((1, 3, 5), (1, 2, 3))
    assert (config.region_affinity, config.output_stride) == ("summed", 8)
    assert config.bidirectional and config.reconstruct and config.contrast
    assert not config.presence and not config.position_encoding
    assert (config.text_encoder.num_hidden_layers, config.text_encoder.hidden_size) == (12, 768)
