"""Where a run's inputs are and which views it may build."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from analysis.errors import BlindingError, SpecError
from analysis.spec.base import Declaration, IsoDay, Name, parse, readable
from analysis.spec.mapping import Mapping
from analysis.spec.private import check_copies, check_private

SYNTHETIC = "synthetic"
# What only the unblinded may read, and what it is.
SECRETS = {
    "allocation": "the allocation of real data",
    "closed_meetings": "what a closed session agreed",
}


class Config(Declaration):
    """Inputs and outputs of one run (``config.yaml``).

    `raw` is ``synthetic`` or the folder of the exports; `allocation` the restricted file, never inside the
    repository; `mapping` names a file of ``data_spec/mappings/``; `reference` is a folder of results of R,
    shown where R was given the tables of this run. `data_cut` is the last day that counts, `extracted` the
    day on which the exports were made; `snapshot` and `closed_snapshot` are records of an earlier run, whose
    files the exports must be. `previous` is the output folder of the run at the last meeting's cut.

    At an interim cut `meetings` and `closed_meetings` name what the data monitoring committee agreed in its
    open and closed sessions; `recipient` and `copy_number` say for whom a copy of the closed report is.
    With `arm_labels` coded, arms are A and B in everything of the closed side that shows results.
    """

    raw: Name = SYNTHETIC
    mapping: Name = SYNTHETIC
    allocation: Name | None = None
    corrections: Name | None = None
    reference: Name | None = None
    out: Name = "out"
    data_cut: IsoDay | None = None
    extracted: IsoDay | None = None
    meetings: Name | None = None
    closed_meetings: Name | None = None
    recipient: str = ""
    copy_number: str | int = ""
    snapshot: Name | None = None
    closed_snapshot: Name | None = None
    previous: Name | None = None
    arm_labels: Literal["named", "coded"] = "named"
    seed: Annotated[int, Field(ge=0)] = 1

    @property
    def is_synthetic(self) -> bool:
        return self.raw == SYNTHETIC

    @property
    def views(self) -> tuple[str, ...]:
        """Views this run builds: without an allocation, arms exist only as a rehearsal."""
        return ("open", "closed") if self.is_synthetic or self.allocation else ("open", "dummy")

    @property
    def secret_view(self) -> str:
        """The view with arms, real or rehearsed."""
        return self.views[1]

    @property
    def raw_folder(self) -> str:
        return f"{self.out}/synthetic/raw" if self.is_synthetic else self.raw

    @property
    def allocation_file(self) -> str | None:
        return f"{self.out}/synthetic/restricted/allocation.csv" if self.is_synthetic else self.allocation

    @property
    def key_file(self) -> str | None:
        """Which arm is called A, beside the allocation; none where arms are a rehearsal."""
        allocation = self.allocation_file
        return f"{Path(allocation).parent.as_posix()}/arm_labels.csv" if allocation else None


@readable()
def check_config(body: dict[str, Any], root: Path, *, file: str = "config.yaml") -> Config:
    """The configuration, refused when it would let the allocation lie beside the code.

    Raises
    ------
    SpecError
        On an unknown key, a wrong value, or a folder that does not exist or cannot be read.
    BlindingError
        If the allocation of real data, or what a closed session agreed, lies inside the repository or the
        raw folder.

    `file` is what the messages call the configuration.
    """
    config = parse(Config, body, file=file)
    for name in ("corrections", "snapshot", "closed_snapshot", "meetings", "closed_meetings"):
        if (given := getattr(config, name)) and not Path(root, given).is_file():
            raise SpecError(f"{file}, {name}: no such file; leave it out when there is none.")
    if config.extracted and config.extracted < (config.data_cut or ""):
        raise SpecError(f"{file}, extracted: the exports were made before the day of the data cut.")
    if config.is_synthetic:
        if config.allocation:
            raise SpecError(f"{file}, allocation: the synthetic trial brings its own; leave it out.")
        return config
    if not Path(root, config.raw).is_dir():
        raise SpecError(f"{file}, raw: no such folder; give the folder of the exports, or 'synthetic'.")
    raw, out, here = Path(root, config.raw).resolve(), Path(root, config.out).resolve(), root.resolve()
    if out.is_relative_to(raw) or raw.is_relative_to(out):
        raise SpecError(f"{file}, out: the output folder and the raw folder may not lie in each other.")
    _check_secret(config, "closed_meetings", root, file=file)
    check_private(out, file=file)
    if allocation := _check_secret(config, "allocation", root, file=file):
        check_copies(allocation, {"repository": here, "raw folder": raw}, file=file)
        # A link would lead out of a folder that is outside into one that is not.
        for folder in (out, (out / "closed").resolve()):
            if folder.is_relative_to(here):
                raise BlindingError(
                    f"{file}, out: with a real allocation the outputs may not lie inside the repository; "
                    "below closed/ they are as secret as the allocation itself."
                )
    return config


@readable()
def closed_files(config: Config, mapping: Mapping, closed: Iterable[str]) -> list[str]:
    """The allocation and, beside it, every other export that reveals the arm; none without an allocation.

    Raises
    ------
    SpecError
        If an export that the mapping reads does not lie beside the allocation.
    """
    if config.allocation_file is None:
        return []
    folder, found = Path(config.allocation_file).parent, [config.allocation_file]
    for source in mapping.of_tables(frozenset(closed) - {"allocation"}):
        for pattern in (source.files, *source.companions.values()):
            paths = sorted(path.as_posix() for path in folder.glob(pattern) if path.is_file())
            if not paths and not config.is_synthetic:
                raise SpecError(
                    f"{pattern}: no such file beside the allocation; mapping {mapping.name} reads table "
                    f"{source.table} with it. A mapping without it names the table under `absent`."
                )
            # The synthetic trial's are not written yet.
            found += [f"{folder}/{pattern}"] if config.is_synthetic else paths
    return list(dict.fromkeys(found))


@readable()
def raw_files(config: Config) -> list[str]:
    """What ingest depends on: every file of the raw folder, or the folder itself when a rule writes it."""
    if config.is_synthetic:
        return [config.raw_folder]
    return sorted(path.as_posix() for path in Path(config.raw).rglob("*") if path.is_file())


def _check_secret(config: Config, name: str, root: Path, *, file: str) -> Path | None:
    """The file that only the unblinded may read which `name` gives, if any; refused where others would."""
    if (given := getattr(config, name)) is None:
        return None
    path = Path(root, given).resolve()
    if path.is_relative_to(Path(root, config.raw).resolve()):
        raise BlindingError(
            f"{file}, {name}: {SECRETS[name]} may not lie in the raw folder, which open steps read."
        )
    if path.is_relative_to(root.resolve()):
        raise BlindingError(
            f"{file}, {name}: {SECRETS[name]} may not lie inside the repository; "
            "keep it in a folder that only the unblinded statistician can read."
        )
    if not path.is_file():
        raise SpecError(f"{file}, {name}: no such file; leave it out to run blinded with dummy arms.")
    return path
