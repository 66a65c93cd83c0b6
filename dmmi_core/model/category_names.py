"""Names of the guide's categories."""

import torch
from transformers import PreTrainedTokenizerBase

from dmmi_core.model.dmmi import Dmmi
from dmmi_core.tokenizer import tokenize

CATEGORIES = (
    *("person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat"),
    *("traffic light", "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog"),
    *("horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag"),
    *("tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball", "kite", "baseball bat"),
    *("baseball glove", "skateboard", "surfboard", "tennis racket", "bottle", "wine glass", "cup"),
    *("fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli", "carrot"),
    *("hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed", "dining table"),
    *("toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven"),
    *("toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier"),
    "toothbrush",
)
"""COCO's 80 categories, in COCO's order."""


@torch.no_grad()
def name_categories(model: Dmmi, tokenizer: PreTrainedTokenizerBase) -> None:
    """Encode the names with the current text encoder of a guided network, and set those of its link."""
    assert model.link is not None, "the network has no guide"
    encoder, features = model.text.eval(), []
    for name in CATEGORIES:
        ids, mask = tokenize(tokenizer, [name], model.config.max_tokens)
        features.append(encoder.features(ids, mask)[0, 1:-1])
    model.link.set_names(features)
