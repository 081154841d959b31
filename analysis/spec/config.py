"""Where a run's inputs are and which views it may build."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from analysis.errors import BlindingError, SpecError
from analysis.spec.base import Declaration, IsoDay, Name, parse

SYNTHETIC = "synthetic"


class Config(Declaration):
    """Inputs and outputs of one run (``config.yaml``).

    `raw` is ``synthetic`` or the folder of the exports; `allocation` the restricted file, never inside the
    repository; `mapping` names a file of ``data_spec/mappings/``.
    """

    raw: Name = SYNTHETIC
    mapping: Name = SYNTHETIC
    allocation: Name | None = None
    corrections: Name | None = None
    out: Name = "out"
    data_cut: IsoDay | None = None
    seed: Annotated[int, Field(ge=0)] = 1

    @property
    def is_synthetic(self) -> bool:
        return self.raw == SYNTHETIC

    @property
    def views(self) -> tuple[str, ...]:
        """Views this run builds: without an allocation, arms exist only as a rehearsal."""
        return ("open", "closed") if self.is_synthetic or self.allocation else ("open", "dummy")

    @property
    def raw_folder(self) -> str:
        return f"{self.out}/synthetic/raw" if self.is_synthetic else self.raw

    @property
    def allocation_file(self) -> str | None:
        return f"{self.out}/synthetic/restricted/allocation.csv" if self.is_synthetic else self.allocation


def check_config(body: dict[str, Any], root: Path) -> Config:
    """The configuration, refused when it would let the allocation lie beside the code.

    Raises
    ------
    SpecError
        On an unknown key, a wrong value, or a folder that does not exist.
    BlindingError
        If the allocation of real data lies inside the repository or the raw folder.
    """
    config = parse(Config, body, file="config.yaml")
    if config.corrections and not Path(root, config.corrections).is_file():
        raise SpecError("config.yaml, corrections: no such file; leave it out when there are none.")
    if config.is_synthetic:
        if config.allocation:
            raise SpecError("config.yaml, allocation: the synthetic trial brings its own; leave it out.")
        return config
    if not Path(root, config.raw).is_dir():
        raise SpecError("config.yaml, raw: no such folder; give the folder of the exports, or 'synthetic'.")
    raw, out, here = Path(root, config.raw).resolve(), Path(root, config.out).resolve(), root.resolve()
    if out.is_relative_to(raw) or raw.is_relative_to(out):
        raise SpecError("config.yaml, out: the output folder and the raw folder may not lie in each other.")
    if config.allocation:
        _check_allocation(Path(root, config.allocation).resolve(), here, raw)
        if out.is_relative_to(here):
            raise BlindingError(
                "config.yaml, out: with a real allocation the outputs may not lie inside the repository; "
                "below closed/ they are as secret as the allocation itself."
            )
    return config


def raw_files(config: Config) -> list[str]:
    """What ingest depends on: every file of the raw folder, or the folder itself when a rule writes it."""
    if config.is_synthetic:
        return [config.raw_folder]
    return sorted(path.as_posix() for path in Path(config.raw).rglob("*") if path.is_file())


def _check_allocation(allocation: Path, root: Path, raw: Path) -> None:
    if allocation.is_relative_to(raw):
        raise BlindingError(
            "config.yaml, allocation: the allocation may not lie in the raw folder, which open steps read."
        )
    if allocation.is_relative_to(root):
        raise BlindingError(
            "config.yaml, allocation: the allocation of real data may not lie inside the repository; "
            "keep it in a folder that only the unblinded statistician can read."
        )
    if not allocation.is_file():
        raise SpecError("config.yaml, allocation: no such file; leave it out to run blinded with dummy arms.")
