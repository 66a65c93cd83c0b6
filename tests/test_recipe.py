from pathlib import Path

import pytest
import yaml

from dmmi_core.errors import InputError
from dmmi_core.recipe import DataRecipe, LossRecipe, read_recipe

ROOT = Path(__file__).parents[1]
REQUIRED = {
    "model": "dmmi-lite",
    "data": {"images": "images", "annotations": "instances.json"},
    "output": "out",
    "backbone_weights": "a.pth",
    "text_weights": "text",
}


def write(tmp_path, values) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_text(values if isinstance(values, str) else yaml.safe_dump(values))
    return path


def test_only_what_has_no_default_is_required(tmp_path):
    recipe = read_recipe(write(tmp_path, REQUIRED))
    assert recipe.data == DataRecipe("images", "instances.json", validation_share=10)
    assert recipe.losses == LossRecipe(segmentation=1, similarity=1, contrast=1, dice=0, presence=1)
    assert (recipe.weight_decay, recipe.learning_rate, recipe.image_size) == (0.01, 5e-5, 448)


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "training").glob("*.yaml")))
def test_recipes_of_the_repository(name):
    assert read_recipe(ROOT / "training" / name).steps > 0


def test_values_and_overrides(tmp_path):
    path = write(tmp_path, "learning_rate: 5e-4\nfreeze: [a, b.c]\n" + yaml.safe_dump(REQUIRED))
    recipe = read_recipe(
        path, ["steps=7", "data.images=/a=b c", "losses.dice=1", "backbone_learning_rate=1e-3", "model=x"]
    )
    assert (recipe.learning_rate, recipe.backbone_learning_rate) == (5e-4, 1e-3)
    assert recipe.freeze == ("a", "b.c")
    assert (recipe.steps, recipe.model) == (7, "x")
    assert recipe.data.images == "/a=b c" and recipe.data.annotations == "instances.json"
    assert recipe.losses.dice == 1.0 and isinstance(recipe.losses.dice, float)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"stepz": 1}, "unknown key stepz; did you mean steps?"),
        ({"zzz": 1}, "unknown key zzz; known: backbone_learning_rate, "),
        ({"losses": {"dyce": 1}}, "unknown key losses.dyce; did you mean losses.dice?"),
        ({"steps": "many"}, "steps is 'many'; it must be int"),
        ({"steps": 1.5}, "steps is 1.5; it must be int"),
        ({"steps": True}, "steps is True; it must be int"),
        ({"learning_rate": "fast"}, "learning_rate is 'fast'; it must be float"),
        ({"learning_rate": True}, "learning_rate is True; it must be float"),
        ({"freeze": "text"}, "freeze is 'text'"),
        ({"freeze": [1]}, "freeze is [1]"),
        ({"data": "images"}, "data is a section with keys of its own"),
        ({"data": {"images": "a"}}, "annotations"),
        ({"model": None}, "model is None; it must be str"),
        ({5: 1}, "unknown key 5"),
    ],
)
def test_mistakes_are_named(tmp_path, values, message):
    with pytest.raises(InputError) as error:
        read_recipe(write(tmp_path, REQUIRED | values))
    assert str(error.value).startswith("recipe: ")
    assert message in str(error.value)


@pytest.mark.parametrize("missing", REQUIRED)
def test_what_is_missing_is_named(tmp_path, missing):
    with pytest.raises(InputError, match=f"recipe: missing .*'{missing}'"):
        read_recipe(write(tmp_path, {k: v for k, v in REQUIRED.items() if k != missing}))


@pytest.mark.parametrize("override", ["steps", "steps=[", "steps.more=3", "data=3", "=3", "a.b.c=3"])
def test_bad_overrides(tmp_path, override):
    with pytest.raises(InputError) as error:
        read_recipe(write(tmp_path, REQUIRED | {"steps": 3}), [override])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", ["", "- a", "a: [", "\t", "!!python/object/apply:os.system [ls]", "\x00"])
def test_files_that_are_no_recipe(tmp_path, content):
    with pytest.raises(InputError, match=r"recipe .*recipe\.yaml is not") as error:
        read_recipe(write(tmp_path, content))
    assert "\n" not in str(error.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"cannot read recipe .*: No such file"):
        read_recipe(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    "setting",
    ["steps", "batch_size", "image_size", "log_every", "checkpoint_every", "data.validation_share"],
)
@pytest.mark.parametrize("value", [0, -1])
def test_counts_must_be_positive(tmp_path, setting, value):
    with pytest.raises(InputError, match=setting.rpartition(".")[2]):
        read_recipe(write(tmp_path, REQUIRED), [f"{setting}={value}"])
