import numpy as np
import torch

from dmmi_core.data.batching import Collate
from dmmi_core.data.scenes import read_scenes
from dmmi_core.data.templates.scene_dataset import SceneDataset


def make_items(pictures, count: int = 12) -> list[tuple]:
    samples = SceneDataset(read_scenes(pictures), pictures.parent, 64, seed=0)
    return [samples[index] for index in range(count)]


def test_samples_keep_their_place(pictures, tokenizer):
    items = make_items(pictures)
    batch = Collate(tokenizer, 20)(items)
    assert batch.image.shape == (12, 3, 64, 64) and batch.image.dtype == torch.uint8
    for row, (image, mask, text, _) in enumerate(items):
        assert np.array_equal(batch.image[row].permute(1, 2, 0).numpy(), image)
        assert np.array_equal(batch.target[row].numpy(), mask)
        assert batch.ids[row][batch.mask[row]].tolist() == tokenizer(text)["input_ids"]
        assert batch.has_target[row] == mask.any()
    assert 0 < batch.has_target.sum() < 12


def test_one_phrase_of_each_text_is_erased_by_the_seed_of_its_sample(pictures, tokenizer):
    items = [
        (image, target, "the dog and the cat", seed)
        for seed, (image, target, *_) in enumerate(make_items(pictures))
    ]
    batch = Collate(tokenizer, 20)(items)
    changed = batch.erased_ids != batch.ids
    assert (batch.erased_ids[changed] == tokenizer.mask_token_id).all()
    erased = {tuple(row.nonzero().flatten().tolist()) for row in changed}
    assert erased == {(1, 2), (4, 5)}, "either phrase, as the seed has it"
    backwards = Collate(tokenizer, 20)(items[::-1])
    assert torch.equal(backwards.erased_ids.flip(0), batch.erased_ids)


def test_moves_to_a_device_as_a_whole(pictures, tokenizer):
    batch = Collate(tokenizer, 20)(make_items(pictures, 2)).to("meta")
    assert {value.device.type for value in vars(batch).values()} == {"meta"}
