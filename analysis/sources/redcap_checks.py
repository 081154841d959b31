"""Whether an export of REDCap, its dictionary and its entry of the mapping belong together."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from analysis.errors import BlindingError, SourceError
from analysis.sources.blinding import several_arms
from analysis.sources.redcap_dictionary import CHECKBOX, EVENT, Dictionary
from analysis.sources.request import Request
from analysis.spec.redcap_source import checkbox_column

SHOWN = 40  # letters of a code or name in a message
EVENT_COLUMNS = ("unique_event_name", "event_name", "arm_num")


def check_together(request: Request, dictionary: Dictionary, whole: pd.DataFrame) -> None:
    """Raise where the mapping and the project disagree.

    Raises
    ------
    SourceError
        R20 a missing-data code that the mapping does not name; R21 a choice that it does not map, or a code
        that the dictionary does not offer; R22 a column that is no field of the dictionary; R23 an event that
        is not in the event map.
    BlindingError
        If the events of an open file belong to several arms.
    """
    _check_missing(request)
    _check_columns(request, dictionary)
    for offer in _offers(request, dictionary):
        _check_offer(offer, dictionary)
    if "event_map" in request.companions:
        _check_events(request, whole)


def _check_missing(request: Request) -> None:
    if "project" not in request.companions:
        return
    codes = set(request.companions["project"]["code"])
    if unknown := sorted(codes - set(request.mapping.missing)):
        raise SourceError(
            f"{request.source.project}, rule R20: the project declares the missing-data code "
            f"'{unknown[0][:SHOWN]}', which the mapping does not name; give its reason under `missing`."
        )


def _check_columns(request: Request, dictionary: Dictionary) -> None:
    source, owners = request.source, dictionary.owners
    known = owners.keys() | dictionary.added_columns
    missing_boxes = {
        checkbox_column(field.name, code)
        for field in dictionary.fields.values()
        if field.type == CHECKBOX
        for code in request.mapping.missing
    }
    groups = {boxes.group for boxes in source.checkboxes.values()}
    absent = sorted(set(source.columns.values()) - known - missing_boxes)
    absent += sorted(groups - {name for name, each in dictionary.fields.items() if each.type == CHECKBOX})
    if absent:
        raise SourceError(
            f"{dictionary.file}, rule R22: '{absent[0]}', which the mapping reads for table {source.table}, "
            "is no such field of this dictionary; is it that of another version of the project?"
        )


@dataclass(frozen=True, slots=True)
class _Offer:
    """Choices of one field of the dictionary beside what the mapping makes of them."""

    ours: str
    field: str
    offered: frozenset[str]
    mapped: frozenset[str]
    left: frozenset[str]


def _offers(request: Request, dictionary: Dictionary) -> Iterable[_Offer]:
    source, owners = request.source, dictionary.owners
    missing = frozenset(request.mapping.missing)
    for ours, column in source.columns.items():
        field, codelist = owners.get(column), request.table.field(ours).codelist
        if field and field.choices and field.type != CHECKBOX and codelist:
            mapped = frozenset(source.values.get(ours, {}))
            # A choice that is one of our codes needs no translation.
            left = missing | frozenset(request.spec.codes_of(codelist))
            yield _Offer(ours, field.name, frozenset(field.choices), mapped, left)
    for ours, boxes in source.checkboxes.items():
        offered = frozenset(dictionary.fields[boxes.group].choices)
        ignored = {code for code in offered if boxes.column(code) in source.ignore}
        yield _Offer(ours, boxes.group, offered, frozenset(boxes.codes), missing | ignored)


def _check_offer(offer: _Offer, dictionary: Dictionary) -> None:
    place = f"{dictionary.file}, row {dictionary.fields[offer.field].line}, rule R21"
    if unknown := sorted(offer.mapped - offer.offered - offer.left):
        raise SourceError(
            f"{place}: field '{offer.field}' offers no choice '{unknown[0][:SHOWN]}', of which the mapping "
            f"makes a value of {offer.ours}."
        )
    if unmapped := sorted(offer.offered - offer.mapped - offer.left):
        raise SourceError(
            f"{place}: field '{offer.field}' offers the choice '{unmapped[0][:SHOWN]}', for which the "
            f"mapping gives no value of {offer.ours}."
        )


def _check_events(request: Request, whole: pd.DataFrame) -> None:
    events, file = request.companions["event_map"], request.source.event_map
    if absent := [name for name in EVENT_COLUMNS if name not in events]:
        raise SourceError(f"{file}, row 1: not an event map of REDCap; no column '{absent[0]}'.")
    arm_of = dict(zip(events["unique_event_name"], events["arm_num"], strict=True))
    if request.source.labels:
        arm_of |= dict(zip(events["event_name"], events["arm_num"], strict=True))
    wanted = request.source.where.get(EVENT, ())
    if unknown := [name for name in wanted if name not in arm_of]:
        raise SourceError(f"{file}, rule R23: no event '{unknown[0][:SHOWN]}', which the mapping reads.")
    if EVENT not in whole:
        return
    strange = ~whole[EVENT].isin(list(arm_of))
    if strange.any():
        place = whole.loc[strange, ["source_file", "source_row"]].iloc[0]
        raise SourceError(
            f"{place.iloc[0]}, row {place.iloc[1]}, rule R23: an event that is not in {file} (such rows: "
            f"{int(strange.sum())})."
        )
    if request.table.audience == "open" and len({arm_of[name] for name in whole[EVENT].unique()}) > 1:
        raise BlindingError(several_arms(request.source.files, f"by {file} their names tell the arm"))
