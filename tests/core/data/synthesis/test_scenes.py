import json
import zlib
from dataclasses import replace

import cv2
import numpy as np
import pytest

from dmmi_core.data.samples import encode_mask
from dmmi_core.data.split import is_validation
from dmmi_core.data.synthesis.affine_view import view_scene
from dmmi_core.data.synthesis.scenes import Scene, SceneObject, read_scenes
from dmmi_core.errors import InputError

CATEGORIES = [{"id": 1, "name": "dog"}, {"id": 7, "name": "person"}, {"id": 3, "name": "traffic light"}]
EVERY = {"dog", "person", "traffic light"}


def box(x: int, y: int, width: int, height: int) -> SceneObject:
    polygon = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float32)
    return SceneObject("dog", (x, y, width, height), (polygon,))


def annotation(category: int, bbox: list, **more) -> dict:
    x, y, width, height = bbox
    polygon = [x, y, x + width, y, x + width, y + height]
    return {"image_id": 5, "category_id": category, "bbox": bbox, "segmentation": [polygon], **more}


def read(tmp_path, annotations: list, **image) -> Scene:
    path = tmp_path / "instances.json"
    image = {"id": 5, "file_name": "a.jpg", "width": 40, "height": 30, **image}
    path.write_text(json.dumps({"images": [image], "annotations": annotations, "categories": CATEGORIES}))
    (scene,) = read_scenes(path)
    return scene


@pytest.mark.parametrize(
    ("labelled", "complete"),
    [
        ({}, EVERY),
        ({"labelled": "all80"}, EVERY),
        ({"labelled": "dog"}, {"dog"}),
        ({"labelled": "dog+traffic light"}, {"dog", "traffic light"}),
        ({"labelled": "one_person", "person_boxes": []}, {"person"}),
    ],
)
def test_complete_are_the_categories_that_were_labelled(tmp_path, labelled, complete):
    assert read(tmp_path, [], **labelled).complete == complete


def test_a_crowd_makes_its_category_incomplete(tmp_path):
    crowd = annotation(1, [0, 0, 9, 9], iscrowd=1) | {"segmentation": {"size": [30, 40], "counts": [1200]}}
    scene = read(tmp_path, [annotation(1, [1, 2, 3, 4]), crowd])
    assert scene.complete == EVERY - {"dog"}
    assert [item.box for item in scene.objects] == [(1, 2, 3, 4)]


def test_objects_keep_their_polygons(tmp_path):
    (item,) = read(tmp_path, [annotation(3, [1, 2, 3, 4])]).objects
    assert item.category == "traffic light"
    assert [polygon.tolist() for polygon in item.polygons] == [[[1, 2], [4, 2], [4, 6]]]


@pytest.mark.parametrize("segmentation", [[], [[1, 2, 4, 2]]], ids=["none", "a line"])
def test_what_has_no_area_is_only_a_box(tmp_path, segmentation):
    (item,) = read(tmp_path, [annotation(1, [1, 2, 3, 4]) | {"segmentation": segmentation}]).objects
    assert item.polygons is None and item.box == (1, 2, 3, 4)


def test_run_lengths_become_outlines(tmp_path):
    mask = np.zeros((30, 40), bool)
    mask[5:15, 10:30] = mask[20:24, 2:9] = True
    runs = annotation(1, [2, 5, 28, 19]) | {"segmentation": encode_mask(mask)}
    (item,) = read(tmp_path, [runs]).objects
    drawn = cv2.fillPoly(np.zeros((30, 40), np.uint8), [p.astype(np.int32) for p in item.polygons], 1)
    assert np.array_equal(drawn, mask)


def test_one_person_has_a_mask_and_the_others_a_box(tmp_path):
    boxes = [[20, 2, 5, 9], [1.5, 2, 3, 4], [30, 0, 4, 4]]
    scene = read(tmp_path, [annotation(7, [1, 2, 3, 4])], labelled="one_person", person_boxes=boxes)
    assert [(item.category, item.box, item.polygons is None) for item in scene.objects] == [
        ("person", (1, 2, 3, 4), False),
        ("person", (20, 2, 5, 9), True),
        ("person", (30, 0, 4, 4), True),
    ]


def further(tmp_path, annotations: list, not_covered: list = (), quality: float = 0.75, **image) -> Scene:
    """What is read of one dog and, in another file, of `annotations`."""
    read(tmp_path, [annotation(1, [1, 2, 3, 4])], **image)
    path = tmp_path / "further.json"
    path.write_text(json.dumps({"annotations": annotations, "not_covered": not_covered}))
    (scene,) = read_scenes(tmp_path / "instances.json", [path], quality)
    return scene


