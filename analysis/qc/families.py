"""The model families that have a second version. A new one is a module of its name and a word here."""

FAMILIES = (
    *("flow", "accrual", "balance", "retention", "baseline", "delivery", "missing", "deviations"),
    *("mixed", "averages", "binary", "subgroups", "course"),
    *("hazard", "frailty", "proportionality", "routes", "incidence", "occupation", "recurrence", "harms"),
    *("monitoring", "nuisance"),
)


def module_of(family: str) -> str:
    """The module with the second version of a family."""
    return f"analysis.qc.{family}"
