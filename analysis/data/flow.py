"""The box in which each family and child stands at each stage of the trial."""

from collections.abc import Mapping

import pandas as pd

from analysis.data.due import ATTENDED, NOT_DUE, WITHDRAWN, are_open
from analysis.errors import DataError
from analysis.spec.declarations import Spec
from analysis.spec.flow_stages import Stage

PASSING = ("main", "joins")
PENDING = "pending"  # a referral without an outcome


def derive_flow(
    tables: Mapping[str, pd.DataFrame],
    subjects: pd.DataFrame,
    outcomes: pd.DataFrame,
    spec: Spec,
    *,
    data_cut: pd.Timestamp,
) -> pd.DataFrame:
    """Table `flow`: one row per unit and stage.

    A family stands where the best placed of its children stands: it is followed up when one child is. A child
    that joined after randomisation enters at its first stage in the box of kind `joins`.

    Raises
    ------
    DataError
        If ``flow.yaml`` has no box for a place where a child stands.
    """
    children = _child_boxes(tables, subjects, outcomes, spec, data_cut)
    parts = [_screening(tables["screening"]), _as_rows(children, subjects, level="child")]
    parts.append(_as_rows(_family_boxes(children, subjects, spec), subjects, level="family"))
    return pd.concat(parts, ignore_index=True)


