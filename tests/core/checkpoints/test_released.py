"""Networks with released weights give what the authors' code gives, in evaluation and in training."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dmmi_core import losses
from dmmi_core.checkpoints.released_names import is_dead
from dmmi_core.data.collate import Batch
from dmmi_core.model.dmmi import EncodedText
from dmmi_core.training.objective import Objective, weighted_sum
from dmmi_core.training.recipe import LossRecipe
from helpers.parity import FullKit, SmallKit, kits

RELEASED_LOSSES = LossRecipe(similarity=0.01, contrast=0.01)
BACKGROUND_WEIGHT = 0.9 / 1.1
DTYPES = [torch.float32, torch.float64]


@pytest.fixture(scope="module", params=kits("official_small_*.pt"))
def kit(request, tmp_path_factory) -> SmallKit:
    return SmallKit(request.param, tmp_path_factory.mktemp("kit"))


def assert_close(actual: Tensor, expected: Tensor, share: float, name: str) -> None:
    """To within `share` of the range of what is expected."""
    scale = (expected.max() - expected.min()).item()
    difference = (actual - expected).abs().max().item()
    print(f"{name}: differs by {difference:.2e}, range {scale:.3g}, share {difference / scale:.1e}")
    assert difference <= share * scale, name


def assert_same_loss(actual: Tensor, expected: Tensor, tolerance: float, name: str) -> None:
    print(f"{name}: {float(actual):.9f}, released {float(expected):.9f}")
    torch.testing.assert_close(float(actual), float(expected), rtol=tolerance, atol=tolerance, msg=name)


def recorded(module: nn.Module) -> list:
    """Fills with (inputs, output) of each call."""
    calls = []
    module.register_forward_hook(lambda _, inputs, output: calls.append((inputs, output)))
    return calls


def constant_of_zero_samples(kit: SmallKit) -> float:
    """What the released similarity loss adds to ours: one for each sample without a target, in the mean."""
    return 1 - kit.inputs["target_flag"].double().mean().item()


def decided(kit: SmallKit) -> Tensor:
    """Pixels, bool (B, H, W), whose class rounding cannot change.

    The kits were shifted by the median margin, which left in each a pixel whose scores differ by 1e-7: there
    the recorded masks of float32 and float64 may differ themselves.
    """
    single, double = (kit.outputs[name]["logits"] for name in ("eval", "eval64"))
    margin = (double[:, 1] - double[:, 0]).abs()
    sure = margin > 2 * (single - double).abs().max()
    assert sure.double().mean() > 0.999
    return sure


@torch.no_grad()
def test_text_features(kit):
    model = kit.network()
    for ids, name in (("input_ids", "bert"), ("input_ids_masked", "bert_masked")):
        assert_close(
            model.encode_text(kit.inputs[ids], kit.mask).features, kit.outputs["eval"][name], 1e-5, name
        )


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@torch.no_grad()
def test_evaluation(kit, dtype):
    """float64 begins with the float32 features of the text, as recorded."""
    double = dtype == torch.float64
    expected, reference = kit.outputs["eval"], kit.outputs["eval64" if double else "eval"]
    model = kit.network().to(dtype)
    calls = recorded(model.decoder)
    text, erased = (EncodedText(expected[name].to(dtype)) for name in ("bert", "bert_masked"))
    output = model(kit.inputs["image"].to(dtype), text, kit.mask, erased=erased)

    assert_close(output.logits, reference["logits"], 1e-9 if double else 1e-4, "logits")
    differs = output.logits.argmax(dim=1) != reference["logits"].argmax(dim=1)
    assert not (differs if double else differs & decided(kit)).any()
    assert_close(output.text.transpose(1, 2), expected["lang_final"], 1e-4, "lang_final")
    assert_close(output.recovered.transpose(1, 2), expected["lang_rec"], 1e-4, "lang_rec")
    assert_close(calls[0][1].scores, expected["logits_low"], 1e-4, "logits_low")
    for n, skip in enumerate(calls[0][0][0], start=1):
        assert_close(skip, expected[f"x_c{n}"], 1e-4, f"x_c{n}")

    flag, tolerance = kit.inputs["target_flag"].bool(), 1e-9 if double else 1e-4
    similarity = losses.similarity_loss(output.text, output.recovered, kit.mask, flag)
    contrast = losses.contrastive_loss(output.image_embedding, output.text_embedding, flag)
    similarity = similarity + constant_of_zero_samples(kit)
    assert_same_loss(similarity, reference["loss_cossim"], tolerance, "similarity")
    assert_same_loss(contrast, reference["loss_contrastive"], tolerance, "contrast")


@torch.no_grad()
def test_the_padded_length_matters(kit):
    model, expected = kit.network(), kit.outputs["eval"]
    cut = kit.mask[-1:, : kit.mask[-1].sum()]
    image, ids = kit.inputs["image"][-1:], kit.inputs["input_ids"][-1:, : cut.shape[1]]
    logits = model(image, model.encode_text(ids, cut), cut).logits
    assert_close(logits, expected["logits_last_sample_trimmed_to_its_length"], 1e-4, "trimmed")


@torch.no_grad()
def test_training_parts_do_not_change_the_masks(kit):
    model, text = kit.network(), EncodedText(kit.outputs["eval"]["bert"])
    calls = [*recorded(model.recovery), *recorded(model.pooling)]
    plain = model(kit.inputs["image"], text, kit.mask)
    assert not calls
    assert plain.recovered is plain.image_embedding is plain.text_embedding is None
    assert torch.equal(model(kit.inputs["image"], text, kit.mask, erased=text).logits, plain.logits)


@pytest.fixture(scope="module", params=DTYPES, ids=str)
def trained(kit, request):
    """A network after one forward and backward pass, its total loss, and the terms of that."""
    model = kit.network(dropout=False).to(request.param).train()
    model.normalize = lambda image: image  # those of the kit are normalised
    inputs = kit.inputs
    batch = Batch(
        inputs["image"].to(request.param),
        inputs["target"].bool().byte(),
        torch.tensor([[[0.0, 0, 1, 1]]] * len(inputs["target"])),
        inputs["target_flag"].bool()[:, None],
        inputs["target_flag"].long(),
        inputs["input_ids"],
        inputs["input_ids_masked"],
        kit.mask,
    )
    assert torch.equal(batch.has_target, inputs["target_flag"].bool())
    terms = Objective(model, background_weight=BACKGROUND_WEIGHT)(batch)
    total = weighted_sum(terms, RELEASED_LOSSES)
    total.backward()
    return model, total.detach(), {name: term.detach() for name, term in terms.items()}


def test_training_losses(kit, trained):
    _, total, terms = trained
    expected, constant = kit.outputs["train"], constant_of_zero_samples(kit)
    assert_same_loss(terms["segmentation"], expected["loss_seg"], 1e-4, "segmentation")
    assert_same_loss(terms["similarity"] + constant, expected["loss_cossim"], 1e-4, "similarity")
    assert_same_loss(terms["contrast"], expected["loss_contrastive"], 1e-4, "contrast")
    assert_same_loss(total + 0.01 * constant, expected["loss"], 1e-4, "total")


def test_gradients(kit, trained):
    """To 1 %: the recorded ones are float32, and up to 0.3 % off those of float64."""
    model, expected = trained[0], kit.outputs["train"]
    grads = kit.released({name: p.grad for name, p in model.named_parameters()})
    norms = {**expected["grad_norm"], **{f"bert_model.{k}": v for k, v in expected["grad_norm_bert"].items()}}
    assert {name for name in norms if not is_dead(name)} == set(grads)
    largest = max(norm for norm in norms.values() if norm is not None)
    for name, norm in norms.items():
        if is_dead(name):
            assert norm is None, name
            continue
        # Before an instance norm a bias has no gradient but rounding errors, on either side.
        torch.testing.assert_close(grads[name].norm().item(), norm, rtol=1e-2, atol=1e-6 * largest, msg=name)
    for name, grad in expected["grads"].items():
        assert_close(_cut(grads[name], grad.shape), grad, 1e-2, name)


def test_batch_norm_statistics(kit, trained):
    state = kit.released(trained[0].state_dict())
    for name, value in kit.outputs["train"]["bn_after"].items():
        torch.testing.assert_close(
            _cut(state[name], value.shape).float(), value, rtol=1e-4, atol=1e-5, msg=name
        )


def _cut(value: Tensor, shape: torch.Size) -> Tensor:
    """In the released shape; of a stem that was widened, the part that the kit has."""
    if value.numel() == shape.numel():
        return value.reshape(shape)
    return value[tuple(slice(size) for size in shape)]


@pytest.mark.slow
@pytest.mark.parametrize("path", kits("full_*.json"))
@torch.no_grad()
def test_full_size(path, tmp_path):
    kit = FullKit(path, tmp_path)
    record, samples = kit.record, {name: torch.from_numpy(kit.samples[name]) for name in kit.samples.files}
    model = kit.network()
    calls = recorded(model.decoder)
    text, erased = model.encode_text(kit.ids, kit.mask), model.encode_text(kit.erased, kit.mask)
    output = model(kit.image, text, kit.mask, erased=erased)
    logits, skips, scores = output.logits, calls[0][0][0], calls[0][1].scores

    share = 1e-3 if record["kind"].startswith("resnet") else 1e-4
    scale = record["logits"]["max"] - record["logits"]["min"]
    height = logits.shape[2]
    kept = {
        "logits_ds": F.avg_pool2d(logits, 16),
        "logits_low_sub": scores[:, :, ::4, ::4],
        "logits_rows": logits[:, :, [0, height // 3, height - 1]],
    }
    for name, value in kept.items():
        difference = (value - samples[name]).abs().max().item()
        print(f"{name}: differs by {difference:.2e}, range {scale:.3g}, share {difference / scale:.1e}")
        assert difference <= share * scale, name
        assert _iou(value.argmax(dim=1).bool(), samples[name].argmax(dim=1).bool()) >= 0.999, name
    assert logits.argmax(dim=1).sum().item() == pytest.approx(record["fg_pixels_argmax"], rel=1e-3, abs=1)

    assert_close(text.features[:, :, ::32], samples["bert_sub"], 1e-5, "bert")
    assert_close(output.text.transpose(1, 2)[:, ::32], samples["lang_final_sub"], share, "lang_final")
    assert_close(output.recovered.transpose(1, 2)[:, ::32], samples["lang_rec_sub"], share, "lang_rec")
    assert_close(output.image_embedding, F.normalize(samples["vis_global"]), share, "vis_global")
    assert_close(skips[3][:, ::64], samples["x_c4_sub"], 10 * share, "x_c4")
    for n, skip in enumerate(skips, start=1):
        assert list(skip.shape) == record[f"x_c{n}"]["shape"]
        assert skip.std().item() == pytest.approx(record[f"x_c{n}"]["std"], rel=1e-3)


def _iou(a: Tensor, b: Tensor) -> float:
    union = (a | b).sum().item()
    return (a & b).sum().item() / union if union else 1.0
