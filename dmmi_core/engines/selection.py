"""Chooses the engine that runs a model: the one asked for, or the fastest that agrees with PyTorch."""

import logging
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dmmi_core.checkpoints.model_folder import CONFIG, WEIGHTS, read_config
from dmmi_core.config import DmmiConfig
from dmmi_core.device import device_name
from dmmi_core.engines.cache import CacheError, cached
from dmmi_core.engines.engine import Engine
from dmmi_core.engines.export_process import OnProgress
from dmmi_core.engines.manifest import MANIFEST, Manifest, config_digest, read_manifest
from dmmi_core.engines.registry import (
    ENGINES,
    EXPORT_PACKAGES,
    FASTEST_FIRST,
    PACKAGES,
    PRECISIONS,
    graph_runtime,
)
from dmmi_core.engines.verification import TOLERANCE, disagreement
from dmmi_core.errors import InputError, ModelError, one_line
from dmmi_core.extras import missing

if TYPE_CHECKING:
    from dmmi_core.model import Dmmi

logger = logging.getLogger(__name__)


class EngineUnavailable(ModelError):
    """The model may be good, but this engine cannot run it here."""


class EngineFailed(ModelError):
    """This engine should run the model here, but an error in it or in the export stopped it."""


def open_engine(
    model: Path,
    *,
    engine: str = "auto",
    precision: str = "auto",
    device: str = "auto",
    on_progress: OnProgress | None = None,
) -> Engine:
    """Open a model folder; graphs in it are used if they are those of its configuration.

    "auto" is the fastest engine that is installed and agrees with PyTorch; engines passed over are logged.
    `on_progress` gets a line of progress of an export. Raises ModelError if the model is damaged, or if the
    engine asked for is unavailable or fails.
    """
    for name, value, known in (("engine", engine, ENGINES), ("precision", precision, PRECISIONS)):
        if value not in ("auto", *known):
            raise InputError(f"{name} is {value!r}; it must be auto or one of {', '.join(known)}")
    config = _config(model)
    opening = _Opening(model, config, device_name(device), _shipped_graphs(model, config), on_progress)
    candidates = _candidates(engine, precision, opening.device)
    passed_over: list[str] = []
    for number, candidate in enumerate(candidates, start=1):
        try:
            is_asked_for = candidate == (engine, precision) or len(candidates) == 1
            opened = opening.open(*candidate, is_asked_for=is_asked_for)
        except (EngineUnavailable, EngineFailed) as error:
            if number == len(candidates):
                raise
            passed_over.append(str(error))
            continue
        if passed_over:
            logger.info("%s; %s in %s runs instead", "; ".join(dict.fromkeys(passed_over)), *candidate)
        return opened
    raise AssertionError("there is always a candidate")


def _config(model: Path) -> DmmiConfig:
    for name in (CONFIG, WEIGHTS):
        if not (model / name).is_file():
            raise ModelError(f"{model} is not a model folder: it has no {name}")
    return read_config(model)


def _shipped_graphs(model: Path, config: DmmiConfig) -> Manifest | None:
    """Return the manifest of the graphs in the model folder; None if there are none of this configuration."""
    if not (model / MANIFEST).is_file():
        return None
    try:
        manifest = read_manifest(model)
    except ModelError as error:
        logger.warning("%s", error)
        return None
    return manifest if manifest.config == config_digest(config) else None


def _candidates(engine: str, precision: str, device: str) -> list[tuple[str, str]]:
    """Return pairs of engine and precision, in the order to try them."""
    known = FASTEST_FIRST[device.partition(":")[0]]
    fitting = [c for c in known if engine in ("auto", c[0]) and precision in ("auto", c[1])]
    last = ("torch" if engine == "auto" else engine, "fp32" if precision == "auto" else precision)
    return list(dict.fromkeys([*fitting, last] if engine == "auto" else fitting or [last]))


def _described(distance: float) -> str:
    if math.isnan(distance):
        return "was never compared with PyTorch on such a device"
    return f"disagrees with PyTorch by {100 * distance:.2g} %"


@dataclass(frozen=True)
class _Opening:
    model: Path
    config: DmmiConfig
    device: str
    shipped: Manifest | None
    """Manifest of the graphs in the model folder."""
    on_progress: OnProgress | None
    failures: list[ModelError] = field(default_factory=list)
    """The error of the export, once it has failed."""

    def open(self, name: str, precision: str, *, is_asked_for: bool) -> Engine:
        """Open one engine; if it disagrees with PyTorch, only one that `is_asked_for`.

        Raises EngineUnavailable, EngineFailed, and ModelError for a model that no engine can open.
        """
        if said := missing(*PACKAGES[name]):
            raise EngineUnavailable(f"the engine {name} {said}")
        if name == "torch":
            return self._torch(precision)
        try:
            engine, distance = (
                self._compiled(precision) if name == "compiled" else self._graphs(name, precision)
            )
        except CacheError as error:  # the same for every engine of graphs
            raise EngineFailed(f"the model cannot be exported: {error}") from error
        except ModelError:
            raise
        except Exception as error:  # compilers and runtimes raise classes of their own
            raise EngineFailed(f"the engine {name} failed: {one_line(error)}") from error
        if not distance <= TOLERANCE[precision]:
            said = f"the engine {name} in {precision} {_described(distance)}"
            if not is_asked_for:
                raise EngineUnavailable(said)
            logger.warning("%s", said)
        return engine

    def _torch(self, precision: str) -> Engine:
        from dmmi_core.engines.torch_engine import TorchEngine

        return TorchEngine(self._network(), device=self.device, precision=precision)

    def _compiled(self, precision: str) -> tuple[Engine, float]:
        """Return the engine and its disagreement with PyTorch."""
        from dmmi_core.engines.compiled_engine import CompiledEngine
        from dmmi_core.engines.torch_engine import TorchEngine

        network = self._network()
        engine = CompiledEngine(network, device=self.device, precision=precision)
        return engine, disagreement(engine, TorchEngine(network, device=self.device))

    def _graphs(self, name: str, precision: str) -> tuple[Engine, float]:
        """Return the engine and its disagreement with PyTorch."""
        runtime = graph_runtime(name)
        if not runtime.supports(precision, self.device):
            raise EngineUnavailable(f"the engine {name} cannot compute in {precision} on this {self.device}")
        if self.shipped:
            folder, manifest = self.model, self.shipped
        elif said := missing(*EXPORT_PACKAGES):
            raise EngineUnavailable(f"there are no graphs of {self.model}; their export {said}")
        else:
            folder, manifest = self._exported()
        engine = runtime.open_folder(folder, self.config, precision, self.device)
        return engine, self._disagreement(engine, manifest)

    def _exported(self) -> tuple[Path, Manifest]:
        """Export the model, or find it in the cache; what has failed once is not tried again."""
        if self.failures:
            raise self.failures[0]
        try:
            return cached(self.model, self.config, self.on_progress)
        except ModelError as error:
            self.failures.append(error)
            raise

    def _disagreement(self, engine: Engine, manifest: Manifest) -> float:
        """Return the disagreement measured at the export, on a CPU, or measure it; NaN without PyTorch."""
        if self.device == "cpu":
            known = manifest.disagreement.get(f"{engine.name}:{engine.precision}")
            if known is not None:
                return known
        if missing("torch"):
            return math.nan
        from dmmi_core.engines.torch_engine import TorchEngine

        return disagreement(engine, TorchEngine(self._network(), device=self.device))

    def _network(self) -> "Dmmi":
        from dmmi_core.checkpoints.saved_network import load_network

        return load_network(self.model)
