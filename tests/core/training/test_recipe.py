from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest
import yaml

from dmmi_core import shipped_files
from dmmi_core.checkpoints.pretrained import resolve
from dmmi_core.config import PRESETS
from dmmi_core.data.data_recipe import DataRecipe, ExtraScenes
from dmmi_core.errors import DmmiError, InputError
from dmmi_core.training.recipe import LossRecipe, read_recipe
from helpers.paths import ROOT

TRAINING = ROOT / "training"
REQUIRED = {
    "model": "dmmi-lite",
    "data": {"images": "images", "annotations": "instances.json"},
    "output": "out",
    "backbone_weights": "a.pth",
    "text_weights": "text",
    "steps": 3,
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


RECIPES = [path for path in sorted(TRAINING.rglob("*.yaml")) if path.parent.name != "base"]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipes_of_the_repository(path):
    recipe = read_recipe(path)
    assert recipe.config().image_size == recipe.image_size
    assert recipe.output == f"runs/{path.relative_to(TRAINING).with_suffix('')}".replace(
        "3/row", "3/ref-zom-row"
    )


@pytest.mark.parametrize("table", ["table1", "table2", "table3"])
def test_tables_are_trained_as_the_paper_says(table):
    for path in (TRAINING / table).iterdir():
        recipe = read_recipe(path)
        assert recipe.model == ("dmmi-resnet101" if "resnet101" in path.name else "dmmi-swin-base")
        assert ("resnet101" in recipe.backbone_weights) == ("resnet101" in path.name)
        assert (recipe.learning_rate, recipe.backbone_learning_rate) == (5e-5, 5e-5)
        assert (recipe.weight_decay, recipe.image_size, recipe.config().max_tokens) == (0.01, 448, 20)
        assert recipe.losses == LossRecipe() and recipe.freeze == () and recipe.validate_every


def test_table_1_has_every_dataset_with_both_backbones():
    trained = {
        (recipe.data.refs.removeprefix("data/"), recipe.model)
        for recipe in map(read_recipe, (TRAINING / "table1").iterdir())
    }
    refs = ("refcoco/refs(unc).p", "refcoco+/refs(unc).p", "refcocog/refs(umd).p", "refcocog/refs(google).p")
    assert trained == {(name, model) for name in refs for model in ("dmmi-swin-base", "dmmi-resnet101")}


@pytest.mark.parametrize(
    ("row", "two_ways", "regions", "similarity", "contrast"),
    [
        (1, True, True, False, False),
        (2, True, True, True, False),
        (3, True, True, False, True),
        (4, False, False, True, True),
        (5, True, False, True, True),
        (6, False, True, True, True),
        (7, True, True, True, True),
    ],
)
def test_rows_of_table_3(row, two_ways, regions, similarity, contrast):
    config = read_recipe(TRAINING / f"table3/row-{row}.yaml").config()
    assert (config.bidirectional, config.reconstruct, config.contrast) == (two_ways, similarity, contrast)
    assert config.image_regions == ((1, 3, 5) if regions else (1,))
    assert config.text_regions == ((1, 2, 3) if regions else (1,))


@pytest.mark.parametrize(
    ("row", "changes"),
    [
        ("no-decoder", {"reconstruct": False, "contrast": False}),
        ("similarity-only", {"contrast": False}),
        ("contrast-only", {"reconstruct": False}),
        ("plain-attention", {"bidirectional": False, "image_regions": (1,), "text_regions": (1,)}),
        ("single-scale", {"image_regions": (1,), "text_regions": (1,)}),
        ("one-direction", {"bidirectional": False}),
        ("full", {}),
        ("full-presence", {"presence": True}),
    ],
)
def test_rows_of_the_ablation(row, changes):
    """Only the network differs from the recipe of the shipped model."""
    recipe, shipped = (read_recipe(TRAINING / name) for name in (f"ablation/{row}.yaml", "dmmi-lite.yaml"))
    assert recipe.config() == replace(shipped.config(), **({"presence": False} | changes))
    assert replace(recipe, network=shipped.network, output=shipped.output) == shipped


def test_another_base(tmp_path):
    recipe = read_recipe(
        TRAINING / "table3/row-4.yaml", ["base=../table1/refcocog-umd-swin-base.yaml", "output=x"]
    )
    assert recipe.data.refs.endswith("refs(umd).p") and recipe.output == "x"
    assert not recipe.config().bidirectional


def test_a_base_is_changed_section_by_section(tmp_path):
    write(tmp_path, REQUIRED | {"losses": {"dice": 2, "contrast": 0.5}})
    above = tmp_path / "above.yaml"
    above.write_text(
        "base: recipe.yaml\nlosses: {dice: 3}\nsteps: null\nepochs: 2\ndata: {samples: a.jsonl}\n"
    )
    recipe = read_recipe(above, ["losses.presence=7"])
    assert recipe.losses == LossRecipe(dice=3, contrast=0.5, presence=7)
    assert (recipe.steps, recipe.epochs, recipe.data.images) == (None, 2, "images")


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("recipe.yaml", "base recipe.yaml leads back"),
        ("none.yaml", "cannot read recipe .*none.yaml"),
        ("3", "base is 3"),
    ],
)
def test_bases_that_are_none(tmp_path, base, message):
    with pytest.raises(InputError, match=message):
        read_recipe(write(tmp_path, REQUIRED), [f"base={base}"])


