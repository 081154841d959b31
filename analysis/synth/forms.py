"""The children's case report form: a row at enrolment and one per visit, as a flat REDCap export."""

import numpy as np

from analysis.synth.children import completed_months
from analysis.synth.draw import Draw
from analysis.synth.families import NO_DATE
from analysis.synth.questionnaires import NO_ANSWER, PEDSQL_FORMS, SDQ_FORMS, Forms
from analysis.synth.sheets import ISO, Sheet, coded, dated, numbered
from analysis.synth.visits import STATUSES, VISITS, Visit

EVENTS = ("enrolment", "baseline", "month_15", "year_2_5")
INFORMANTS = ("1", "2", "3", "4", "5")
ROWS_PER_CHILD = len(EVENTS)


def child_forms(draw: Draw, rows: slice, *, family_id: np.ndarray, child_id: np.ndarray) -> Sheet:
    """The form of a slice of the children, every child's rows together."""
    n = child_id[rows].size
    columns = {
        "record_id": np.repeat(child_id[rows], ROWS_PER_CHILD),
        "redcap_event_name": np.tile(np.array(EVENTS, dtype=object), n),
        "redcap_repeat_instrument": _nothing(n),
        "redcap_repeat_instance": _nothing(n),
        **_enrolment(draw, rows, family_id),
        **_attendance(draw, rows),
        **_questionnaire(draw, draw.sdq, "sdq", SDQ_FORMS, rows, decimals=0),
        **_questionnaire(draw, draw.pedsql, "pedsql", PEDSQL_FORMS, rows, decimals=2),
        **_scores(draw, rows),
        "visit_complete": _per_visit([_completed(draw, name, rows) for name in VISITS]),
    }
    return Sheet({name: cells.tolist() for name, cells in columns.items()})


def _nothing(n: int) -> np.ndarray:
    return np.full(n * ROWS_PER_CHILD, "", dtype=object)


def _at_enrolment(cells: np.ndarray) -> np.ndarray:
    """Cells of the enrolment row, the visits' rows empty."""
    wide = np.full((cells.size, ROWS_PER_CHILD), "", dtype=object)
    wide[:, 0] = cells
    return wide.ravel()


def _per_visit(cells: list[np.ndarray]) -> np.ndarray:
    """Cells of the visits' rows, the enrolment row empty."""
    return np.stack([np.full(cells[0].size, "", dtype=object), *cells], axis=1).ravel()


def _enrolment(draw: Draw, rows: slice, family_id: np.ndarray) -> dict[str, np.ndarray]:
    children = draw.children
    sex = np.where(children.is_sex_recorded, children.is_girl.astype(np.int64), -1)[rows]
    cells = {
        "family": family_id[children.family[rows]],
        "dob": dated(children.birth[rows], ISO),
        "dob_precision": coded(("day", "month"), children.is_month_precision[rows].astype(np.int64)),
        "sex": coded(("1", "2"), sex),
        "care_entry_dt": dated(children.entry[rows], ISO),
        "joined_dt": dated(children.joined[rows], ISO),
        "enrolment_complete": np.full(sex.size, "2", dtype=object),
    }
    return {name: _at_enrolment(each) for name, each in cells.items()}


def _attendance(draw: Draw, rows: slice) -> dict[str, np.ndarray]:
    visits = [draw.visits[name] for name in VISITS]
    return {
        "due_dt": _per_visit([dated(visit.due[rows], ISO) for visit in visits]),
        "visit_dt": _per_visit([dated(visit.date[rows], ISO) for visit in visits]),
        "visit_status": _per_visit([coded(STATUSES, visit.status[rows]) for visit in visits]),
        "age_m": _per_visit([_age_text(draw, visit, rows) for visit in visits]),
        "informant": _per_visit([coded(INFORMANTS, visit.informant[rows]) for visit in visits]),
    }


def _age_text(draw: Draw, visit: Visit, rows: slice) -> np.ndarray:
    months = completed_months(draw.children.birth[rows], visit.date[rows])
    return numbered(months, missing=~visit.is_attended[rows])


def _questionnaire(
    draw: Draw, forms: dict[str, Forms], prefix: str, names: tuple[str, ...], rows: slice, *, decimals: int
) -> dict[str, np.ndarray]:
    given = [(forms[name], draw.visits[name], forms[name].is_returned[rows]) for name in VISITS]
    columns = {
        f"{prefix}_form": [coded(names, np.where(here, form.form[rows], -1)) for form, _, here in given],
        f"{prefix}_dt": [dated(np.where(here, visit.date[rows], NO_DATE), ISO) for _, visit, here in given],
    }
    printed = [{**form.printed_parts, "total": form.printed} for form, _, _ in given]
    totals = {
        f"{prefix}_{name}": [
            numbered(each[name][rows], decimals, missing=~here)
            for each, (_, _, here) in zip(printed, given, strict=True)
        ]
        for name in printed[0]
    }
    items = [_item_text(form.items[rows], here) for form, _, here in given]
    each = {
        f"{prefix}_{item + 1:02d}": [cells[:, item] for cells in items] for item in range(items[0].shape[1])
    }
    return {name: _per_visit(cells) for name, cells in {**columns, **each, **totals}.items()}


def _item_text(items: np.ndarray, is_returned: np.ndarray) -> np.ndarray:
    return coded("01234", np.where(is_returned[:, None], items, NO_ANSWER))


def _scores(draw: Draw, rows: slice) -> dict[str, np.ndarray]:
    return {
        "cognition" if scale == "COG" else scale.lower(): _per_visit(
            [numbered(draw.scores[name][scale][rows], given.decimals) for name in VISITS]
        )
        for scale, given in draw.parameters.scales.items()
    }


def _completed(draw: Draw, name: str, rows: slice) -> np.ndarray:
    return coded(("0", "2"), draw.visits[name].is_attended[rows].astype(np.int64))
