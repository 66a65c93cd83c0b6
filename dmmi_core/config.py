"""The configuration of a DMMI network, a frozen and validated dataclass, and the named presets."""

from dataclasses import asdict, dataclass, field, replace
from types import NoneType
from typing import Any

from dmmi_core.errors import ModelError
from dmmi_core.schema import MisfitError, build, shown

REGION_AFFINITIES = ("summed", "learned")
OUTPUT_STRIDES = (4, 8)
GUIDES = (None, "nanodet-plus-m")
MOST_REGIONS = 16
MOST_BLOCKS, MOST_WIDTH = 512, 8192
"""Highest number of blocks, and any other number, among the arguments of a backbone."""
TINY = 1e-6
TEXT_RANGES = {
    "hidden_size": (1, 8192),
    "num_hidden_layers": (1, 96),
    "num_attention_heads": (1, 256),
    "intermediate_size": (1, 65_536),
    "vocab_size": (5, 1_000_000),
    "max_position_embeddings": (3, 65_536),
    "hidden_dropout_prob": (0.0, 1.0),
    "attention_probs_dropout_prob": (0.0, 1.0),
}
"""Least and highest value of each field: more than any published network has, but none that could fill the
memory or run for hours before it fails."""
RANGES = {
    "image_mean": (-1000.0, 1000.0),
    "image_std": (TINY, 1000.0),
    "image_size": (32, 2048),
    "max_tokens": (3, 1024),
    "hidden_size": (1, 8192),
    "image_regions": (1, 99),
    "text_regions": (1, 99),
    "decoder_heads": (1, 256),
    "feedforward_size": (1, 65_536),
    "decoder_dropout": (0.0, 1.0),
    "presence_temperature": (TINY, 1000.0),
    "presence_threshold": (0.0, 1.0),
}


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ModelError(f"configuration: {message}")


def _require_modest(arguments: dict) -> None:
    """Raise ModelError for arguments of a backbone that would take hours or all memory to build."""
    for name, value in arguments.items():
        items = value if isinstance(value, (list, tuple)) else [value]
        plain = isinstance(name, str) and all(isinstance(item, (int, float, str, NoneType)) for item in items)
        _require(plain, f"backbone_args.{name} is {shown(value)}; it must be numbers or text")
        numbers = [abs(item) for item in items if isinstance(item, (int, float))]
        blocks = sum(numbers) if name in ("depths", "layers") else len(items)
        _require(
            blocks <= MOST_BLOCKS and all(number <= MOST_WIDTH for number in numbers),
            f"backbone_args.{name} is {shown(value)}, which is too large",
        )


def _require_ranges(config: Any, ranges: dict[str, tuple[float, float]], prefix: str = "") -> None:
    """Check fields, or each item of those that are tuples. Raises ModelError."""
    for name, (least, most) in ranges.items():
        value = getattr(config, name)
        items = value if isinstance(value, tuple) else (value,)
        if not all(least <= item <= most for item in items):
            raise ModelError(
                f"configuration: {prefix}{name} is {shown(value)}; it must be from {least} to {most}"
            )


@dataclass(frozen=True)
class TextEncoderConfig:
    """Sizes of the BERT encoder; the defaults are BERT-base, uncased."""

    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    vocab_size: int = 30522
    max_position_embeddings: int = 512
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1

    def __post_init__(self):
        _require_ranges(self, TEXT_RANGES, "text_encoder.")
        _require(
            self.hidden_size % self.num_attention_heads == 0,
            f"text_encoder.hidden_size {self.hidden_size} is not a multiple of "
            f"text_encoder.num_attention_heads {self.num_attention_heads}",
        )


