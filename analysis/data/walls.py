"""The third wall: what knows arms is written below ``closed/`` or ``dummy/`` only, and nothing else is."""

from pathlib import Path

from analysis.errors import BlindingError
from analysis.spec.private import SECRET

ROOTS = ("open", "data", *SECRET)


def check_destination(path: Path, *, audience: str) -> None:
    """Refuse to write what knows arms to an open root, and the reverse.

    The last part of the path that names a root decides, so that it does not matter where the output folder
    lies.

    Raises
    ------
    BlindingError
        Naming the audience and the root.
    """
    roots = [part for part in path.parts if part in ROOTS]
    secret = bool(roots) and roots[-1] in SECRET
    if (audience == "closed") != secret:
        where = f"{roots[-1]}/" if roots else "a folder that is neither closed/ nor dummy/"
        raise BlindingError(f"{audience} results may not be written to {where}.")


def secret_folders(path: Path) -> list[Path]:
    """Folders of a file from its secret root down to its own; none of a file that is not below one."""
    at = [number for number, part in enumerate(path.parts[:-1]) if part in ROOTS]
    if not at or path.parts[at[-1]] not in SECRET:
        return []
    return [Path(*path.parts[: number + 1]) for number in range(at[-1], len(path.parts) - 1)]
