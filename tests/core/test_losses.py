"""L_ce, equations 8-11 and the further losses, against loops over samples, tokens and pixels."""

import math

import pytest
import torch
from torch import Tensor

from dmmi_core import losses
from helpers.literal import assert_same_with_gradients

BATCH, TOKENS, WIDTH, LENGTHS = 4, 5, 3, (5, 2, 3, 1)
MASK = torch.tensor([[token < length for token in range(TOKENS)] for length in LENGTHS])
DELTAS = [(1, 1, 1, 1), (1, 0, 1, 0), (0, 0, 0, 1), (0, 0, 0, 0)]


@pytest.fixture(params=DELTAS, ids=lambda deltas: "delta=" + "".join(map(str, deltas)))
def delta(request) -> Tensor:
    torch.manual_seed(0)
    return torch.tensor(request.param, dtype=torch.bool)


def random(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def mean(values: list[Tensor]) -> Tensor:
    return torch.stack(values).mean()


def cosine(a: Tensor, b: Tensor) -> Tensor:
    return (a @ b) / ((a @ a).sqrt() * (b @ b).sqrt())


def test_segmentation_loss():
    torch.manual_seed(0)
    logits, target = random(2, 2, 3, 4), torch.rand(2, 3, 4) > 0.5
    pixels = []
    for b in range(2):
        for y in range(3):
            for x in range(4):
                background, foreground = logits[b, :, y, x].exp()
                right = foreground if target[b, y, x] else background
                pixels.append(-(right / (background + foreground)).log())
    assert_same_with_gradients(losses.segmentation_loss(logits, target), mean(pixels), [logits])


def test_similarity_loss(delta):
    """Eq. 8."""
    text, recovered = random(BATCH, TOKENS, WIDTH), random(BATCH, TOKENS, WIDTH)
    samples = []
    for b, length in enumerate(LENGTHS):
        distance = 1 - mean([cosine(text[b, i].detach(), recovered[b, i]) for i in range(length)])
        samples.append(int(delta[b]) * distance)
    actual = losses.similarity_loss(text, recovered, MASK, delta)
    assert_same_with_gradients(actual, mean(samples), [recovered])


def test_similarity_loss_does_not_move_the_text():
    text, recovered = random(BATCH, TOKENS, WIDTH), random(BATCH, TOKENS, WIDTH)
    loss = losses.similarity_loss(text, recovered, MASK, torch.ones(BATCH, dtype=torch.bool))
    loss.backward()
    assert text.grad is None
    assert (recovered.grad[MASK].abs().amax(dim=1) > 0).all()
    assert (recovered.grad[~MASK] == 0).all()


@pytest.mark.parametrize("temperature", [None, 0.5])
def test_contrastive_loss(delta, temperature):
    """Eq. 9-11; the paper's temperature is 0.05."""
    image, text = (random(BATCH, WIDTH) for _ in range(2))
    tau = temperature or 0.05

    def direction(anchors: Tensor, others: Tensor) -> Tensor:
        total = torch.zeros((), dtype=torch.float64)
        for i in range(BATCH):
            exponentials = [(anchors[i] @ others[j] / tau).exp() for j in range(BATCH)]
            total = total + int(delta[i]) * (exponentials[i] / sum(exponentials)).log()
        return -total / BATCH

    arguments = (temperature,) if temperature else ()
    assert_same_with_gradients(
        losses.contrastive_loss(image, text, delta, *arguments),
        direction(image, text) + direction(text, image),
        [image, text],
    )


def test_zero_samples_are_negatives_but_no_positives():
    torch.manual_seed(0)
    image, text = random(2, WIDTH), random(2, WIDTH)
    loss = losses.contrastive_loss(image, text, torch.tensor([True, False]))
    image_grad, text_grad = torch.autograd.grad(loss, [image, text])
    # Sample 1 has no target: its image and text are only pushed away from those of sample 0.
    for grad, other in ((image_grad[1], text[0]), (text_grad[1], image[0])):
        assert grad.abs().max() > 0
        torch.testing.assert_close(cosine(grad, other.detach()).abs(), torch.tensor(1.0, dtype=torch.float64))
        assert grad @ other > 0


def test_zero_samples_have_no_part_in_the_similarity():
    torch.manual_seed(0)
    recovered = random(2, TOKENS, WIDTH)
    text = torch.randn(2, TOKENS, WIDTH).double()
    loss = losses.similarity_loss(text, recovered, MASK[:2], torch.tensor([True, False]))
    (grad,) = torch.autograd.grad(loss, recovered)
    assert (grad[1] == 0).all()
    assert grad[0].abs().max() > 0


def test_dice_loss():
    torch.manual_seed(0)
    logits, target = random(3, 2, 3, 4), torch.rand(3, 3, 4) > 0.5
    target[1] = False
    samples = []
    for b in (0, 2):  # those with an object
        overlap = predicted = actual = 0
        for y in range(3):
            for x in range(4):
                background, foreground = logits[b, :, y, x].exp()
                p = foreground / (background + foreground)
                predicted = predicted + p
                if target[b, y, x]:
                    overlap, actual = overlap + p, actual + 1
        samples.append(1 - (2 * overlap + 1) / (predicted + actual + 1))
    assert_same_with_gradients(losses.dice_loss(logits, target), mean(samples), [logits])


def test_dice_loss_without_any_object_is_zero():
    logits = random(2, 2, 3, 4)
    loss = losses.dice_loss(logits, torch.zeros(2, 3, 4, dtype=torch.bool))
    assert loss.item() == 0
    assert torch.autograd.grad(loss, logits)[0].abs().max() == 0


def test_presence_loss(delta):
    logits = random(BATCH)
    samples = []
    for logit, present in zip(logits, delta, strict=True):
        p = 1 / (1 + math.e**-logit)
        samples.append(-(p if present else 1 - p).log())
    assert_same_with_gradients(losses.presence_loss(logits, delta), mean(samples), [logits])


def test_only_known_pixels_count():
    torch.manual_seed(0)
    logits, target, known = random(2, 2, 3, 4), torch.rand(2, 3, 4) > 0.5, torch.rand(2, 3, 4) > 0.3
    changed = torch.where(known, target, ~target)
    for loss in (losses.segmentation_loss, losses.dice_loss):
        terms = [
            loss(logits, t & known if loss is losses.dice_loss else t, known=known) for t in (target, changed)
        ]
        assert torch.equal(*terms)
        terms[0].backward()
        assert not logits.grad.permute(0, 2, 3, 1)[~known].any()
        logits.grad = None
    pixels = torch.nn.functional.cross_entropy(logits, target.long(), reduction="none")[known]
    torch.testing.assert_close(losses.segmentation_loss(logits, target, known=known), pixels.mean())


def test_projection_loss():
    """BoxInst, eq. 2, inside each box: of an object with a mask nothing is asked."""
    torch.manual_seed(0)
    logits = random(2, 2, 8, 8)
    boxes = torch.tensor([[[2, 1, 6, 4], [0, 0, 8, 8]], [[0, 3, 5, 8], [0, 0, 0, 0]]]) / 8
    unmasked = torch.tensor([[True, False], [True, False]])
    terms = []
    for b, (left, top, right, bottom) in enumerate([(2, 1, 6, 4), (0, 3, 5, 8)]):
        inside = logits[b].softmax(dim=0)[1, top:bottom, left:right]
        lines = ([max(row) for row in inside.T], [max(row) for row in inside])
        for line in lines:
            terms.append(1 - 2 * sum(line) / (sum(p * p for p in line) + len(line)))
    assert_same_with_gradients(losses.projection_loss(logits, boxes, unmasked), mean(terms), [logits])


def test_projection_loss_of_nothing():
    logits = random(1, 2, 8, 8)
    loss = losses.projection_loss(logits, torch.zeros(1, 1, 4), torch.zeros(1, 1, dtype=torch.bool))
    loss.backward()
    assert loss == 0 and not logits.grad.any()


def test_centre_loss():
    """Eq. 1 of CornerNet, with alpha 2 and beta 4."""
    torch.manual_seed(0)
    heat, target = random(2, 3, 4), torch.rand(2, 3, 4, dtype=torch.float64)
    target[0, 1, 2] = target[1, 0, 0] = 1
    total = 0
    for p, y in zip(heat.sigmoid().flatten(), target.flatten(), strict=True):
        total -= (1 - p) ** 2 * p.log() if y == 1 else (1 - y) ** 4 * p**2 * (1 - p).log()
    assert_same_with_gradients(losses.centre_loss(heat, target), total / 2, [heat])


def test_offset_loss():
    torch.manual_seed(0)
    offsets, target = random(2, 2, 3, 4), torch.randn(2, 2, 3, 4, dtype=torch.float64)
    weights = (torch.rand(2, 3, 4, dtype=torch.float64) > 0.4) * 1.0
    total = sum(
        weights[b, y, x] * (offsets[b, axis, y, x] - target[b, axis, y, x]).abs()
        for b in range(2)
        for axis in range(2)
        for y in range(3)
        for x in range(4)
    )
    assert_same_with_gradients(losses.offset_loss(offsets, target, weights), total / weights.sum(), [offsets])