def test_a_further_file_completes_the_first(tmp_path):
    scene = further(tmp_path, [annotation(7, [9, 2, 3, 4])], labelled="dog")
    assert scene.complete == EVERY
    assert [(item.category, item.box) for item in scene.objects] == [
        ("dog", (1, 2, 3, 4)),
        ("person", (9, 2, 3, 4)),
    ]


def test_what_a_further_file_does_not_cover_stays(tmp_path):
    assert further(tmp_path, [], [5], labelled="dog").complete == {"dog"}


def test_persons_are_not_counted_twice(tmp_path):
    boxes = [[1, 2, 3, 4], [20, 2, 5, 9]]
    persons = [annotation(7, [1, 2, 3, 4]), annotation(7, [20, 2, 5, 9])]
    for not_covered, known in (([], EVERY), ([5], {"person"})):
        more = [] if not_covered else persons[1:]
        read(tmp_path, persons[:1], labelled="one_person", person_boxes=boxes)
        path = tmp_path / "further.json"
        path.write_text(json.dumps({"annotations": more, "not_covered": not_covered}))
        (scene,) = read_scenes(tmp_path / "instances.json", [path])
        assert [item.box for item in scene.objects] == [(1, 2, 3, 4), (20, 2, 5, 9)]
        assert scene.complete == known


@pytest.mark.parametrize(
    ("category", "count", "labelled", "sure"),
    [
        ("person", 3, "one_person", True),
        ("person", 4, "one_person", False),
        ("person", 4, "person", True),
        ("dog", 8, "person", True),
        ("dog", 9, "person", False),
        ("dog", 9, "all80", True),
    ],
)
def test_of_many_more_may_be_there_as_a_crowd_that_is_not_known(tmp_path, category, count, labelled, sure):
    number = {"dog": 1, "person": 7}[category]
    read(tmp_path, [], labelled=labelled, person_boxes=[])
    path = tmp_path / "further.json"
    path.write_text(json.dumps({"annotations": [annotation(number, [1, 2, 3, 4])] * count}))
    (scene,) = read_scenes(tmp_path / "instances.json", [path])
    assert scene.complete == (EVERY if sure else EVERY - {category})


@pytest.mark.parametrize(
    ("more", "masked", "fill"),
    [
        ({"quality": 0.8}, True, 1.0),
        ({"quality": 0.7, "area": 3}, False, 0.25),
        ({"quality": 0.7}, False, 0.6),
        ({"segmentation": None}, False, 0.6),
    ],
)
def test_a_mask_is_used_from_its_quality_on(tmp_path, more, masked, fill):
    item = annotation(1, [9, 2, 3, 4], **more)
    if item["segmentation"] is None:
        del item["segmentation"]
    *_, found = further(tmp_path, [item]).objects
    assert (found.polygons is not None) == masked and found.box == (9, 2, 3, 4)
    assert found.quality == more.get("quality", 1.0) and found.fill == pytest.approx(fill)