def test_the_network_differs_from_its_preset(tmp_path):
    path = write(
        tmp_path, REQUIRED | {"network": {"image_regions": [1, 3], "text_encoder": {"hidden_size": 96}}}
    )
    config = read_recipe(path, ["network.bidirectional=false", "image_size=320"]).config()
    lite = PRESETS["dmmi-lite"]
    text = replace(lite.text_encoder, hidden_size=96)
    expected = replace(lite, image_regions=(1, 3), text_encoder=text, bidirectional=False, image_size=320)
    assert config == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": {"bidirektional": False}}, "network.bidirektional; did you mean network.bidirectional?"),
        ({"network": {"bidirectional": "no"}}, "network.bidirectional is 'no'; it must be true or false"),
        (
            {"network": {"image_regions": 3}},
            "network.image_regions is 3; it must be a list, each item a whole number",
        ),
        ({"network": {"text_encoder": {"layers": 3}}}, "unknown key network.text_encoder.layers"),
        ({"network": {"contrast": False}, "model": "folder"}, "network changes a preset"),
        ({"epochs": 2}, "either steps or epochs"),
        ({"steps": None, "epochs": 2}, "templates make endless samples"),
        ({"precision": "fp8"}, "precision is 'fp8'; it must be fp32 or bf16 or fp16"),
        ({"batch_norm": "sync"}, "batch_norm is 'sync'"),
        ({"select_by": "iou"}, "select_by is 'iou'"),
        ({"data": {"images": "a", "refs": "b"}}, "data needs annotations"),
        ({"data": {"images": "a", "samples": "b", "validation_split": "val"}}, "only data.refs has splits"),
        ({"data": {"images": "a", "annotations": "c", "refs": "b", "samples": "d"}}, "data.refs goes with"),
    ],
)
def test_settings_that_do_not_go_together(tmp_path, changes, message):
    with pytest.raises(InputError) as error:
        read_recipe(write(tmp_path, REQUIRED | changes)).config()
    assert message in str(error.value)


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
        ({"zzz": 1}, "unknown key zzz; known: accumulate, "),
        ({"losses": {"dyce": 1}}, "unknown key losses.dyce; did you mean losses.dice?"),
        ({"steps": "many"}, "steps is 'many'; it must be a whole number"),
        ({"steps": 1.5}, "steps is 1.5; it must be a whole number"),
        ({"steps": True}, "steps is True; it must be a whole number"),
        ({"learning_rate": "fast"}, "learning_rate is 'fast'; it must be a number"),
        ({"learning_rate": True}, "learning_rate is True; it must be a number"),
        ({"freeze": "text"}, "freeze is 'text'; it must be a list, each item text"),
        ({"freeze": [1]}, "freeze is 1; it must be text"),
        ({"data": "images"}, "data is a section with keys of its own"),
        ({"data": {"images": "a"}}, "annotations"),
        ({"model": None}, "model is None; it must be text"),
        ({5: 1}, "unknown key 5"),
    ],
)
def test_mistakes_are_named(tmp_path, values, message):
    with pytest.raises(InputError) as error:
        read_recipe(write(tmp_path, REQUIRED | values))
    assert str(error.value).startswith("recipe: ")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("workers=100000", "workers is 100000; it must be from 0 to 256"),
        ("image_size=1000000", "image_size is 1000000; it must be from 32 to 2048"),
        ("batch_size=1000000000", "batch_size"),
        ("seed=-1", "seed is -1"),
        ("warmup_steps=-1", "warmup_steps is -1"),
        ("learning_rate=-1e-3", "learning_rate is -0.001"),
        ("learning_rate=.nan", "learning_rate is nan; it must be a number"),
        ("learning_rates={visual: .inf}", "learning_rates.visual is inf"),
        ("losses.dice=-1", "losses.dice is -1.0"),
        ("ema_decay=2", "ema_decay is 2.0"),
        ("clip_norm=0", "clip_norm is 0.0"),
        ('output="a\\0b"', "output is "),
        ("steps=" + "9" * 5000, "is not YAML"),
        ("output=" + "[" * 5000, "is not YAML"),
        ("output=" + "{a: " * 50 + "}" * 50, "output is "),
        (
            "network.text_encoder.num_attention_heads=5",
            "is not a multiple of text_encoder.num_attention_heads 5",
        ),
        ("network.text_encoder.num_hidden_layers=1000000", "num_hidden_layers is 1000000"),
    ],
)
def test_values_that_no_training_can_have(tmp_path, override, message):
    with pytest.raises(DmmiError) as error:
        read_recipe(write(tmp_path, REQUIRED), [override]).config()
    assert message in str(error.value)
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


