"""Names that the released code gives to the tensors of our network."""

import re
from functools import cache

from dmmi_core.config import DmmiConfig

_DEAD = re.compile(
    r"classifier\.\w+\.decoder_layer\..*"  # the template that nn.TransformerDecoder makes its copies from
    r"|backbone\.layers\.3\.res_gate\..*"  # Swin's last gate: nothing follows it
    r"|.*\.relative_position_index"  # follows from the window size
    r"|bert_model\.(pooler\..*|embeddings\.position_ids)"
)


def is_dead(name: str) -> bool:
    """Return whether a released tensor influences nothing, so that our network does not have it."""
    return _DEAD.fullmatch(name) is not None


def released_name(key: str, config: DmmiConfig) -> str:
    """Return the released name of our tensor `key`; those of the text encoder begin with `bert_model.`."""
    names = _modules(config.normalize_skips)
    parts = key.split(".")
    for end in range(len(parts), 0, -1):
        module = ".".join(parts[:end])
        if module in names:
            return ".".join([names[module], *parts[end:]])
    raise KeyError(key)


_ATTENTION = {
    "to_image.weights.logits": "vis_weight",
    "to_image.value": "f_value.0",
    "to_image.output": "W",
    "to_text.weights.logits": "lan_weight",
    "to_text.value": "f_value_v",
    "to_text.output": "W2.0",
    **{
        f"to_image.maps.{n}.{ours}": f"refineimg{side}{side}.{theirs}"
        for n, side in enumerate((1, 3, 5))
        for ours, theirs in {"narrow": "f_query", "query": "f_query2", "key": "f_key.0"}.items()
    },
    **{
        f"to_text.maps.{n}.{ours}": f"refinelan{length}1.{theirs}"
        for n, length in enumerate((1, 2, 3))
        for ours, theirs in {"narrow": "f_query.0", "query": "f_query2.0", "key": "f_key"}.items()
    },
}
_FUSION = {
    "visual": "fusion.vis_project.0",
    "joint": "fusion.project_mm.0",
    "gate": "res_gate",
    "text": "W_l.0",
    **{ours: f"fusion.image_lang_att.{theirs}" for ours, theirs in _ATTENTION.items()},
}
_DECODER = {
    "text.bert": "bert_model",
    **{
        f"decoder.aggregate{level}.convs.{half}.{part}": f"classifier.{kind}{half + 1}_{level + 1}"
        for level in (3, 2, 1)
        for half in (0, 1)
        for part, kind in enumerate(("conv", "bn"))
    },
    "decoder.query3.layer": "classifier.transformer_fusion1.transformer_model.layers.0",
    "decoder.query2.layer": "classifier.transformer_fusion2.transformer_model.layers.0",
    "decoder.score": "classifier.conv1_1",
    "recovery.visual.0": "classifier.lan_func.conv1",
    "recovery.visual.1": "classifier.lan_func.bn1",
    "recovery.layer": "classifier.lan_func.transformer_model.layers.0",
    "pooling.fold.0": "classifier.crossfuse1.linear",
    "pooling.fold.1": "classifier.crossfuse2.linear",
    "pooling.align": "contrastive.align_lan.0",
}
_SWIN = {
    "visual.stem.module": "backbone.patch_embed",
    # The released stages end with the reduction that timm's begin with.
    **{f"visual.stages.{n}.module": f"backbone.layers.{n}" for n in range(4)},
    **{f"visual.stages.{n}.module.downsample": f"backbone.layers.{n - 1}.downsample" for n in (1, 2, 3)},
    **{f"fusions.{n}.skip_norm": f"backbone.norm{n}" for n in range(4)},
}
_RESNET = {
    "visual.stem": "backbone.layer1",
    "visual.stages.0": "backbone.layer1.4",
    **{f"visual.stages.{n}": f"backbone.layer{n + 1}" for n in (1, 2, 3)},
}


@cache
def _modules(swin: bool) -> dict[str, str]:
    """Our modules and theirs; the longest prefix of a tensor's name counts."""
    places = [f"backbone.layers.{n}" if swin else f"backbone.all_fusion{n + 1}" for n in range(4)]
    fusions = {
        f"fusions.{n}.{ours}": f"{place}.{theirs}"
        for n, place in enumerate(places)
        for ours, theirs in _FUSION.items()
    }
    return {**_DECODER, **fusions, **(_SWIN if swin else _RESNET)}