@dataclass(frozen=True)
class DmmiConfig:
    """Every choice that changes the network. The defaults are the paper's, with Swin-B.

    The rows of the paper's Table 3 are settings of `bidirectional`, `image_regions`, `text_regions`,
    `reconstruct` and `contrast`.
    """

    backbone: str = "swin_base_patch4_window12_384"
    """A timm model name: of the Swin, ResNet or EfficientNet family."""
    backbone_args: dict = field(default_factory=dict)
    """More keyword arguments for `timm.create_model`."""
    image_mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    image_std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    """Normalisation that the backbone was trained with, for RGB in [0, 1]."""
    image_size: int = 448
    """Side of the square that images are resized to, in pixels; a multiple of 32."""
    antialias: bool = False
    """Whether that is done as Pillow does it (bilinear, with antialiasing), as released."""
    text_encoder: TextEncoderConfig = TextEncoderConfig()
    max_tokens: int = 20
    """Longest text in word pieces, [CLS] and [SEP] included; more is cut off."""
    attend_padding: bool = False
    """Whether texts fill exactly `max_tokens` places, and decoders attend to the empty ones, as released."""

    hidden_size: int = 768
    """Width of the text features that stages exchange, and of the decoders."""
    region_affinity: str = "summed"
    """How a region attends. "summed": the sum over the region, as printed in eq. 2 and 5; "learned": a query
    convolved over the region and a key of its own, as released."""
    image_regions: tuple[int, ...] = (1, 3, 5)
    """Sides of the square image regions (Omega alpha), odd; (1,) is plain cross-attention."""
    text_regions: tuple[int, ...] = (1, 2, 3)
    """Lengths of the token sequences (Omega beta)."""
    bidirectional: bool = True
    """Whether the image also refines the text (image-to-text alignment, eq. 5 and 6)."""
    normalize_skips: bool = True
    """Skips to the decoder: normalised attended features (Swin), or the stage's gated sum (CNNs)."""

    output_stride: int = 8
    """Pixels of the input for one of the score map: 8 as printed, 4 with one more fusion."""
    decoder_heads: int = 8
    feedforward_size: int = 2048
    decoder_dropout: float = 0.1
    position_encoding: bool = False
    """Adds 2-D sine positions to the pixels of the decoder's Transformer layers (not in the paper)."""

    reconstruct: bool = True
    """Context clue recovery, for L_sim (eq. 8); only in training."""
    contrast: bool = True
    """Pooled embeddings for L_con (eq. 9-11); only in training."""
    presence: bool = False
    """A head for the probability that the image holds any target (not in the paper)."""
    guide: str | None = None
    """A frozen detector whose features and class logits join the stages, such as "nanodet-plus-m" (not in the
    paper)."""
    instances: bool = False
    """A head for the centres of objects and the offsets to them from each pixel (not in the paper)."""
    presence_temperature: float = 1.0
    """Temperature that calibrates the presence logits (Guo et al., 2017)."""
    presence_threshold: float = 0.5
    """Presence below which there is no target; `dmmi calibrate` sets it and the temperature."""

    def __post_init__(self):
        for name in ("image_mean", "image_std", "image_regions", "text_regions"):
            object.__setattr__(self, name, tuple(getattr(self, name)))  # JSON has lists
        _require_ranges(self, RANGES)
        _require(
            self.region_affinity in REGION_AFFINITIES,
            f"region_affinity is {self.region_affinity!r}; known: {', '.join(REGION_AFFINITIES)}",
        )
        _require(
            self.output_stride in OUTPUT_STRIDES,
            f"output_stride is {self.output_stride}; it must be one of {OUTPUT_STRIDES}",
        )
        _require(
            self.guide in GUIDES,
            f"guide is {self.guide!r}; it must be null or {' or '.join(map(repr, GUIDES[1:]))}",
        )
        _require(self.image_size % 32 == 0, f"image_size is {self.image_size}; it must be a multiple of 32")
        for name in ("image_regions", "text_regions"):
            count = len(getattr(self, name))
            _require(0 < count <= MOST_REGIONS, f"{name} are {count}; it must be from 1 to {MOST_REGIONS}")
        _require(
            all(side % 2 for side in self.image_regions),
            f"image_regions are {self.image_regions}; each must be odd",
        )
        for name in ("image_mean", "image_std"):
            _require(len(getattr(self, name)) == 3, f"{name} needs three numbers, for red, green and blue")
        _require(
            self.max_tokens <= self.text_encoder.max_position_embeddings,
            f"max_tokens is {self.max_tokens}; the text encoder has "
            f"{self.text_encoder.max_position_embeddings} positions",
        )
        _require_modest(self.backbone_args)
        _require(
            self.hidden_size % self.decoder_heads == 0,
            f"hidden_size {self.hidden_size} is not a multiple of decoder_heads {self.decoder_heads}",
        )
        _require(
            not self.position_encoding or self.hidden_size % 4 == 0,
            f"hidden_size {self.hidden_size} is not a multiple of 4, as position_encoding needs",
        )

    def uncalibrated(self) -> "DmmiConfig":
        """Return the configuration with the presence temperature and threshold of a new network."""
        return replace(self, presence_temperature=1.0, presence_threshold=0.5)

    def to_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> "DmmiConfig":
        """Return the configuration of `values`. Raises ModelError for an unknown key or a wrong type."""
        try:
            return build(cls, values)
        except MisfitError as error:
            raise ModelError(f"configuration: {error}") from error


_SWIN_BASE = DmmiConfig(backbone_args={"always_partition": True})

_SWIN_BASE_RELEASED = replace(
    _SWIN_BASE,
    backbone_args={"always_partition": True, "drop_path_rate": 0.3},
    image_size=480,
    antialias=True,
    text_encoder=TextEncoderConfig(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0),
    attend_padding=True,
    region_affinity="learned",
    output_stride=4,
)
_RESNET101: dict[str, Any] = {"backbone": "resnet101", "backbone_args": {}, "normalize_skips": False}

PRESETS = {
    "dmmi-swin-base": _SWIN_BASE,
    "dmmi-resnet101": replace(_SWIN_BASE, **_RESNET101),
    "dmmi-swin-base-released": _SWIN_BASE_RELEASED,
    "dmmi-resnet101-released": replace(_SWIN_BASE_RELEASED, **_RESNET101),
    "dmmi-lite": DmmiConfig(
        backbone="tf_efficientnet_lite1",
        image_mean=(0.5, 0.5, 0.5),
        image_std=(0.5, 0.5, 0.5),
        image_size=320,
        text_encoder=TextEncoderConfig(
            hidden_size=384,
            num_hidden_layers=6,
            num_attention_heads=12,
            intermediate_size=1536,
            vocab_size=12000,
            max_position_embeddings=64,
        ),
        hidden_size=128,
        normalize_skips=False,
        output_stride=4,
        feedforward_size=512,
        decoder_dropout=0.0,
        position_encoding=True,
        presence=True,
        guide="nanodet-plus-m",
        instances=True,
    ),
}
"""Architectures by name; `dmmi-lite` is also shipped with weights."""


def preset(name: str) -> DmmiConfig:
    """Return the preset of a name. Raises ModelError for an unknown one."""
    if name not in PRESETS:
        raise ModelError(f"no preset {name!r}; known: {', '.join(PRESETS)}")
    return PRESETS[name]
