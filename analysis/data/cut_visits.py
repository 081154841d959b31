"""Which research visits had taken place at a data cut, were missed, or were not due yet."""

from collections.abc import Mapping

import pandas as pd

from analysis.data.cells import is_missing
from analysis.data.cut_edits import Edit
from analysis.data.due import ATTENDED, MISSED, NOT_DUE, WITHDRAWN, are_open
from analysis.spec.declarations import Spec
from analysis.spec.tables import Table


def visit_edits(
    text: pd.DataFrame,
    table: Table,
    known: Mapping[str, pd.DataFrame],
    spec: Spec,
    *,
    data_cut: str,
    rule: str,
) -> list[Edit]:
    """Statuses as they were on the day of the cut.

    A visit attended by then is attended, and one of a child that had left by then is withdrawn. Any other is
    not due yet while its window is open; after that one that took place later was missed. An attended visit
    without its day counts as made on the last day of its window.

    Parameters
    ----------
    text : DataFrame
        The visits as text, with the days on which they were made later.
    known : mapping of str to DataFrame
        The other tables, already cut.
    """
    status = text[table.cut.visit_status].to_numpy(dtype=object)
    day = text[table.cut.later[0].date]
    later = (day.to_numpy(dtype=object) > data_cut).astype(bool)
    made = (status == ATTENDED) & ~later & ~is_missing(day).to_numpy()
    left = (status == WITHDRAWN) & text["child_id"].isin(_who_left(known)).to_numpy()
    cut = pd.Timestamp(data_cut)
    due = are_open(text["child_id"], text["visit"], _origins(known), spec.trial, data_cut=cut).to_numpy()
    not_due = due & ~made & ~left
    missed = (status == ATTENDED) & later & ~not_due
    field, to = table.cut.visit_status, "at the data cut"
    return [
        Edit(not_due, field, NOT_DUE, rule, "note", f"its window was open {to}"),
        Edit(missed, field, MISSED, rule, "note", f"not made {to}, after its window"),
    ]


def _origins(known: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """By child, the dates that windows are counted from."""
    # Plain text, since what a factor is mapped to would be a factor.
    families, children = (known[name].astype(object) for name in ("families", "children"))
    families = families.drop_duplicates("family_id").set_index("family_id")["randomisation_date"]
    children = children.drop_duplicates("child_id").set_index("child_id")
    dates = {
        "care_entry_date": children["care_entry_date"],
        "randomisation_date": children["family_id"].map(families),
    }
    return pd.DataFrame(
        {name: pd.to_datetime(cells, format="%Y-%m-%d", errors="coerce") for name, cells in dates.items()}
    )


def _who_left(known: Mapping[str, pd.DataFrame]) -> set[str]:
    """Children who had withdrawn or whose family had, or had been removed from the trial."""
    families, children = known["families"], known["children"]
    whole = set(families.loc[~is_missing(families["removed_date"]), "family_id"])
    alone: set[str] = set()
    if "withdrawals" in known:
        withdrawals = known["withdrawals"]
        of_family = is_missing(withdrawals["child_id"])
        whole |= set(withdrawals.loc[of_family, "family_id"])
        alone |= set(withdrawals.loc[~of_family, "child_id"])
    return alone | set(children.loc[children["family_id"].isin(whole), "child_id"])
