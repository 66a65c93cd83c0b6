"""Profile a training step.

    python benchmarks/training_step.py [PRESET] [--device cuda] [--precision bf16] [--batch 8] [--size 448]

The script prints the images per second, the share of the device's peak rate, and the slowest operations of
one optimizer step with the trainer's network, losses and optimizer.
"""

import argparse

from torch.profiler import ProfilerActivity, profile

from dmmi_core.benchmarking.training import TrainingStep, measure_training


def show_profile(step: TrainingStep, precision: str) -> None:
    step(precision)
    kinds = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * (step.device.type == "cuda")
    with profile(activities=kinds) as found:
        step(precision)
    print(found.key_averages().table(sort_by=f"self_{step.device.type}_time_total", row_limit=15))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("preset", nargs="?", default="dmmi-lite")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="bf16")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--size", type=int, help="side of the images, instead of the preset's own")
    arguments = parser.parse_args()
    options = {"batch": arguments.batch, "size": arguments.size, "device": arguments.device}
    for row in measure_training(arguments.preset, precisions=[arguments.precision], **options):
        print(f"{row['images_per_s']:.1f} images/s, {100 * row['share_of_peak']:.0f} % of the peak")
    show_profile(TrainingStep(arguments.preset, **options), arguments.precision)


if __name__ == "__main__":
    main()
