"""Balance a second time: a tally of the families."""

from collections import Counter
from itertools import product

from analysis.qc.again import Again
from analysis.qc.tables import ARM, Tables
from analysis.results import Count, Estimate
from analysis.spec.conduct_entries import BalanceAnalysis

METHOD = "a tally of the families, one by one"
TOGETHER = ("", "")


def again(entry: BalanceAnalysis, tables: Tables) -> Again:
    """Families and children by arm and stratum, and their differences."""
    tally = _tally(entry, tables)
    counts, estimates = [], []
    for stratum in [TOGETHER, *_strata(entry, tables, tally)]:
        factor, level = stratum
        labels = {"factor": factor, "level": level} if factor else {}
        for unit in ("families", "children"):
            name = f"stratum_{unit}" if factor else unit
            sizes = [tally[stratum, arm, unit] for arm in tables.arms]
            counts += [
                Count(name, n, {"arm": arm, **labels}) for arm, n in zip(tables.arms, sizes, strict=True)
            ]
            where = {"contrast": tables.contrast, "unit": unit, **labels}
            estimates.append(Estimate("imbalance", float(sizes[0] - sizes[1]), labels=where))
    return Again(METHOD, estimates=tuple(estimates), counts=tuple(counts))


def _tally(entry: BalanceAnalysis, tables: Tables) -> Counter:
    found: Counter = Counter()
    for row in tables.frames["recruitment"].to_dict("records"):
        if row["family_id"] != row["family_id"]:
            continue
        where = ["/".join(str(row[column]) for column in columns) for columns in entry.factors]
        names = ["/".join(columns) for columns in entry.factors]
        for stratum in (TOGETHER, *zip(names, where, strict=True)):
            found[stratum, row[ARM], "families"] += 1
            found[stratum, row[ARM], "children"] += int(row["n_children"])
    return found


def _strata(entry: BalanceAnalysis, tables: Tables, tally: Counter) -> list[tuple[str, str]]:
    """Levels of one column, or the combinations of several in which there is a family."""
    found = []
    for columns in entry.factors:
        lists = [tables.spec.table("recruitment").field(column).codelist for column in columns]
        for level in product(*(tables.spec.codes[name] for name in lists)):
            stratum = "/".join(columns), "/".join(level)
            filled = any(tally[stratum, arm, "families"] for arm in tables.arms)
            if len(columns) == 1 or filled:
                found.append(stratum)
    return found
