"""The flow of families and children, counted from the boxes they stand in."""

from dataclasses import replace

import pandas as pd

from analysis.data.allocation import ALL, ARM
from analysis.data.flow import check_conservation, flow_counts
from analysis.models.answer import result_of
from analysis.models.groups import Data, arm_names
from analysis.results import Count, Result
from analysis.spec.declarations import Spec
from analysis.spec.sap import FlowAnalysis

ALLOCATED_FROM = "randomised"


def fit(entry: FlowAnalysis, data: Data, spec: Spec) -> Result:
    """Families and children in every box of the flow diagram, by arm from randomisation on where arms are
    known.

    Parameters
    ----------
    entry : FlowAnalysis
        The plan's entry.
    data : Pooled or Allocated
        Its table `flow`.
    spec : Spec
        The stages and their boxes.

    Returns
    -------
    Result
        Counts `families` and `children` by stage, box and arm; the arm ``All`` always.

    Raises
    ------
    DataError
        If at some stage, for all or in an arm, what enters is not what is kept and lost.

    Source
    ------
    CONSORT 2010 extension to cluster trials, item 13: clusters and members in every box.
    """
    flow = data.tables["flow"]
    spec = _with_boxes_in_use(flow, spec)
    present = [stage for stage in spec.stages if (flow["stage"] == stage).any()]
    counts = _counts(flow, present, ALL, spec)
    after = present[present.index(ALLOCATED_FROM) :]
    for arm in arm_names(data) if data.arms else ():
        counts += _counts(flow[(flow[ARM] == arm) & flow["stage"].isin(after)], after, arm, spec)
    return result_of(
        entry,
        data,
        method="Counted from the derived table flow; at each stage those entering equal those kept and lost.",
        counts=counts,
    )


def _with_boxes_in_use(flow: pd.DataFrame, spec: Spec) -> Spec:
    """The stages without the boxes that are there only for somebody and have nobody, in no arm."""
    used = set(zip(flow["stage"], flow["box"], strict=True))
    stages = {
        name: stage.model_copy(
            update={"boxes": tuple(box for box in stage.boxes if not box.if_any or (name, box.id) in used)}
        )
        for name, stage in spec.stages.items()
    }
    return replace(spec, stages=stages)


def _counts(flow: pd.DataFrame, stages: list[str], arm: str, spec: Spec) -> list[Count]:
    table = flow_counts(flow, spec)
    check_conservation(table[table["stage"].isin(stages)], spec)
    rows = table[table["stage"].isin(stages)].itertuples(index=False)
    return [
        Count(level, int(getattr(row, level)), {"stage": row.stage, "box": row.box, "arm": arm})
        for row in rows
        for level in ("families", "children")
    ]