def flow_counts(flow: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    """Families and children per stage and box.

    Returns
    -------
    DataFrame
        Columns `stage`, `box`, `families`, `children`, in the order of ``flow.yaml``; boxes that nobody
        stands in are zero, and a main box counts those who joined at its stage.
    """
    rows = []
    for stage in spec.stages.values():
        here = flow[flow["stage"] == stage.id]
        joined = [box.id for box in stage.boxes if box.kind == "joins"]
        for box in stage.boxes:
            held = here[here["box"].isin([box.id, *joined] if box.kind == "main" else [box.id])]
            rows.append((stage.id, box.id, *_sizes(held)))
    return pd.DataFrame(rows, columns=["stage", "box", "families", "children"])


def check_conservation(counts: pd.DataFrame, spec: Spec) -> None:
    """Raise `DataError` unless, at both levels, what enters a stage stays or leaves it.

    Units of the main box before + joined = units of the main box + units of the side boxes.
    """
    entering: pd.Series | None = None
    for stage in spec.stages.values():
        kinds = {box.id: box.kind for box in stage.boxes}
        here = counts[counts["stage"] == stage.id]
        here = here.assign(kind=here["box"].map(kinds)).groupby("kind")[["families", "children"]].sum()
        if "main" not in here.index:
            continue
        held = here.reindex(["main", "side"], fill_value=0).sum()
        joined = here.reindex(["joins"], fill_value=0).sum()
        if entering is not None and not (entering + joined == held).all():
            raise DataError(
                f"flow.yaml, stage {stage.id}: families or children entering are not those kept and lost."
            )
        entering = here.loc["main"]


def _sizes(held: pd.DataFrame) -> tuple[int, int]:
    families = held[held["level"] == "family"]
    children = (held["level"] == "child").sum() + families["n_children"].fillna(0).sum()
    return len(families), int(children)


def _screening(screening: pd.DataFrame) -> pd.DataFrame:
    rows = screening.rename(columns={"screening_id": "unit_id", "screening_outcome": "box"})
    rows["box"] = rows["box"].fillna(PENDING)
    return rows[["unit_id", "family_id", "site", "box", "n_children"]].assign(
        level="family", stage="screening"
    )


def _child_boxes(
    tables: Mapping[str, pd.DataFrame],
    subjects: pd.DataFrame,
    outcomes: pd.DataFrame,
    spec: Spec,
    data_cut: pd.Timestamp,
) -> pd.DataFrame:
    people = subjects.set_index("child_id")
    late = people["is_late_joiner"].astype(bool)
    kept = people["removed_date"].isna()
    boxes = {}
    for stage in spec.stages.values():
        if stage.id == "randomised":
            boxes[stage.id] = pd.Series("in", index=people.index[~late])
        elif stage.id == "eligible":
            boxes[stage.id] = kept[~late].map({True: "in", False: "removed"})
        elif stage.visit:
            status = _status(stage.visit, people[kept], tables["assessments"], spec, data_cut)
            boxes[stage.id] = _visit_boxes(stage, status, late.reindex(status.index))
        elif stage.outcome:
            before = boxes[_previous_main(spec, stage)]
            present = before[before.isin(["in", "joined"])].index
            available = _has_value(outcomes, spec.analyses[stage.outcome].outcome)
            boxes[stage.id] = pd.Series(present.isin(available), index=present).map(
                {True: "in", False: "incomplete"}
            )
    return pd.concat(boxes, names=["stage"]).rename("box").reset_index()


def _previous_main(spec: Spec, stage: Stage) -> str:
    before = list(spec.stages)[: list(spec.stages).index(stage.id)]
    return next(
        name for name in reversed(before) if any(box.kind == "main" for box in spec.stages[name].boxes)
    )


def _status(
    visit: str, people: pd.DataFrame, assessments: pd.DataFrame, spec: Spec, data_cut: pd.Timestamp
) -> pd.Series:
    """Status of a visit by child; one of which nothing is recorded is not due while its window is open."""
    children = people.index.to_series()
    recorded = assessments[assessments["visit"] == visit].set_index("child_id")["status"]
    visits = pd.Series(visit, index=people.index)
    is_open = are_open(children, visits, people, spec.trial, data_cut=data_cut)
    return children.map(recorded).mask(is_open & ~children.isin(recorded.index), NOT_DUE)


def _visit_boxes(stage: Stage, status: pd.Series, joined: pd.Series) -> pd.Series:
    attended = status == ATTENDED
    if any(box.kind == "note" for box in stage.boxes):
        box = attended.map({True: "attended", False: "not_attended"})
        return box.mask(status == NOT_DUE, "not_due")[~joined]
    box = status.map({WITHDRAWN: "withdrawn", NOT_DUE: "not_due"}).fillna("lost").mask(attended, "in")
    return box.mask(attended & joined, "joined")[attended | ~joined]


def _has_value(outcomes: pd.DataFrame, outcome) -> pd.Series:
    rows = outcomes[(outcomes["parameter"] == outcome.parameter) & (outcomes["visit"] == outcome.visit)]
    return rows.loc[rows["value"].notna(), "child_id"]


def _family_boxes(children: pd.DataFrame, subjects: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    rank = {}
    for stage in spec.stages.values():
        for order, box in enumerate(stage.boxes):
            # A family joins nowhere: one whose only attending child joined late is followed up.
            rank[stage.id, box.id] = -1 if box.kind in PASSING else order
    placed = children.assign(family_id=children["child_id"].map(subjects.set_index("child_id")["family_id"]))
    pairs = list(zip(placed["stage"], placed["box"], strict=True))
    if absent := sorted(set(pairs) - set(rank)):
        raise DataError(f"flow.yaml, stage {absent[0][0]}: no box '{absent[0][1]}', in which children stand.")
    placed["rank"] = [rank[pair] for pair in pairs]
    placed["box"] = placed["box"].replace({"joined": "in"})
    best = placed.sort_values(["stage", "family_id", "rank"], kind="stable").drop_duplicates(
        ["stage", "family_id"]
    )
    return best[["stage", "family_id", "box"]]


def _as_rows(boxes: pd.DataFrame, subjects: pd.DataFrame, *, level: str) -> pd.DataFrame:
    key = f"{level}_id"
    about = subjects.drop_duplicates(key)[list(dict.fromkeys([key, "family_id", "site"]))]
    rows = boxes.merge(about, on=key, how="left")
    # Typed like the referrals' numbers, so that the rows can be stacked.
    nobody = pd.Series(pd.NA, index=rows.index, dtype="Int64")
    rows = rows.assign(level=level, unit_id=rows[key], n_children=nobody)
    return rows[["unit_id", "family_id", "site", "box", "n_children", "level", "stage"]]
