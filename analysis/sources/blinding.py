"""The first wall: an open raw file holds no column that tells the arm, and none that nobody declared."""

from collections.abc import Iterable, Sequence

from analysis.errors import BlindingError, SourceError
from analysis.spec.arm_words import is_arm_like


def check_columns(columns: Sequence[str], declared: Iterable[str], *, file: str, audience: str) -> None:
    """Refuse a column that the mapping neither reads nor ignores, or misses.

    Raises
    ------
    BlindingError
        If an open file has an undeclared or declared column named like an arm.
    SourceError
        If a column is undeclared, or a declared one is absent.
    """
    wanted = set(declared)
    if 2 * len(wanted & set(columns)) < len(wanted):
        raise SourceError(
            f"{file}, row 1: not the header that the mapping declares; most of its columns are absent."
        )
    if audience == "open" and (revealing := [column for column in columns if is_arm_like(column)]):
        raise BlindingError(
            f"{file}, row 1: column '{revealing[0]}' looks like the arm; an open file may not hold it. "
            "Remove it from the export, or map the file to a closed table."
        )
    if unknown := [column for column in columns if column not in wanted]:
        raise SourceError(
            f"{file}, row 1: column '{unknown[0]}' is not in the mapping; map it or list it under `ignore`."
        )
    if absent := sorted(wanted - set(columns)):
        raise SourceError(f"{file}, row 1: no column '{absent[0]}', which the mapping reads.")
