"""Write the fixed validation samples to files, for `dmmi evaluate --samples`.

    python benchmarks/validation_lists.py OUT_DIR --annotations INSTANCES [FURTHER ...]

`plain.jsonl` has the samples that a training is validated on, from INSTANCES alone. `balanced.jsonl` has
about as many samples of every category, from all files: FURTHER completes INSTANCES, as in `data.annotations`
of a recipe. The output counts the samples of each kind, and the images.
"""

import argparse
from collections import Counter
from pathlib import Path

from dmmi_core.data.samples import KINDS, Sample, write_samples
from dmmi_core.data.split import is_validation
from dmmi_core.data.synthesis.balanced_validation import QUALITY, balanced_validation_samples
from dmmi_core.data.synthesis.scenes import Scene, read_scenes
from dmmi_core.data.synthesis.validation import validation_samples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, metavar="OUT_DIR")
    parser.add_argument("--annotations", nargs="+", required=True, metavar="FILE")
    parser.add_argument("--validation-share", type=int, default=10)
    arguments = parser.parse_args()
    first, *further = arguments.annotations

    def held_out(scenes: list[Scene]) -> list[Scene]:
        return [scene for scene in scenes if is_validation(scene.image, arguments.validation_share)]

    plain = validation_samples(held_out(read_scenes(first)))
    arguments.out.mkdir(parents=True, exist_ok=True)
    write("plain", plain, arguments.out)
    balanced = balanced_validation_samples(held_out(read_scenes(first, further, QUALITY)))
    write("balanced", balanced, arguments.out)


def write(name: str, samples: list[Sample], folder: Path) -> None:
    write_samples(folder / f"{name}.jsonl", samples)
    kinds = Counter(sample.kind for sample in samples)
    counts = ", ".join(f"{kinds[kind]} {kind}" for kind in KINDS)
    print(f"{name}: {len(samples)} samples ({counts}) of {len({s.image for s in samples})} images")


if __name__ == "__main__":
    main()
