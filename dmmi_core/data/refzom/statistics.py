"""The statistics of a built dataset, in the terms of the paper's section 4."""

from collections import Counter

from dmmi_core.data.refzom.build import SPLITS, BuiltDataset
from dmmi_core.data.refzom.conflicts import REASONS
from dmmi_core.data.refzom.text_image_pairs import STRATEGIES, Pair
from dmmi_core.data.samples import KINDS

PAPER = {
    "images": (55078, 43749, 11329),
    "annotated objects": (74942, 58356, 16586),
    "one-to-many objects": (41842, None, None),
    "one-to-one objects": (42421, None, None),
    "one-to-zero images": (11937, None, None),
}
"""Numbers of Ref-ZOM itself for all, train and test, as far as section 4 gives them."""


def statistics_table(built: BuiltDataset) -> str:
    """Return a Markdown table: the numbers of section 4 beside Ref-ZOM's own, then more of this dataset."""
    splits = [[p for split in SPLITS for p in built.pairs[split]], *(built.pairs[s] for s in SPLITS)]
    counts = [_counts(pairs) for pairs in splits]
    lines = [["", "all", *SPLITS, "Ref-ZOM"], ["---", "---:", "---:", "---:", "---:"]]
    for name in counts[0]:
        paper = " / ".join(map(_number, PAPER.get(name, ())))
        lines.append([name, *(_number(c[name]) for c in counts), paper])
    tried = built.rejected.total() + len([p for p in splits[0] if p.kind == "zero"])
    lines += [["", "", "", "", ""], ["one-to-zero texts tried", _number(tried), "", "", ""]]
    lines += [[f"rejected: {reason}", _number(built.rejected[reason]), "", "", ""] for reason in REASONS]
    lines += [["captions proposed for way (1)", _number(len(built.candidates)), "", "", ""]]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _counts(pairs: list[Pair]) -> dict[str, float]:
    of_kind = {kind: [pair for pair in pairs if pair.kind == kind] for kind in KINDS}
    counts = {
        "images": len({pair.image_id for pair in pairs}),
        "annotated objects": _objects(pairs),
        "one-to-many objects": _objects(of_kind["many"]),
        "one-to-one objects": _objects(of_kind["one"]),
        "one-to-zero images": len({pair.image_id for pair in of_kind["zero"]}),
        "texts": len(pairs),
    }
    for kind, strategies in STRATEGIES.items():
        found = Counter(pair.strategy for pair in of_kind[kind])
        counts |= {f"one-to-{kind} texts": len(of_kind[kind])}
        counts |= {f"one-to-{kind} texts, {strategy}": found[strategy] for strategy in strategies}
    words = sum(len(pair.text.split()) for pair in pairs)
    return counts | {"words per text": words / max(len(pairs), 1)}


def _objects(pairs: list[Pair]) -> int:
    return len({target for pair in pairs for target in pair.targets})


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}" if isinstance(value, float) else str(value)
