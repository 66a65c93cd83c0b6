"""Which engine runs a model: the one that is asked for, or the fastest that agrees with the reference."""

import logging
import math
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from dmmi_core.checkpoints.folder import CONFIG, WEIGHTS, read_config
from dmmi_core.config import DmmiConfig
from dmmi_core.device import device_name
from dmmi_core.engines import ENGINES, PRECISIONS
from dmmi_core.engines.cache import CacheError, cached
from dmmi_core.engines.engine import Engine
from dmmi_core.engines.manifest import MANIFEST, Manifest, read_manifest
from dmmi_core.engines.registry import missing_packages
from dmmi_core.engines.verification import TOLERANCE, disagreement
from dmmi_core.errors import InputError, ModelError, one_line

logger = logging.getLogger(__name__)
FASTEST_FIRST = {
    "cpu": (("openvino", "bf16"), ("openvino", "fp32"), ("onnx", "fp32"), ("torch", "fp32")),
    "cuda": (("torch", "fp32"),),
}
"""What "auto" tries, by the kind of device; benchmarks/README.md has the measurements."""


class EngineUnavailable(ModelError):
    """The model may be good, but this engine cannot run it here."""


class EngineFailed(ModelError):
    """This engine should run the model here, but an error in it or in the export stopped it."""


def open_engine(
    model: Path, *, engine: str = "auto", precision: str = "auto", device: str = "auto"
) -> Engine:
    """Opens a model folder, or a folder that `dmmi export` wrote.

    "auto" is the fastest that is installed and agrees with the reference; what is passed over is logged.
    Raises ModelError where the model is damaged, or what was asked for is unavailable or fails.
    """
    for name, value, known in (("engine", engine, ENGINES), ("precision", precision, PRECISIONS)):
        if value not in ("auto", *known):
            raise InputError(f"{name} is {value!r}; it must be auto or one of {', '.join(known)}")
    exported = read_manifest(model) if (model / MANIFEST).is_file() else None
    if exported and engine not in ("auto", exported.format):
        raise ModelError(f"{model} was exported for the engine {exported.format}, not for {engine}")
    opening = _Opening(model, _config(model), device_name(device), exported)
    engine = exported.format if exported else engine
    candidates = _candidates(engine, precision, opening.device)
    for number, candidate in enumerate(candidates, start=1):
        try:
            is_asked_for = candidate == (engine, precision) or len(candidates) == 1
            return opening.open(*candidate, is_asked_for=is_asked_for)
        except (EngineUnavailable, EngineFailed) as error:
            if number == len(candidates):
                raise
            logger.info("%s; trying %s in %s", error, *candidates[number])


def _config(model: Path) -> DmmiConfig:
    for name in (CONFIG, WEIGHTS):
        if not (model / name).is_file() and not (name == WEIGHTS and (model / MANIFEST).is_file()):
            raise ModelError(f"{model} is not a model folder: it has no {name}")
    try:
        return read_config(model)
    except Exception as error:  # of a damaged file, anything
        raise ModelError(f"the model in {model} is damaged: {one_line(error)}") from error


def _candidates(engine: str, precision: str, device: str) -> list[tuple[str, str]]:
    """Pairs of engine and precision, to be tried in this order."""
    known = FASTEST_FIRST[device.partition(":")[0]]
    fitting = [c for c in known if engine in ("auto", c[0]) and precision in ("auto", c[1])]
    last = ("torch" if engine == "auto" else engine, "fp32" if precision == "auto" else precision)
    return list(dict.fromkeys([*fitting, last] if engine == "auto" else fitting or [last]))


def _described(error: float) -> str:
    if math.isnan(error):
        return "was never compared with PyTorch on such a device"
    return f"disagrees with PyTorch by {100 * error:.2g} %"


@dataclass(frozen=True)
class _Opening:
    model: Path
    config: DmmiConfig
    device: str
    exported: Manifest | None
    """Of a folder of graphs, which has no weights for PyTorch."""

    def open(self, name: str, precision: str, *, is_asked_for: bool) -> Engine:
        """Raises EngineUnavailable; where it disagrees with the reference, not if it `is_asked_for`."""
        if name == "torch":
            return self._torch(precision)
        try:
            engine, error = self._compiled(precision) if name == "compiled" else self._graphs(name, precision)
        except CacheError as error:
            raise EngineFailed(f"the engine {name} failed: {error}") from error
        except ModelError:  # of EngineUnavailable, or of a model that no engine can open
            raise
        except Exception as error:  # those of compilers and runtimes have no common class
            raise EngineFailed(f"the engine {name} failed: {one_line(error)}") from error
        if not error <= TOLERANCE[precision]:
            said = f"the engine {name} in {precision} {_described(error)}"
            if not is_asked_for:
                raise EngineUnavailable(said)
            logger.warning("%s", said)
        return engine

    def _torch(self, precision: str) -> Engine:
        from dmmi_core.engines.torch_engine import TorchEngine

        return TorchEngine(self._network(), device=self.device, precision=precision)

    def _compiled(self, precision: str) -> tuple[Engine, float]:
        """The engine and its disagreement with the reference."""
        from dmmi_core.engines.compiled_engine import CompiledEngine
        from dmmi_core.engines.torch_engine import TorchEngine

        network = self._network()
        engine = CompiledEngine(network, device=self.device, precision=precision)
        return engine, disagreement(engine, TorchEngine(network, device=self.device))

    def _graphs(self, name: str, precision: str) -> tuple[Engine, float]:
        """The engine and its disagreement with the reference."""
        if missing := missing_packages(name):
            said = f"the engine {name} needs {' and '.join(missing)}: pip install 'dmmi[engines]'"
            raise EngineUnavailable(said)
        runtime = import_module(f"dmmi_core.engines.{name}_engine")
        if not runtime.has(precision, self.device):
            raise EngineUnavailable(f"the engine {name} cannot compute in {precision} on this {self.device}")
        if self.exported:
            folder, manifest = self.model, self.exported
        else:
            folder, manifest = cached(self.model, self.config, name, lambda new: self._export(name, new))
        engine = runtime.open_folder(folder, self.config, precision, self.device)
        return engine, self._disagreement(engine, manifest)

    def _disagreement(self, engine: Engine, manifest: Manifest) -> float:
        """As it was measured, on a CPU, when the graphs were made, or now; NaN where neither can be."""
        if self.device == "cpu" and engine.precision in manifest.disagreement:
            return manifest.disagreement[engine.precision]
        if self.exported:
            return math.nan
        from dmmi_core.engines.torch_engine import TorchEngine

        return disagreement(engine, TorchEngine(self._network(), device=self.device))

    def _export(self, name: str, folder: Path) -> None:
        from dmmi_core.engines.export import export

        export(self._network(), name, folder)

    def _network(self):
        from dmmi_core.checkpoints.checkpoint import load_model

        return load_model(self.model)[0]