@pytest.mark.parametrize("name", ["2026-13-01", "2026-11-28", "2026-11-28 12:00:00"])
def test_dates_are_text(tmp_path, name):
    assert read_recipe(write(tmp_path, REQUIRED), [f"output={name}"]).output == name


@pytest.mark.parametrize("content", ["base: /dev/zero", "base: big.yaml"])
def test_a_base_that_is_too_large_to_be_one(tmp_path, content):
    (tmp_path / "big.yaml").write_text("# " + "x" * (1 << 20))
    with pytest.raises(
        InputError, match=r"cannot read recipe .*(zero|big\.yaml): it has more than 1,048,576"
    ):
        read_recipe(write(tmp_path, content))


@pytest.mark.parametrize("missing", [key for key in REQUIRED if key != "steps"])
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


@pytest.mark.parametrize("name", ["dmmi-lite", "table3/row-7"])
def test_shipped_recipes_are_found_by_name(tmp_path, monkeypatch, name):
    """As after an installation: far from a checkout, with the files in share/dmmi."""
    share = tmp_path / "prefix" / "share" / "dmmi"
    copytree(TRAINING, share / "training")
    package = tmp_path / "prefix/lib/python3.11/site-packages/dmmi_core/shipped_files.py"
    monkeypatch.setattr(shipped_files, "__file__", str(package))
    monkeypatch.chdir(tmp_path)
    recipe = read_recipe(name, ["steps=3", "epochs=null"])
    assert recipe.steps == 3
    if recipe.vocabulary:
        assert resolve(recipe.vocabulary) == share / "training" / "dmmi-lite-vocabulary.txt"
    with pytest.raises(InputError, match=r"No such file.*; shipped recipes have names such as dmmi-lite"):
        read_recipe("dmmi-heavy")


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


def test_lists_of_annotations_and_more_images(tmp_path):
    data = {"images": "images", "annotations": ["a.json", "b.json"], "mask_quality": 0.8}
    data["extra"] = [{"images": "animals", "annotations": "c.json"}]
    recipe = read_recipe(write(tmp_path, REQUIRED | {"data": data}))
    assert recipe.data.annotations == ("a.json", "b.json") and recipe.data.mask_quality == 0.8
    assert recipe.data.extra == (ExtraScenes("animals", "c.json"),)
    for wrong in ({"annotations": 3}, {"extra": [3]}, {"extra": [{"images": "animals", "annotations": ""}]}):
        with pytest.raises(InputError, match=next(iter(wrong))):
            read_recipe(write(tmp_path, REQUIRED | {"data": data | wrong}))
