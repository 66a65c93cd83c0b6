"""The source images of a build, from files with damaged annotations."""

import json

from dmmi_core.data.refzom.images import Texts, read_images
from helpers.pictures import CATEGORIES


def test_a_damaged_annotation_counts_as_a_crowd(sources, tmp_path, caplog):
    data = json.loads(sources.annotations.read_text())
    damaged = next(item for item in data["annotations"] if not item["iscrowd"])
    damaged["segmentation"] = [[0, 0, 1e9, 0, 0, 1e9]]
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(data))
    texts = Texts(captions={}, expressions={}, checked={})
    before, after = (
        {image.id: image for image in read_images(file, texts)[0]} for file in (sources.annotations, path)
    )
    image = after.pop(damaged["image_id"])
    former = before.pop(damaged["image_id"])
    assert set(former.annotation_ids) - set(image.annotation_ids) == {damaged["id"]}
    assert len(image.scene.objects) == len(former.scene.objects) - 1
    assert CATEGORIES[damaged["category_id"] - 1] in image.present - image.scene.complete
    assert [item.annotation_ids for item in after.values()] == [
        item.annotation_ids for item in before.values()
    ]
    assert f"annotations are damaged: annotation {damaged['id']}" in caplog.text
