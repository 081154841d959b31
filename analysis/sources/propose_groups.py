"""Which files of a folder are one export: returns of several years and authorities, sent again or not."""

import os.path
import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from analysis.sources.propose_files import Read
from analysis.spec.layouts import Layout, layout_of

YEAR = r"(?P<year>(?:19|20)[0-9]{2})"


@dataclass(frozen=True, slots=True)
class Group:
    """Files of one header that one entry reads: their common name, and the layout they are known to have."""

    files: str
    reads: tuple[Read, ...]
    layout: Layout | None


def group_files(reads: Sequence[Read], layouts: Sequence[Layout]) -> list[Group]:
    """The exports among files.

    Files of a layout are one export if they are alike but for a folder and what follows the same beginning of
    their names. Others are if their names differ in numbers only. A file that the common name of others
    covers too is one of them if it has their columns.
    """
    returns = _by(
        [read for read in reads if layout_of(read.columns, layouts)],
        lambda read: (layout_of(read.columns, layouts).id, *_header(read), read.file.count("/")),
    )
    found = [each for group in returns for each in _returns(group, reads, layouts)]
    alike = _numbered_alike([read for read in reads if not layout_of(read.columns, layouts)])
    return found + _with_stragglers([Group(_numbered(each), each, None) for each in alike])


def _returns(group: tuple[Read, ...], reads: Sequence[Read], layouts: Sequence[Layout]) -> list[Group]:
    """Files of one layout; in several groups where one name for all of them takes other files too."""
    layout = layout_of(group[0].columns, layouts)
    whole = Group(_common(group), group, layout)
    if not others_covered(whole, reads):
        return [whole]
    return [Group(_numbered(each), each, layout) for each in _numbered_alike(group)]


def _numbered_alike(reads: Iterable[Read]) -> list[tuple[Read, ...]]:
    return _by(reads, lambda read: (re.sub(r"\d+", "*", read.file), *_header(read)))


def others_covered(group: Group, reads: Iterable[Read]) -> list[str]:
    """Files that the group's common name takes too, though they are not of it."""
    own = {read.file for read in group.reads}
    return sorted({each.file for each in reads if each.file not in own and covers(group.files, each.file)})


def covers(pattern: str, file: str) -> bool:
    """Whether a path below a folder is one that a pattern finds there."""
    return pattern.count("/") == file.count("/") and PurePosixPath(file).match(pattern)


def authority_of(group: Group) -> str | None:
    """The pattern that tells from a path whose return it is and of which year; none where no folder does."""
    *folders, name = group.files.split("/")
    if [part for part in folders if "*" in part] != ["*"]:
        return None
    start = name.partition("*")[0]
    years = all(re.match(re.escape(start) + YEAR, PurePosixPath(read.file).name) for read in group.reads)
    way = "/".join("(?P<authority>[^/]+)" if part == "*" else re.escape(part) for part in folders)
    return f"{way}/{re.escape(start)}{YEAR if years and '*' in name else ''}"


def _by(reads: Iterable[Read], key: Callable[[Read], Hashable]) -> list[tuple[Read, ...]]:
    groups: dict[Hashable, list[Read]] = defaultdict(list)
    for read in reads:
        groups[key(read)].append(read)
    return [tuple(each) for each in groups.values()]


def _header(read: Read) -> tuple[Hashable, ...]:
    return frozenset(read.columns), read.dialect


def _with_stragglers(groups: list[Group]) -> list[Group]:
    """Groups whose files another's name covers become part of it: `_resent` behind the year."""
    kept: dict[Hashable, Group] = {}
    for group in groups:
        wider = [other for other in groups if _takes(other, group) and not _takes(group, other)]
        home = min([*wider, group], key=lambda each: len(each.files))
        known_as = home.files, _header(home.reads[0])
        before = kept[known_as].reads if known_as in kept else ()
        kept[known_as] = Group(home.files, (*before, *group.reads), None)
    return list(kept.values())


def _takes(wide: Group, other: Group) -> bool:
    """Whether a group's common name covers all files of another, of the same columns."""
    same = _header(wide.reads[0]) == _header(other.reads[0])
    return same and all(covers(wide.files, read.file) for read in other.reads)


def _numbered(reads: Sequence[Read]) -> str:
    """The name of one file, or of several with a star for each number that differs."""
    parts = zip(*(re.split(r"(\d+)", read.file) for read in reads), strict=True)
    return "".join(part[0] if len(set(part)) == 1 else "*" for part in parts)


def _common(reads: Sequence[Read]) -> str:
    """The name of one file, or of several with a star in each part of the path where they differ."""
    parts = zip(*(read.file.split("/") for read in reads), strict=True)
    return "/".join(part[0] if len(set(part)) == 1 else _starred(part) for part in parts)


def _starred(names: Sequence[str]) -> str:
    start = re.sub(r"\d+$", "", os.path.commonprefix(names))
    ends = [name[len(start) :][::-1] for name in names]
    end = re.sub(r"^\d+", "", os.path.commonprefix(ends)[::-1])
    return f"{start}*{end}"
