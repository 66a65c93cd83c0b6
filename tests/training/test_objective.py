"""The loss terms of a batch: which there are, and which samples count for them."""

from dataclasses import fields, replace

import pytest
import torch
from tiny import CONFIG, make_model

from dmmi_core.data.batching import Batch
from dmmi_core.recipe import LossRecipe
from dmmi_core.training.objective import Objective, weighted_sum


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


ALL_TERMS = {"segmentation", "dice", "similarity", "contrast", "presence"}


@pytest.mark.parametrize(
    ("switch", "term"),
    [("reconstruct", "similarity"), ("contrast", "contrast"), ("presence", "presence"), (None, None)],
)
def test_terms_are_those_of_the_configuration(batch, switch, term):
    model = make_model(replace(CONFIG, **({switch: False} if switch else {})))
    assert Objective(model)(batch).keys() == ALL_TERMS - {term}


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
    weights = LossRecipe(segmentation=1, similarity=10, contrast=100, dice=1000, presence=10000)
    terms = {field.name: torch.tensor(2.0) for field in fields(LossRecipe)}
    assert weighted_sum(terms, weights) == 22222
    assert weighted_sum({"dice": torch.tensor(2.0)}, weights) == 2000
    paper = LossRecipe()
    assert (paper.segmentation, paper.similarity, paper.contrast, paper.dice) == (1, 1, 1, 0)
