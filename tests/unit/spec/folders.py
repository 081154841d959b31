"""Configurations of runs of real data, in the folders of fixture `repository`."""

from pathlib import Path


def real(repository: Path, **more: object) -> dict[str, object]:
    return {"raw": str(repository.parent / "exports"), **more}
