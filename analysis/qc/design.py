"""Children with an outcome, and the columns of a linear predictor, from an entry's words."""

from collections.abc import Iterable, Sequence

import pandas as pd

from analysis.qc.tables import ARM, Tables, sizes, treated
from analysis.results import Count, Estimate
from analysis.spec.visit_outcomes import NOT_DUE, Covariate, OutcomeAnalysis

TERM_OF_FACTOR = "term_of_factor"


def with_outcome(tables: Tables, entry: OutcomeAnalysis) -> pd.DataFrame:
    """Children of the entry's population whose outcome is known at its visit."""
    people, outcome = tables.people(entry.population, entry.within), entry.outcome
    rows = tables.rows("outcomes", people, parameter=outcome.parameter, visit=outcome.visit)
    return rows[rows["value"].notna()].reset_index(drop=True)


def those_due(tables: Tables, people: pd.DataFrame, parameter: str, visits: Sequence[str]) -> pd.DataFrame:
    """Children from whom a value was due at one of the visits at least."""
    asked = tables.frames["outcomes"]
    asked = asked[(asked["parameter"] == parameter) & asked["visit"].isin(visits)]
    waived = asked[asked["missing_reason"].isin(NOT_DUE)]
    none_due = set.intersection(*(set(waived.loc[waived["visit"] == visit, "child_id"]) for visit in visits))
    return people[~people["child_id"].isin(none_due)]


def counted(tables: Tables, entry: OutcomeAnalysis, rows: pd.DataFrame) -> list[Count]:
    """Who was due, who was analysed, and who of them has a baseline."""
    people = tables.people(entry.population, entry.within)
    due = those_due(tables, people, entry.outcome.parameter, [entry.outcome.visit])
    return [
        *sizes(due, tables, set="due"),
        *sizes(rows, tables, set="analysed"),
        *with_baseline(rows, entry.covariates),
    ]


def with_baseline(rows: pd.DataFrame, covariates: Iterable[Covariate]) -> list[Count]:
    """Children with and without the baseline, where it is a covariate."""
    if "base" not in {each.column for each in covariates}:
        return []
    known = rows.drop_duplicates("child_id")["base"].notna()
    return [
        Count("baseline_known", int(known.sum()), {"is": "yes"}),
        Count("baseline_known", int((~known).sum()), {"is": "no"}),
    ]


def columns(rows: pd.DataFrame, tables: Tables, covariates: Iterable[Covariate]) -> pd.DataFrame:
    """Intercept, arm and covariates by name, each missing value as the entry says."""
    made = {"intercept": pd.Series(1.0, rows.index), "arm": pd.Series(treated(rows, tables), rows.index)}
    factors = []
    for each in covariates:
        values = _factor(rows, each) if each.kind == "factor" else _number(rows, each)
        factors.append(list(values) if each.kind == "factor" else [])
        made |= values | _indicators(rows, each)
    found = pd.DataFrame(made)
    found.attrs[TERM_OF_FACTOR] = [names for names in factors if names]
    return found


def _factor(rows: pd.DataFrame, covariate: Covariate) -> dict[str, pd.Series]:
    known = rows[covariate.column].dropna()
    return {
        f"{covariate.column} {level}": (rows[covariate.column] == level)
        .astype(float)
        .where(rows[covariate.column].notna(), (known == level).mean())
        for level in sorted(set(known))[1:]
    }


def _number(rows: pd.DataFrame, covariate: Covariate) -> dict[str, pd.Series]:
    values = rows[covariate.column].astype(float)
    if values.nunique() == 0:
        return {}
    filled = values.where(values.notna(), values.mean())
    return {covariate.column: filled} if filled.nunique() > 1 else {}


def _indicators(rows: pd.DataFrame, covariate: Covariate) -> dict[str, pd.Series]:
    name, missing = f"{covariate.column} missing", rows[covariate.column].isna()
    # A number that nobody has gives no column, and nothing then stands for its absence.
    if not missing.any() or (covariate.kind == "linear" and missing.all()):
        return {}
    if covariate.missing != "by_reason":
        return {name: missing.astype(float)}
    reason = rows[f"{covariate.column}_missing_reason"]
    split = {f"{name} {each}": missing & (reason == each) for each in covariate.reasons}
    split[f"{name} other"] = missing & ~reason.isin(covariate.reasons)
    return {each: where.astype(float) for each, where in split.items() if where.any()}


def average_row(X: pd.DataFrame, weights: str, **at: float) -> pd.Series:
    """The mean of the rows with some columns set; factors weigh as observed, or each level the same."""
    row = X.mean()
    for names in X.attrs[TERM_OF_FACTOR] if weights == "equal" else ():
        row[names] = 1 / (len(names) + 1)
    return row.where(~row.index.isin(at), pd.Series(at).reindex(row.index))


def raw_means(rows: pd.DataFrame, tables: Tables, **labels: str) -> list[Estimate]:
    """Mean and standard deviation by arm."""
    found = []
    for arm in tables.arms:
        values = rows.loc[rows[ARM] == arm, "value"].to_numpy(float)
        found.append(Estimate("mean", float(values.mean()), labels={"arm": arm, **labels}))
        # Of one child there is none.
        sd = float(values.std(ddof=1)) if len(values) > 1 else None
        found.append(Estimate("sd", sd, labels={"arm": arm, **labels}))
    return found
