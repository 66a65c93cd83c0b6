"""The public API: geometry on a network whose answer is known, thresholds, the text cache, bad input."""

import logging
from dataclasses import replace

import cv2
import numpy as np
import pytest

from dmmi_core import segmenter as segmenter_module
from dmmi_core.errors import InputError, ModelError
from dmmi_core.instances.grouping import union_mask
from dmmi_core.result import Roi, Status
from dmmi_core.segmenter import Segmenter
from dmmi_core.segmenter_options import Options
from helpers.tiny import ABSENT, CONFIG, FAMILIES, PRESENT, RedFinder, make_model

SIDE = RedFinder.SIDE


@pytest.fixture
def network():
    return RedFinder()


@pytest.fixture
def segmenter(network, tokenizer):
    return Segmenter.of_network(network, tokenizer, device="cpu", min_area=1)


def scene(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture that differs from all its mirrors, and the mask of what is red: a big box and a small one."""
    mask = np.zeros((height, width), bool)
    mask[height // 8 : height // 2, width // 16 : width // 4] = True
    mask[height * 3 // 4 : height * 7 // 8, width * 5 // 8 : width * 3 // 4] = True
    image = np.full((height, width, 3), (0, 0, 120), np.uint8)
    image[mask] = (255, 0, 0)
    return image, mask


def test_at_the_size_of_the_network_the_mask_is_exact(segmenter):
    image, mask = scene(SIDE, SIDE)
    result = segmenter(image, PRESENT)
    assert np.array_equal(result.mask, mask)
    assert [item.roi for item in result.instances] == [Roi(4, 8, 12, 24), Roi(40, 48, 8, 8)]
    assert [item.area for item in result.instances] == [12 * 24, 8 * 8]
    assert [item.score for item in result.instances] == pytest.approx([1, 1], abs=0.01)


@pytest.mark.parametrize(
    ("height", "width"), [(480, 640), (640, 480), (96, 200), (32, 48), (SIDE, 999), (720, SIDE), (2000, 3000)]
)
def test_at_any_size_the_mask_lies_on_the_object(segmenter, height, width):
    """Only along the outline, for less than a pixel of the network, may it differ."""
    image, mask = scene(height, width)
    result = segmenter(image, PRESENT)
    assert result.mask.shape == (height, width) and result.mask.dtype == bool
    assert result.status == Status.MANY
    reach = np.ones((2 * int(height / SIDE + 1) + 1, 2 * int(width / SIDE + 1) + 1), np.uint8)
    inner, outer = cv2.erode(mask.astype(np.uint8), reach), cv2.dilate(mask.astype(np.uint8), reach)
    assert result.mask[inner > 0].all() and not result.mask[outer == 0].any()
    centres = [np.argwhere(m).mean(axis=0) for m in (result.mask, mask)]
    assert np.abs(np.subtract(*centres) / (height, width)).max() < 0.5 / SIDE, "no offset"
    assert np.array_equal(union_mask(result.instances, height, width), result.mask)


def test_fields_of_the_result(segmenter):
    image, _ = scene(100, 160)
    result = segmenter(image, PRESENT)
    assert result.text == PRESENT
    assert result.presence == pytest.approx(0.9)
    assert result.presence_threshold == 0.5
    assert result.grouping == "watershed"
    assert result.timing_ms.keys() == {"preprocess", "text", "network", "postprocess"}
    assert all(value >= 0 for value in result.timing_ms.values())


def test_nothing_where_presence_is_low(segmenter):
    image, _ = scene(100, 160)
    result = segmenter(image, ABSENT)
    assert result.status == Status.NO_TARGET and result.instances == ()
    assert not result.mask.any() and result.mask.shape == (100, 160)
    assert result.presence == pytest.approx(0.1)
    segmenter.options = replace(segmenter.options, presence_threshold=0.05)
    assert segmenter(image, ABSENT).status == Status.MANY


def test_the_grouping_is_a_choice(network, tokenizer):
    """Two squares on their corners, which touch at one of them."""
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    y, x = np.ogrid[:SIDE, :SIDE]
    for middle in (15, 47):
        image[abs(x - middle) + abs(y - 32) <= 16] = (255, 0, 0)
    for grouping, count in (("watershed", 2), ("connected_components", 1)):
        segmenter = Segmenter.of_network(network, tokenizer, device="cpu", grouping=grouping)
        result = segmenter(image, PRESENT)
        assert (result.grouping, len(result.instances)) == (grouping, count)
    with pytest.raises(InputError, match="grouping is 'contours'; it must be one of watershed, connected"):
        Segmenter.of_network(network, tokenizer, grouping="contours")


def test_calibrated_presence(network, tokenizer):
    """The logit of 0.1 is -ln 9; with temperature 2 it is -ln 3, a probability of 1 / 4."""
    network.config = replace(network.config, presence_temperature=2.0, presence_threshold=0.2)
    image, _ = scene(100, 160)
    result = Segmenter.of_network(network, tokenizer, device="cpu")(image, ABSENT)
    assert (result.presence, result.presence_threshold) == pytest.approx((0.25, 0.2))
    assert result.status == Status.MANY
    result = Segmenter.of_network(network, tokenizer, device="cpu", presence_threshold=0.3)(image, ABSENT)
    assert (result.status, result.presence_threshold) == (Status.NO_TARGET, 0.3)


def test_nothing_where_nothing_is_foreground(segmenter):
    assert segmenter(np.zeros((100, 160, 3), np.uint8), PRESENT).status == Status.NO_TARGET


def test_foreground_is_what_no_grouping_has_left_out(segmenter):
    """A square, and a second one of fewer pixels than an instance must have."""
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    image[10:30, 10:30] = image[50:54, 50:54] = (255, 0, 0)
    result = segmenter(image, PRESENT, Options(min_area=64))
    assert np.array_equal(result.foreground, image[..., 0] > 0)
    assert len(result.instances) == 1 and not result.mask[40:].any()
    assert not segmenter(image, ABSENT).foreground.any(), "presence rejects it"


@pytest.mark.parametrize(
    ("red", "threshold", "found"), [(200, 0.5, True), (200, 0.9, False), (100, 0.5, False), (100, 0.3, True)]
)
def test_mask_threshold(segmenter, red, threshold, found):
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    image[10:30, 10:30, 0] = red
    segmenter.options = replace(segmenter.options, mask_threshold=threshold)
    result = segmenter(image, PRESENT)
    assert result.status == (Status.ONE if found else Status.NO_TARGET)
    if found:
        assert result.instances[0].score == pytest.approx(red / 255, abs=1e-3)


def test_min_area_is_of_pixels_of_the_image(segmenter):
    image, mask = scene(480, 640)
    for min_area, count in ((int(0.9 * 60 * 80), 2), (int(1.1 * 60 * 80), 1), (mask.sum(), 0)):
        segmenter.options = replace(segmenter.options, min_area=min_area)
        result = segmenter(image, PRESENT)
        assert len(result.instances) == count
        assert result.mask.sum() == sum(item.area for item in result.instances)


@pytest.mark.parametrize("threshold", [0.2, 0.99])
def test_without_a_presence_head(tokenizer, threshold):
    """Presence is the highest foreground probability, and only an empty mask is no target."""
    network = RedFinder(presence=False)
    segmenter = Segmenter.of_network(
        network, tokenizer, device="cpu", min_area=1, presence_threshold=threshold
    )
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    image[:20, :20, 0] = 204
    for text in (PRESENT, ABSENT):
        result = segmenter(image, text)
        assert result.presence == pytest.approx(0.8)
        assert result.status == Status.ONE
    assert segmenter(np.zeros_like(image), PRESENT).status == Status.NO_TARGET


def test_a_batch_is_as_its_samples(segmenter):
    images = [scene(100, 160)[0], scene(64, 64)[0], scene(64, 64)[0][:, ::-1].copy()]
    texts = [PRESENT, ABSENT, "the two zebras on the left"]
    for together, image, text in zip(segmenter.batch(images, texts), images, texts, strict=True):
        alone = segmenter(image, text)
        assert together.text == text
        assert np.array_equal(together.mask, alone.mask)
        assert together.presence == alone.presence and together.status == alone.status
    assert segmenter.batch([], []) == []
    found = segmenter.batch(np.stack(images[1:]), [ABSENT, PRESENT])
    assert found[0].status == Status.NO_TARGET
    assert np.array_equal(found[1].mask, segmenter(images[2], PRESENT).mask)


def test_real_batches_are_as_their_samples(model_folder):
    """With a real network, and so with texts padded to the longest."""
    segmenter = Segmenter.from_pretrained(
        model_folder, engine="torch", device="cpu", presence_threshold=0, min_area=1
    )
    image = np.random.default_rng(0).integers(0, 256, (90, 70, 3), np.uint8)
    texts = ["dog", "find all the two zebras on the left side", "cup"]
    for together, text in zip(segmenter.batch([image] * 3, texts), texts, strict=True):
        alone = segmenter(image, text)
        assert together.presence == pytest.approx(alone.presence, abs=1e-5)
        assert (together.mask != alone.mask).mean() < 0.01


@pytest.mark.parametrize("family", FAMILIES)
def test_texts_about_one_image_share_the_work_before_the_first_fusion(tokenizer, family):
    model = make_model(replace(CONFIG, **FAMILIES[family]))
    segmenter = Segmenter.of_network(model, tokenizer, device="cpu", presence_threshold=0, min_area=1)
    seen = []
    model.visual.stages[0].register_forward_hook(lambda _, inputs, output: seen.append(len(output)))
    random = np.random.default_rng(0)
    first, second = (random.integers(0, 256, (70, 90, 3), np.uint8) for _ in range(2))
    images, texts = [first, second, first, first], ["dog", "the two zebras", "cup", "dog"]
    shared = segmenter.batch(images, texts)
    unshared = segmenter.batch([image.copy() for image in images], texts)
    assert seen == [2, 4]
    for one, other in zip(shared, unshared, strict=True):
        assert one.presence == pytest.approx(other.presence, abs=1e-5)
        assert (one.mask != other.mask).mean() < 1e-3
    assert shared[0].presence != pytest.approx(shared[1].presence, abs=1e-4), "no image takes another's place"


def test_many_pairs_go_in_passes_of_bounded_size(segmenter, network):
    segmenter.options = replace(segmenter.options, pairs_at_once=3)
    sizes = []
    network.register_forward_hook(lambda _, inputs, output: sizes.append(len(output.logits)))
    images = [scene(64, 64)[0], scene(64, 64)[0][:, ::-1].copy()] * 4
    texts = [PRESENT, ABSENT, ABSENT, PRESENT] * 2
    results = segmenter.batch(images, texts)
    assert sizes == [3, 3, 2]
    assert [result.text for result in results] == texts
    for result, image, text in zip(results, images, texts, strict=True):
        assert np.array_equal(result.mask, segmenter(image, text).mask)


def test_texts_are_encoded_once(segmenter, network):
    image, _ = scene(64, 64)
    for _ in range(3):
        segmenter.batch([image] * 3, [PRESENT, ABSENT, PRESENT])
    assert len(network.encoded) == 2
    assert network.encoded[0] != network.encoded[1]
    assert len(network.seen) == 3, "a batch is one forward pass"


def test_the_text_cache_is_bounded(network, tokenizer, monkeypatch):
    monkeypatch.setattr(segmenter_module, "CACHED_TEXTS", 2)
    segmenter = Segmenter.of_network(network, tokenizer, device="cpu")
    image, _ = scene(64, 64)
    for text in ("dog", "cat", "cup", "cup", "cat", "dog"):  # the dog has been dropped for the cup
        segmenter(image, text)
    assert len(network.encoded) == 4


def test_long_texts_are_cut_with_a_warning(segmenter, network, caplog):
    image, _ = scene(64, 64)
    with caplog.at_level(logging.WARNING):
        segmenter(image, "the dog " * 1000)
        segmenter(image, "the dog " * 9)  # 20 word pieces with [CLS] and [SEP]
    assert [len(ids) for ids in network.encoded] == [20, 20]
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith("the text has 2002 word pieces; only the first 20 are read: the dog")
    assert len(message) < 200 and "\n" not in message


GOOD = np.zeros((4, 4, 3), np.uint8)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (GOOD[..., 0], r"must be uint8 RGB .* not uint8 \(4, 4\)"),
        (np.zeros((4, 4, 4), np.uint8), r"not uint8 \(4, 4, 4\)"),
        (GOOD.astype(np.float32), r"not float32 \(4, 4, 3\)"),
        (GOOD.astype(np.uint16), "not uint16"),
        (GOOD[:0], "the image is empty"),
        ([[1, 2, 3]], "not list"),
        (None, "not NoneType"),
    ],
    ids=["grey", "RGBA", "float", "16 bits", "empty", "list", "None"],
)
def test_bad_images(segmenter, image, message):
    with pytest.raises(InputError, match=message):
        segmenter(image, PRESENT)


@pytest.mark.parametrize("text", ["", "  \n", None, 3])
def test_bad_texts(segmenter, text):
    with pytest.raises(InputError, match="the text is empty"):
        segmenter(GOOD, text)


def test_texts_that_are_no_unicode(segmenter):
    """As bytes of the command line that are not UTF-8 come."""
    with pytest.raises(InputError, match=r"not valid Unicode: '\\udcff dog'"):
        segmenter(GOOD, "\udcff dog")


def test_unequal_numbers(segmenter):
    with pytest.raises(InputError, match="2 images but 1 texts"):
        segmenter.batch([GOOD, GOOD], [PRESENT])


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 2)])
def test_tiny_images(segmenter, size):
    image = np.full((*size, 3), (255, 0, 0), np.uint8)
    result = segmenter(image, PRESENT)
    assert result.mask.all() and result.mask.shape == size
    assert result.instances[0].roi == Roi(0, 0, size[1], size[0])


def test_views_and_read_only_images(segmenter):
    image, mask = scene(SIDE, SIDE)
    view = np.repeat(image, 2, axis=1)[:, ::2]
    view.setflags(write=False)
    assert np.array_equal(segmenter(view, PRESENT).mask, mask)
    assert np.array_equal(segmenter(image[:, ::-1], PRESENT).mask, mask[:, ::-1])


def test_from_pretrained(model_folder):
    segmenter = Segmenter.from_pretrained(
        str(model_folder), engine="torch", device="cpu", min_area=7, mask_threshold=0.4
    )
    assert (segmenter.device, segmenter.options) == ("cpu", Options(min_area=7, mask_threshold=0.4))
    result = segmenter(scene(48, 80)[0], "the dog")
    assert result.mask.shape == (48, 80) and 0 <= result.presence <= 1


@pytest.mark.parametrize(("model", "options"), [("nowhere", {}), (None, {"device": "cuda:99"})])
def test_what_cannot_be_opened(model_folder, model, options):
    with pytest.raises(ModelError):
        Segmenter.from_pretrained(model or model_folder, **options)


def test_the_model_is_put_into_evaluation_mode(tokenizer):
    model = make_model().train()
    Segmenter.of_network(model, tokenizer, device="cpu")
    assert not any(module.training for module in model.modules())


def test_nobody_is_nowhere(network, tokenizer):
    """By rule, whatever the network says, with a presence head and without."""
    image = np.full((SIDE, SIDE, 3), (255, 0, 0), np.uint8)
    for finder in (network, RedFinder(presence=False)):
        segmenter = Segmenter.of_network(finder, tokenizer, device="cpu")
        assert segmenter(image, PRESENT).status != Status.NO_TARGET
        nobody = segmenter(image, "nobody")
        assert (nobody.status, nobody.presence, nobody.mask.any()) == (Status.NO_TARGET, 0, False)


@pytest.mark.parametrize(("text", "grouping"), [("the dogs", "centres"), ("the dog", "single")])
def test_an_instance_head_parts_what_may_be_several(tokenizer, text, grouping):
    model = make_model(replace(CONFIG, instances=True, presence=False))
    segmenter = Segmenter.of_network(model, tokenizer, device="cpu", mask_threshold=0.0, min_area=1)
    result = segmenter(np.zeros((90, 120, 3), np.uint8), text)
    assert result.grouping == grouping and result.instances
    assert result.mask.all()


def test_options_of_one_call(segmenter):
    image, _ = scene(48, 80)
    whole = segmenter(image, PRESENT)
    assert segmenter(image, PRESENT, Options(min_area=10**6)).instances == ()
    assert segmenter(image, PRESENT).instances and whole.instances


@pytest.mark.parametrize("count", [0, -1])
def test_passes_of_no_pairs_are_refused(network, tokenizer, count):
    with pytest.raises(InputError, match=f"pairs_at_once is {count}; it must be at least 1"):
        Segmenter.of_network(network, tokenizer, pairs_at_once=count)
