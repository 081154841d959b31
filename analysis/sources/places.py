"""Where raw files lie and what they may be called; what lies there and nobody reads."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import BlindingError, SourceError, TrialError
from analysis.spec.declarations import Spec
from analysis.spec.mapping import Mapping, Source

ALLOCATION = "allocation"
# A name stands in the tables that are made of the file; a spreadsheet would take one of these for a formula.
FORMULA_STARTS = tuple("=+-@")


@dataclass(frozen=True, slots=True)
class Refused:
    """A file, or a pattern of files, that could not be taken, the tables that lack it, and why."""

    file: str
    tables: tuple[str, ...]
    error: TrialError


Refuse = Callable[[Refused], None]


def stop_at(refused: Refused) -> None:
    """The first file that is refused ends the run."""
    raise refused.error


def check_declared(spec: Spec, mapping: Mapping, folder: Path, refuse: Refuse) -> None:
    """A file that no entry reads would be lost without a word; one of a closed table, seen by all."""
    if all(path.is_dir() and not path.is_symlink() for path in folder.rglob("*")):
        raise SourceError(f"{folder}: the raw folder holds no file.")
    files: dict[str, set[Path]] = {"open": set(), "closed": set()}
    for source in mapping.sources:
        audience = spec.table(source.table).audience
        files[audience].update(folder.glob(source.files))
        if audience == "open":
            files[audience].update(folder / name for name in source.companions.values())
    for path in sorted(files["closed"]):
        name = _name(path, folder)
        message = "this file reveals the arm and lies among the open exports; keep it in the folder of the"
        refuse(Refused(name, (), BlindingError(f"{name}: {message} allocation.")))
    read = files["open"] | files["closed"]
    unread = sorted(path for path in folder.rglob("*") if path not in read)
    known = {path for pattern in mapping.ignore_files for path in folder.glob(pattern)}
    for path in _in_place(unread, folder, (), refuse):
        if path.is_file() and path not in known and not path.name.startswith("."):
            name = _name(path, folder)
            message = (
                "no entry of the mapping reads this file; map it, list it under ignore_files or take it out"
            )
            refuse(Refused(name, (), SourceError(f"{name}: {message} of the raw folder.")))


def check_present(sources: Iterable[Source], folder: Path, refuse: Refuse) -> None:
    """Every file that is read is there: one refusal for each name or pattern, whatever is read from it."""
    tables: dict[str, dict[str, None]] = {}
    for source in sources:
        if source.table != ALLOCATION:
            tables.setdefault(source.files, {})[source.table] = None
    for files, names in tables.items():
        if not any(path.is_file() for path in folder.glob(files)):
            read = f"tables {', '.join(names)} are" if len(names) > 1 else f"table {', '.join(names)} is"
            message = f"{files}: no such file in the raw folder; {read} read from it."
            refuse(Refused(files, tuple(names), SourceError(message)))


def files_of(
    source: Source, mapping: Mapping, folder: Path, allocation: Path | None, refuse: Refuse
) -> dict[str, Path]:
    """Name for messages, with the sheet if any, -> path of every file an entry reads, in order of name."""
    sheet = mapping.dialects[source.dialect].sheet
    of_sheet = f" [{sheet}]" if sheet else ""
    if source.table == ALLOCATION:
        return {shown(allocation.name) + of_sheet: allocation}
    paths = sorted((path for path in folder.glob(source.files) if path.is_file()), key=_in_order)
    return {
        _name(path, folder) + of_sheet: path for path in _in_place(paths, folder, (source.table,), refuse)
    }


def _in_order(path: Path) -> list[str | int]:
    """Numbers in a name count as numbers, so that a tenth return follows the ninth."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.as_posix())]


def _in_place(paths: Iterable[Path], folder: Path, tables: tuple[str, ...], refuse: Refuse) -> list[Path]:
    """The files and folders that lie where they may and have a name they may have; the others are refused."""
    taken = []
    for path in paths:
        try:
            check_place(path, folder)
        except SourceError as error:
            refuse(Refused(_name(path, folder), tables, error))
        else:
            taken.append(path)
    return taken


def check_place(path: Path, folder: Path) -> None:
    """Refuse a file, a folder or a link that does not lie below the raw folder once all links are followed.

    Raises
    ------
    SourceError
        Naming the file; also if its name holds a character that cannot be shown or would begin a formula.
    """
    name = path.relative_to(folder).as_posix()
    try:
        is_inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # links that lead in a circle
        is_inside = False
    if not is_inside:
        raise SourceError(f"{shown(name)}: a link that leads out of the raw folder; copy the file itself.")
    if not name.isprintable() or name.startswith(FORMULA_STARTS):
        raise SourceError(
            f"{shown(name)}: its name begins with = + - or @, or holds a character that cannot be shown; "
            "rename it."
        )


def _name(path: Path, folder: Path) -> str:
    return shown(path.relative_to(folder).as_posix())


def shown(name: str) -> str:
    """A name on one line, whatever characters it holds."""
    return "".join(each if each.isprintable() else "?" for each in name)
