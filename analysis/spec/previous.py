"""The run at the last meeting's cut: is it finished, earlier, and with arms of the same names?"""

import csv
import json
from pathlib import Path

from analysis.errors import BlindingError, SpecError
from analysis.spec.base import readable
from analysis.spec.config import Config


@readable()
def check_previous(
    config: Config, root: Path, *, cut: str, looks_back: bool = False, file: str = "config.yaml"
) -> None:
    """Insist that the run of the last meeting is finished, with the views of this one, at an earlier cut.

    With `looks_back`, this run reads the looks taken at that meeting.

    Raises
    ------
    SpecError
        Naming what is absent, or the cut that is not earlier.
    BlindingError
        If its arms were called by other names.
    """
    if config.previous is None:
        return
    folder, where = Path(root, config.previous), f"{file}, previous"
    if folder.resolve() == Path(root, config.out).resolve():
        raise SpecError(f"{where}: it is the output folder of this run, which would write over it.")
    looks = [f"{config.secret_view}/results/monitoring.json"] if looks_back else []
    for name in ("data/cut.json", *(f"{view}/manifest.csv" for view in config.views), *looks):
        if not (folder / name).is_file():
            raise SpecError(
                f"{where}: no folder of a finished run with the views of this one, for it has no {name}; "
                "name the output folder (out) of the run at the last meeting's cut, or leave it out."
            )
    then = _cut_of(folder / "data" / "cut.json", where)
    if then >= cut:
        raise SpecError(f"{where}: its data cut, {then}, is not before the one of this run, {cut}.")
    _check_arms(folder / config.secret_view / "manifest.csv", config.arm_labels, where)
    key = config.key_file
    if config.arm_labels == "coded" and key and not config.is_synthetic and not Path(root, key).is_file():
        raise SpecError(
            f"{file}, arm_labels: no arm_labels.csv beside the allocation, though a report was shown at the "
            "last meeting; put the file of that run there, or labels would be drawn anew."
        )


def _cut_of(path: Path, where: str) -> str:
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["cut"])
    except (ValueError, KeyError, TypeError) as error:
        raise SpecError(f"{where}: its data/cut.json is not the record of a data cut.") from error


def _check_arms(manifest: Path, arm_labels: str, where: str) -> None:
    """A difference is A less B in one run and intervention less control in the other: its sign may turn."""
    try:
        with manifest.open(encoding="utf-8", newline="") as handle:
            found = {row["arms"] for row in csv.DictReader(handle)}
    except (ValueError, KeyError, csv.Error):
        found = set()
    if not found or not found <= {"named", "coded"}:
        raise SpecError(f"{where}: its manifest.csv is not the manifest of a report with arms.")
    if found != {arm_labels}:
        raise BlindingError(
            f"{where}: its arms are {' and '.join(sorted(found))}, those of this run {arm_labels}; "
            "arm_labels must be the same at every cut."
        )