GOOD = {"images": [], "annotations": [], "categories": []}
IMAGE = {"id": 1, "file_name": "a.jpg", "width": 4, "height": 3}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "not JSON",
        "[]",
        "3",
        *(json.dumps({k: v for k, v in GOOD.items() if k != missing}) for missing in GOOD),
        json.dumps(GOOD | {"images": [{"id": 1}]}),
        json.dumps(GOOD | {"images": [IMAGE | {"labelled": "one_person"}]}),
        json.dumps(GOOD | {"images": 3}),
        b"\xff\xfe",
    ],
)
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "instances.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match="is not a COCO instances file"):
        read_scenes(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*nowhere\.json: No such file"):
        read_scenes(tmp_path / "nowhere.json")


# The split must never change: a model would be scored on what another was trained on.
NAMES = [f"{number:012}.jpg" for number in range(1000)]
KEPT = ["000000000002.jpg", "000000000031.jpg", "000000000034.jpg"]


def kept(names: list[str], share: int) -> list[str]:
    return [name for name in names if is_validation(name, share)]


def test_the_validation_split():
    assert kept(NAMES, 10)[:3] == KEPT
    assert kept(NAMES, 10) == [name for name in NAMES if zlib.crc32(name.encode()) % 10 == 0]
    assert 60 < len(kept(NAMES, 10)) < 140
    assert kept(NAMES, 1) == NAMES


def test_the_validation_split_goes_by_file_name_alone():
    assert kept([f"elsewhere/{name}" for name in NAMES], 10) == [f"elsewhere/{n}" for n in kept(NAMES, 10)]


SIZE = 20
SCENE = Scene("", 40, 40, (box(4, 8, 8, 16), box(20, 0, 16, 8)), frozenset({"dog", "cat"}))
HALF = np.array([[0.5, 0, 0], [0, 0.5, 0]])
MIRRORED = np.array([[-0.5, 0, 20], [0, 0.5, 0]])


@pytest.mark.parametrize(("matrix", "centres"), [(HALF, [0.2, 0.7]), (MIRRORED, [0.8, 0.3])])
def test_objects_are_seen_through_the_view(matrix, centres):
    view = view_scene(SCENE, matrix, SIZE)
    assert [item.centre[0] for item in view.objects] == pytest.approx(centres)
    assert [item.centre[1] for item in view.objects] == pytest.approx([0.4, 0.1])
    assert view.complete == {"dog", "cat"}
    for item, centre, area in zip(view.objects, centres, (4 * 8, 8 * 4), strict=True):
        assert item.mask.shape == (SIZE, SIZE) and item.mask.dtype == bool
        assert np.argwhere(item.mask).mean(axis=0)[1] == pytest.approx(centre * SIZE, abs=0.51)
        assert item.area == item.mask.mean()
        assert item.area * SIZE**2 == pytest.approx(area, rel=0.45), "but for the outline"


@pytest.mark.parametrize(
    ("shift", "seen", "complete"),
    [
        (0, True, True),
        (-11, True, True),  # 5 of 8 columns are seen
        (-15, False, False),  # 1 of 8: neither there nor gone
        (-21, False, True),
        (8, True, True),
        (11, False, False),
        (13, False, True),
    ],
)
def test_an_object_at_the_border(shift, seen, complete):
    scene = replace(SCENE, objects=(box(8, 0, 8, 8),))
    view = view_scene(scene, np.array([[1.0, 0, shift], [0, 1, 0]]), SIZE)
    assert (len(view.objects) == 1) == seen
    assert ("dog" in view.complete) == complete
    assert "cat" in view.complete


def test_the_centre_is_of_the_part_that_is_seen():
    (item,) = view_scene(replace(SCENE, objects=(box(-4, 0, 10, 20),)), np.eye(3)[:2], SIZE).objects
    assert item.centre == pytest.approx((3 / SIZE, 0.5))


def test_overlapping_polygons_are_united():
    parts = box(2, 2, 10, 10).polygons + box(6, 6, 10, 10).polygons
    (item,) = view_scene(
        replace(SCENE, objects=(SceneObject("dog", (2, 2, 14, 14), parts),)), np.eye(3)[:2], SIZE
    ).objects
    assert item.mask[8, 8] and item.mask[3, 3] and item.mask[15, 15] and not item.mask[3, 15]


def test_an_object_without_polygons_has_no_mask():
    (item,) = view_scene(replace(SCENE, objects=(SceneObject("dog", (4, 8, 8, 16)),)), HALF, SIZE).objects
    assert item.mask is None
    assert item.area == pytest.approx(4 * 8 / SIZE**2)
    half = SceneObject("dog", (4, 8, 8, 16), fill=0.5)
    (item,) = view_scene(replace(SCENE, objects=(half,)), HALF, SIZE).objects
    assert item.area == pytest.approx(4 * 8 / SIZE**2 / 2)


@pytest.mark.parametrize(
    "values",
    [
        {"segmentation": [[1, 2, 3, 4, 5, float("nan")]]},
        {"segmentation": [[0, 0, 1e9, 0, 0, 1e9]]},
        {"segmentation": [{"size": [30, 40], "counts": [1200]}, [1, 2, 3, 4, 5, float("nan")]]},
        {"segmentation": [[1, 2, 3, 4, 5, 6, 7]]},
        {"segmentation": {"size": [40, 30], "counts": [1200]}},
        {"segmentation": "polygon"},
        {"bbox": [1, 2, 3]},
        {"bbox": [1, 2, 3, float("nan")]},
        {"bbox": [1, 2, 3, "4"]},
        {"area": "12"},
        {"quality": None},
    ],
    ids=str,
)
def test_a_damaged_annotation_is_left_out_and_its_category_is_incomplete(tmp_path, values, caplog):
    good = annotation(1, [1, 2, 3, 4], id=8)
    scene = read(tmp_path, [good, annotation(3, [1, 2, 3, 4], id=9) | values])
    assert [item.category for item in scene.objects] == ["dog"]
    assert scene.complete == EVERY - {"traffic light"}
    (record,) = caplog.records
    assert "instances.json: 1 of 2 annotations are damaged: annotation 9: " in record.getMessage()


def test_an_object_of_an_unknown_category_leaves_none_complete(tmp_path, caplog):
    scene = read(tmp_path, [annotation(1, [1, 2, 3, 4]), annotation(99, [1, 2, 3, 4], id=9)])
    assert len(scene.objects) == 1 and not scene.complete
    assert "annotation 9: there is no category 99" in caplog.text


def test_too_many_damaged_annotations(tmp_path):
    with pytest.raises(InputError, match=r"2 of 3 annotations are damaged: .*data\.bad_share"):
        read(tmp_path, [annotation(1, [1, 2, 3, 4]), *[annotation(3, [1, 2, 3, 4]) | {"bbox": None}] * 2])
