import numpy as np
import torch

from dmmi_core.data.collate import Collate
from dmmi_core.data.synthesis.dataset import SceneDataset
from dmmi_core.data.synthesis.scenes import read_scenes
from dmmi_core.data.target import UNKNOWN, Target


def make_items(pictures, count: int = 12) -> list[tuple]:
    samples = SceneDataset(read_scenes(pictures), pictures.parent, 64, seed=0)
    return [samples[index] for index in range(count)]


def test_samples_keep_their_place(pictures, tokenizer):
    items = make_items(pictures)
    batch = Collate(tokenizer, 20)(items)
    assert batch.image.shape == (12, 3, 64, 64) and batch.image.dtype == torch.uint8
    most = max(len(target.boxes) for _, target, *_ in items)
    assert batch.boxes.shape == (12, most, 4) and batch.has_mask.shape == (12, most) and most > 1
    for row, (image, target, text, _) in enumerate(items):
        assert np.array_equal(batch.image[row].permute(1, 2, 0).numpy(), image)
        assert np.array_equal(batch.labels[row].numpy(), target.labels)
        count = batch.count[row]
        assert count == len(target.boxes)
        assert np.array_equal(batch.boxes[row, :count].numpy(), target.boxes)
        assert np.array_equal(batch.has_mask[row, :count].numpy(), target.has_mask)
        assert not batch.boxes[row, count:].any() and not batch.has_mask[row, count:].any()
        assert batch.ids[row][batch.mask[row]].tolist() == tokenizer(text)["input_ids"]
        assert batch.has_target[row] == (count > 0)
    assert 0 < batch.has_target.sum() < 12


def target(*has_mask: bool, labels: list) -> Target:
    boxes = np.full((len(has_mask), 4), 0.5, np.float32)
    return Target(np.array([labels], np.uint8), boxes, np.array(has_mask, bool))


def test_what_is_known_of_pixels(tokenizer):
    targets = [target(labels=[0, 0, 0]), target(True, False, labels=[0, 1, UNKNOWN])]
    targets += [target(False, labels=[UNKNOWN] * 3), target(True, labels=[0, 0, 0])]
    items = [(np.zeros((1, 3, 3), np.uint8), item, "dog", 0) for item in targets]
    batch = Collate(tokenizer, 5)(items)
    assert batch.count.tolist() == [0, 2, 1, 1] and batch.count.dtype == torch.int64
    assert batch.has_target.tolist() == [False, True, True, True], "not as the pixels say"
    assert batch.target[:, 0].tolist() == [[False] * 3, [False, True, False], [False] * 3, [False] * 3]
    assert batch.known[:, 0].tolist() == [[True] * 3, [True, True, False], [False] * 3, [True] * 3]
    assert Collate(tokenizer, 5)(items[:1]).boxes.shape == (1, 1, 4)


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
