"""London's returns: SSDA903 episodes by year; later ones restate, correct and forget earlier rows."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from analysis.spec.synthetic import SyntheticParameters
from analysis.synth.chain import ADOPTED, DIED, HOME, KIN, NEVER, TRANSFERRED
from analysis.synth.children import Children
from analysis.synth.england_files import AUTHORITY, FOLDER
from analysis.synth.episodes import (
    ADOPTERS,
    BOUGHT_CARERS,
    CENTRE,
    CONTINUES,
    FOSTER_CARERS,
    KIN_CARERS,
    LASTING,
    PARENTS,
    Intervals,
    Placements,
)
from analysis.synth.families import NO_DATE, days
from analysis.synth.sheets import SLASHES, Sheet, coded, dated
from analysis.synth.streams import stream, whole_days

PLACES = ("U6", "U3", "P1", "U4", "R3", "A3", "A4", "A5", "A6")
LEGAL = ("C1", "C2", "E1", "V2", "V3", "V4")
NEW = ("S", "P", "L", "B", "T", "U")
ENDED = ("X1", "E4A", "E4B", "E43", "E44", "E45", "E46", "E47", "E48", "E41", "E13", "E11", "E12", "E2", "E3")
PROVIDERS, REASONS = ("PR1", "PR4", "PR0"), ("CARPL", "CREQB")
PLACE_OF = {
    FOSTER_CARERS: "U6",
    BOUGHT_CARERS: "U6",
    CENTRE: "R3",
    LASTING: "U4",
    PARENTS: "P1",
    KIN_CARERS: "U3",
}
# Special guardianship was split by kin and other carers from this return on.
SPLIT = days(date(2018, 4, 1))
FIRST_RETURN = 2018
SHORT_BREAK_DAYS, HOME_BEFORE_BREAK = (2, 5), 20


@dataclass(frozen=True, slots=True)
class Rows:
    """Coded rows, ordered by child and first day; positions in the lists above, -1 for an empty cell."""

    child: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    place: np.ndarray
    legal: np.ndarray
    new: np.ndarray
    ended: np.ndarray
    provider: np.ndarray

    def take(self, index: np.ndarray, **changed: np.ndarray) -> "Rows":
        """Rows by position or mask, some columns replaced."""
        return Rows(**{name: changed.get(name, getattr(self, name)[index]) for name in self.__slots__})


def returns(
    parameters: SyntheticParameters,
    children: Children,
    placements: Placements,
    at_home: Intervals,
    *,
    child_id: np.ndarray,
    authority: np.ndarray,
    seed: int,
) -> dict[str, Sheet]:
    """Every year's rows of all authorities, by name; `authority` is the name of each child's."""
    rows = _merge(_code(parameters, children, placements, seed), _short_breaks(parameters, at_home, seed))
    amended = _amendable(rows) & (
        stream(seed, "amendments").random(rows.child.size) < parameters.records.amended.value
    )
    cut = parameters.data_cut
    last = cut.year + (cut > date(cut.year, 3, 31))
    chance = stream(seed, "forgotten").random(rows.child.size)
    forgotten = _forgettable(rows, last) & ~amended & (chance < parameters.records.forgotten.value)
    sheets = {}
    for year in range(FIRST_RETURN, last + 1):
        shown = _as_returned(rows, amended, forgotten, year, last)
        sheets[f"{FOLDER}ssda903_episodes_{year}.csv"] = _sheet(shown, child_id, authority)
    return sheets


def _code(parameters: SyntheticParameters, children: Children, placements: Placements, seed: int) -> Rows:
    is_voluntary = stream(seed, "voluntary").random(children.n) < parameters.records.voluntary.value
    place = _places(placements)
    legal = _legal(placements, place, is_voluntary[placements.child])
    return Rows(
        child=placements.child,
        start=placements.start,
        stop=placements.stop,
        place=place,
        legal=legal,
        new=_reasons_new(placements, place, legal),
        ended=_reasons_ended(placements, place),
        provider=np.where(placements.kind == PARENTS, 2, np.where(placements.kind == BOUGHT_CARERS, 1, 0)),
    )


def _places(placements: Placements) -> np.ndarray:
    place = np.zeros(placements.kind.size, dtype=np.int64)
    for kind, code in PLACE_OF.items():
        place[placements.kind == kind] = PLACES.index(code)
    adoptive = np.array([PLACES.index(code) for code in ("A6", "A5", "A4", "A3")])
    which = np.searchsorted((0.6, 0.85, 0.95), placements.detail)
    return np.where(placements.kind == ADOPTERS, adoptive[which], place)


def _legal(placements: Placements, place: np.ndarray, is_voluntary: np.ndarray) -> np.ndarray:
    early = np.where(is_voluntary, LEGAL.index("V2"), LEGAL.index("C1"))
    # Nobody is at home "by agreement": a placement with parents stands under the care order.
    ordered = (placements.start >= placements.ordered) | (placements.kind == PARENTS)
    under_order = np.isin(place, [PLACES.index("A5"), PLACES.index("A6")])
    return np.where(under_order, LEGAL.index("E1"), np.where(ordered, LEGAL.index("C2"), early))


def _reasons_new(placements: Placements, place: np.ndarray, legal: np.ndarray) -> np.ndarray:
    before = np.append(-1, legal[:-1])
    new = np.where(legal != before, NEW.index("B"), NEW.index("P"))
    for code, reason in (("A3", "T"), ("A5", "U")):
        new[place == PLACES.index(code)] = NEW.index(reason)
    new[placements.is_order_only] = NEW.index("L")
    new[placements.is_first] = NEW.index("S")
    return new


def _reasons_ended(placements: Placements, place: np.ndarray) -> np.ndarray:
    code = {name: position for position, name in enumerate(ENDED)}
    ended = np.full(place.size, -1)
    ended[placements.ends == CONTINUES] = code["X1"]
    home, adopted = placements.ends == HOME, placements.ends == ADOPTED
    ended[home] = np.where(placements.detail[home] < 0.8, code["E4A"], code["E4B"])
    unopposed = np.isin(place, [PLACES.index("A3"), PLACES.index("A4")])
    ended[adopted] = np.where(unopposed[adopted], code["E11"], code["E12"])
    ended[placements.ends == DIED], ended[placements.ends == TRANSFERRED] = code["E2"], code["E3"]
    kin = placements.ends == KIN
    ended[kin] = _guardianship(placements, code)[kin]
    return ended


def _guardianship(placements: Placements, code: dict[str, int]) -> np.ndarray:
    with_kin = placements.kind == KIN_CARERS
    former = np.array([code[name] for name in ("E45", "E41", "E13")])
    other = np.array([code[name] for name in ("E47", "E46", "E48", "E41", "E13")])
    today = np.where(
        with_kin,
        former[np.searchsorted((0.65, 0.85), placements.detail)],
        other[np.searchsorted((0.5, 0.7, 0.8, 0.9), placements.detail)],
    )
    return np.where(placements.stop < SPLIT, np.where(with_kin, code["E43"], code["E44"]), today)


def _short_breaks(parameters: SyntheticParameters, at_home: Intervals, seed: int) -> Rows:
    """Nights in respite care of some children who live at home."""
    generator, n = stream(seed, "short breaks"), at_home.child.size
    cut = days(parameters.data_cut)
    room = np.where(at_home.stop == NO_DATE, cut, at_home.stop) - at_home.start - 2 * HOME_BEFORE_BREAK
    start = (
        at_home.start
        + HOME_BEFORE_BREAK
        + np.floor(generator.random(n) * np.maximum(room, 0)).astype(np.int64)
    )
    length = whole_days(generator, *SHORT_BREAK_DAYS, n)
    kind = np.where(generator.random(n) < 0.7, LEGAL.index("V3"), LEGAL.index("V4"))
    here = (room > 0) & (generator.random(n) < parameters.records.respite.value)
    rows = Rows(
        child=at_home.child,
        start=start,
        stop=start + length,
        place=np.full(n, PLACES.index("U6")),
        legal=kind,
        new=np.full(n, NEW.index("S")),
        ended=np.full(n, ENDED.index("E4A")),
        provider=np.zeros(n, dtype=np.int64),
    )
    return rows.take(here)


def _merge(first: Rows, second: Rows) -> Rows:
    both = Rows(**{name: np.append(getattr(first, name), getattr(second, name)) for name in Rows.__slots__})
    return both.take(np.lexsort((both.start, both.child)))


def _amendable(rows: Rows) -> np.ndarray:
    """Rows that the next return may correct: an ordinary foster placement followed by another placement."""
    moved_on = (rows.ended == ENDED.index("X1")) & (rows.place == PLACES.index("U6"))
    return moved_on & (rows.legal < LEGAL.index("V3"))


def _forgettable(rows: Rows, last: int) -> np.ndarray:
    """Rows that stood open in one return, and that the next may forget: another placement followed."""
    ends = np.searchsorted([days(date(year, 4, 1)) for year in range(FIRST_RETURN, last)], rows.stop, "right")
    begins = days(date(FIRST_RETURN, 4, 1)) if last > FIRST_RETURN else NEVER
    opened = np.array([days(date(FIRST_RETURN - 1 + n, 4, 1)) for n in range(last - FIRST_RETURN + 1)])[ends]
    followed = (rows.ended == ENDED.index("X1")) & (rows.legal < LEGAL.index("V3"))
    ended = (rows.stop >= begins) & (rows.stop < days(date(last - 1, 4, 1)))
    return followed & ended & (rows.start < opened)


def _as_returned(rows: Rows, amended: np.ndarray, forgotten: np.ndarray, year: int, last: int) -> Rows:
    """Rows of one return: those live in the year as known at its end, and last year's corrected ones."""
    first_day, last_day = days(date(year - 1, 4, 1)), days(date(year, 3, 31))
    stop = np.where(rows.stop == NO_DATE, NEVER, rows.stop)
    live = (rows.start <= last_day) & (stop >= first_day)
    corrected = amended & (stop >= days(date(year - 2, 4, 1))) & (stop < first_day) & (year > FIRST_RETURN)
    shown = (live | corrected) & ~(forgotten & (stop <= last_day))
    is_open = (stop > last_day)[shown]
    # The mistake: a temporary placement returned as a long-term one.
    wrong = (amended & live & (stop <= last_day))[shown] & (year < last)
    return rows.take(
        shown,
        stop=np.where(is_open, NO_DATE, rows.stop[shown]),
        ended=np.where(is_open, -1, rows.ended[shown]),
        place=np.where(wrong, PLACES.index("U4"), rows.place[shown]),
    )


def _sheet(rows: Rows, child_id: np.ndarray, authority: np.ndarray) -> Sheet:
    n = rows.child.size
    blank = np.full(n, "", dtype=object)
    changed = (rows.ended == ENDED.index("X1")) & np.append(rows.new[1:] != NEW.index("L"), False)
    columns = {
        "CHILD": child_id[rows.child],
        "DECOM": dated(rows.start, SLASHES),
        "RNE": coded(NEW, rows.new),
        "LS": coded(LEGAL, rows.legal),
        "CIN": np.full(n, "N1", dtype=object),
        "PLACE": coded(PLACES, rows.place),
        "PLACE_PROVIDER": coded(PROVIDERS, rows.provider),
        "DEC": dated(rows.stop, SLASHES),
        "REC": coded(ENDED, rows.ended),
        "REASON_PLACE_CHANGE": coded(REASONS, np.where(changed, 0, -1)),
        "HOME_POST": blank,
        "PL_POST": blank,
        "URN": blank,
        AUTHORITY: authority[rows.child],
    }
    return Sheet({name: cells.tolist() for name, cells in columns.items()})
