"""The flow diagram a second time: who stands in which box, counted unit by unit."""

from collections import Counter

from analysis.qc.again import Again
from analysis.qc.tables import ARM, Tables
from analysis.results import Count
from analysis.spec.sap import FlowAnalysis

METHOD = "a tally of the rows of table flow, one by one"
ALL = "All"
RANDOMISED = "randomised"


def again(entry: FlowAnalysis, tables: Tables) -> Again:
    """Families and children in every box, all together and by arm from randomisation on."""
    flow = tables.frames["flow"]
    families: Counter[tuple[str, str, str]] = Counter()
    children: Counter[tuple[str, str, str]] = Counter()
    for stage, box, level, n, arm in zip(
        flow["stage"], flow["box"], flow["level"], flow["n_children"], flow[ARM], strict=True
    ):
        for who in (ALL, arm):
            families[stage, box, who] += level == "family"
            children[stage, box, who] += 1 if level == "child" else int(n if n == n else 0)
    stages = [stage for stage in tables.spec.stages.values() if (flow["stage"] == stage.id).any()]
    first = next(at for at, stage in enumerate(stages) if stage.id == RANDOMISED)
    counts = []
    for arm, shown in ((ALL, stages), *((arm, stages[first:]) for arm in tables.arms)):
        for stage in shown:
            joined = [box.id for box in stage.boxes if box.kind == "joins"]
            for box in stage.boxes:
                if box.if_any and not (families[stage.id, box.id, ALL] or children[stage.id, box.id, ALL]):
                    continue
                # The main box also holds those who joined at its stage.
                inside = [box.id, *joined] if box.kind == "main" else [box.id]
                labels = {"stage": stage.id, "box": box.id, "arm": arm}
                for name, tally in (("families", families), ("children", children)):
                    counts.append(Count(name, sum(tally[stage.id, each, arm] for each in inside), labels))
    return Again(METHOD, counts=tuple(counts))
