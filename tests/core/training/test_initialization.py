"""The network that a training starts from."""

from dataclasses import replace

from dmmi_core.checkpoints.saved_network import save_model
from dmmi_core.training.initialization import initial_model
from helpers.tiny import CONFIG, make_model


def test_a_calibrated_model_is_to_be_calibrated_again(recipe, tokenizer, tmp_path):
    calibrated = make_model(replace(CONFIG, presence_temperature=2.0, presence_threshold=0.8))
    save_model(calibrated, tokenizer, tmp_path / "model")
    model, _ = initial_model(replace(recipe, model=str(tmp_path / "model"), image_size=96))
    assert model.config == replace(CONFIG, image_size=96, reconstruct=False, contrast=False)
