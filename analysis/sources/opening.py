"""Files opened: each read once, whichever entries need it, and checked before anybody looks at its rows."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from analysis.errors import BlindingError, SourceError
from analysis.sources import redcap, tabular
from analysis.sources.blinding import check_cells, check_columns, check_events, check_name
from analysis.sources.companions import read_companion
from analysis.sources.formats import read_file
from analysis.sources.places import Refuse, Refused, check_place
from analysis.sources.ssda903_xml import read_return
from analysis.spec.declarations import Spec
from analysis.spec.mapping import Mapping, Source

DICTIONARY = "dictionary"
# Each entry of the mapping with its files: name for messages -> path.
Found = list[tuple[Source, dict[str, Path]]]
# What each file beside the exports is for, and its name -> its rows.
Companions = dict[tuple[str, str], pd.DataFrame]


def read_companions(
    spec: Spec, mapping: Mapping, found: Found, folder: Path, say: Callable[[str], None], refuse: Refuse
) -> Companions:
    """The files that entries name beside their own. One that is refused takes the entry's files with it."""
    read: Companions = {}
    wanted: dict[tuple[str, str], list[Source]] = {}
    for source in [source for source, files in found if files]:
        for named in source.companions.items():
            wanted.setdefault(named, []).append(source)
    for (purpose, name), sources in wanted.items():
        say(f"ingest: reading {name}")
        try:
            check_place(folder / name, folder)
            read[purpose, name] = read_companion(purpose, folder / name, sources[0], mapping, spec, file=name)
        except (SourceError, BlindingError) as error:
            refuse(Refused(name, tuple(dict.fromkeys(source.table for source in sources)), error))
            for _, files in [each for each in found if each[0] in sources]:
                files.clear()
    return read


def read_files(
    spec: Spec,
    mapping: Mapping,
    found: Found,
    beside: Companions,
    say: Callable[[str], None],
    refuse: Refuse,
) -> dict[str, pd.DataFrame]:
    """Rows of every file as text, by its name for messages."""
    frames: dict[str, pd.DataFrame] = {}
    tried: set[str] = set()
    for source, files in found:
        for file in [each for each in files if each not in tried]:
            tried.add(file)
            say(f"ingest: reading {file}")
            try:
                frames[file] = _read_file(spec, mapping, source, beside, files[file], file=file)
            except (SourceError, BlindingError) as error:
                refuse(Refused(file, tables_of(file, found), error))
    return frames


def tables_of(file: str, found: Iterable[tuple[Source, dict[str, Path]]]) -> tuple[str, ...]:
    """The tables that are read from a file."""
    return tuple(dict.fromkeys(source.table for source, files in found if file in files))


def _read_file(
    spec: Spec, mapping: Mapping, source: Source, beside: Companions, path: Path, *, file: str
) -> pd.DataFrame:
    declared = {name for other in mapping.read_with(source) for name in other.read_columns}
    audience = spec.table(source.table).audience
    if audience == "open":
        check_name(file, spec.arm_names)
    is_xml = source.may_be_xml and path.suffix.lower() == ".xml"
    dialect = mapping.dialects[source.dialect]
    text = read_return(path, file=file) if is_xml else read_file(path, dialect, file=file)
    known = _known_columns(source, mapping, beside)
    check_columns(text.columns, declared, file=file, audience=audience, known=known)
    frame = tabular.as_frame(text)
    # One text, since pandas copies attributes in depth at every look at a column.
    frame.attrs["known_columns"] = "\n".join(sorted(known))
    if audience == "open":
        check_cells(frame, spec.arm_names, file=file)
        check_events([frame], file=file)
    return frame


def _known_columns(source: Source, mapping: Mapping, beside: Companions) -> frozenset[str]:
    if DICTIONARY not in source.companions:
        return frozenset()
    return redcap.known_columns(beside[DICTIONARY, source.companions[DICTIONARY]], source, mapping)
