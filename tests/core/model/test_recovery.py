"""Context clue recovery and contrastive pooling (3.3), against loops over samples and tokens."""

from dataclasses import replace

import torch

from dmmi_core.model.pooling import masked_mean
from dmmi_core.model.recovery import ContextClueRecovery, ContrastivePooling
from helpers.literal import assert_same_with_gradients, conv_bn_relu, transformer_layer
from helpers.tiny import CONFIG, randomize

WIDTH, LENGTHS, TOKENS = 8, (4, 2), 4
MASK = torch.tensor([[token < length for token in range(TOKENS)] for length in LENGTHS])


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def test_the_erased_text_queries_the_image():
    torch.manual_seed(0)
    module = ContextClueRecovery(replace(CONFIG, hidden_size=WIDTH)).double().eval()
    randomize(module)
    erased, guidance = random(2, TOKENS, WIDTH), random(2, WIDTH, 2, 3)
    samples = []
    for b in range(2):
        image = conv_bn_relu(module.visual, guidance[b])
        pixels = torch.stack([image[:, y, x] for y in range(2) for x in range(3)])
        samples.append(
            transformer_layer(module.layer, erased[b], pixels, MASK[b].tolist(), [True] * len(pixels))
        )
    assert_same_with_gradients(
        module(erased, MASK, guidance)[MASK],
        torch.stack(samples)[MASK],
        [erased, guidance, *module.parameters()],
    )


def test_contrastive_pooling():
    torch.manual_seed(0)
    module = ContrastivePooling(width=WIDTH, levels=3).double()
    levels = [random(2, WIDTH, 1, 2), random(2, WIDTH, 2, 4), random(2, WIDTH, 4, 8)]
    text = random(2, TOKENS, WIDTH)
    images, texts = [], []
    for b, length in enumerate(LENGTHS):
        means = [sum(map_[b, :, y, x] for y in range(h) for x in range(2 * h)) / (2 * h * h)
                 for h, map_ in zip((1, 2, 4), levels, strict=True)]  # fmt: skip
        image = means[0]
        for fold, mean in zip(module.fold, means[1:], strict=True):
            image = fold.weight @ torch.cat([image, mean]) + fold.bias
        tokens = [module.align.weight @ text[b, token] + module.align.bias for token in range(length)]
        mean = sum(tokens) / length
        images.append(image / (image @ image).sqrt())
        texts.append(mean / (mean @ mean).sqrt())
    actual = module(levels, text, MASK)
    inputs = [*levels, text, *module.parameters()]
    assert_same_with_gradients(torch.cat(actual), torch.stack(images + texts), inputs)


def test_masked_mean_is_of_real_tokens_only():
    text = torch.tensor([[[1.0], [3.0], [100.0]], [[5.0], [100.0], [100.0]]])
    mask = torch.tensor([[True, True, False], [True, False, False]])
    assert masked_mean(text, mask).tolist() == [[2.0], [5.0]]
