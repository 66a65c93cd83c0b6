"""The loss terms of a batch, and the samples that count for each."""

from dataclasses import fields, replace

import pytest
import torch

from dmmi_core.data.collate import Batch
from dmmi_core.training.objective import Objective, weighted_sum
from dmmi_core.training.recipe import LossRecipe
from helpers.tiny import CONFIG, make_model


@pytest.fixture
def batch() -> Batch:
    torch.manual_seed(0)
    ids = torch.tensor([[2, 8, 28, 3], [2, 30, 3, 0]])
    labels = torch.zeros(2, 64, 64, dtype=torch.uint8)
    labels[0, 8:40, 16:60] = 1
    return Batch(
        torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8),
        labels,
        torch.tensor([[[16, 8, 60, 40]], [[0] * 4]]) / 64,
        torch.tensor([[True], [False]]),
        torch.tensor([1, 0]),
        ids,
        torch.tensor([[2, 8, 4, 3], [2, 4, 3, 0]]),
        ids > 0,
    )


ALL_TERMS = {"segmentation", "dice", "projection", "similarity", "contrast", "presence"}


@pytest.mark.parametrize(
    ("switch", "term"),
    [("reconstruct", "similarity"), ("contrast", "contrast"), ("presence", "presence"), (None, None)],
)
def test_terms_are_those_of_the_configuration(batch, switch, term):
    model = make_model(replace(CONFIG, **({switch: False} if switch else {})))
    assert Objective(model)(batch).keys() == ALL_TERMS - {term}


def test_an_instance_head_adds_its_two(batch):
    model = make_model(replace(CONFIG, instances=True))
    assert Objective(model)(batch).keys() == ALL_TERMS | {"centres", "offsets"}


def test_what_only_a_box_is_known_of_is_no_background(batch):
    """Pixels in the box are neither object nor background, but the projection loss applies to it."""
    labels = torch.where(batch.labels > 0, 255, 0).to(torch.uint8)
    boxed = replace(batch, labels=labels, has_mask=torch.zeros_like(batch.has_mask))
    model = make_model()
    logits = torch.zeros(2, 2, 64, 64, requires_grad=True)
    output = replace(
        model(model.normalize(batch.image), model.encode_text(batch.ids, batch.mask), batch.mask),
        logits=logits,
    )
    objective = Objective(lambda *_, **__: output)
    objective.model.normalize, objective.model.encode_text = model.normalize, model.encode_text
    terms = objective(boxed)
    (gradient,) = torch.autograd.grad(terms["segmentation"] + terms["dice"], logits, retain_graph=True)
    assert not gradient[0, :, 8:40, 16:60].any() and gradient[0, :, :8].any()
    (gradient,) = torch.autograd.grad(terms["projection"], logits)
    assert gradient[0, :, 8:40, 16:60].any() and not gradient[0, :, :8].any()
    assert boxed.has_target.tolist() == [True, False]


@torch.no_grad()
def test_the_erased_text_is_recovered_and_nothing_else(batch):
    model = make_model()
    before = Objective(model)(batch)
    after = Objective(model)(replace(batch, erased_ids=batch.ids))
    assert {name for name in ALL_TERMS if after[name] != before[name]} == {"similarity"}


@torch.no_grad()
def test_one_to_zero_samples_count_for_the_mask_and_the_presence(batch):
    model = make_model()
    nothing = replace(batch, labels=torch.zeros_like(batch.labels), count=torch.zeros_like(batch.count))
    none = Objective(model)(nothing)
    assert none["similarity"] == none["contrast"] == none["dice"] == 0
    assert none["segmentation"] > 0 and none["presence"] > 0


def test_weighted_sum():
    names = [field.name for field in fields(LossRecipe)]
    weights = LossRecipe(**{name: 10**place for place, name in enumerate(names)})
    terms = {name: torch.tensor(2.0) for name in names}
    assert weighted_sum(terms, weights) == int("2" * len(names))
    assert weighted_sum({"dice": torch.tensor(2.0)}, weights) == 2 * weights.dice
    paper = LossRecipe()
    assert (paper.segmentation, paper.similarity, paper.contrast, paper.dice) == (1, 1, 1, 0)
