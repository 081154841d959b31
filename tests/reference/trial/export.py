"""Write the inputs of script.R from the pipeline's own tables with arms: python -m
tests.reference.trial.export FOLDER

FOLDER is ``out/closed/allocated`` of a finished run. Only the columns and rows that the analyses use are
kept; ``tables.csv`` says which tables they are from, so that a report knows whether R was given its tables.
"""

import sys
from pathlib import Path

import pandas as pd

from analysis.qc.kept import contents

HERE = Path(__file__).parent
# Outcomes of the linear models, by visit.
ANALYSED = {
    "V5": ("SDQ_TOTAL", "PEDSQL_TOTAL", "PIRGAS", "DAI", "RPQ", "TIMB", "COG"),
    "V4": ("ITSEA_EXT", "ITSEA_INT", "ITSEA_DYS", "RAD"),
}
MIXED_COLUMNS = [
    *("parameter", "visit", "child_id", "family_id", "arm", "value", "base"),
    *("base_missing_reason", "form"),
]
EVENT_COLUMNS = [
    *("parameter", "basis", "child_id", "family_id", "arm"),
    *("start_date", "entry_days", "time_days", "cause"),
]
RECURRENCE_COLUMNS = [
    *("level", "parameter", "unit_id", "family_id", "arm"),
    *("start", "stop", "is_event", "is_death"),
]


def inputs(allocated: Path) -> dict[str, pd.DataFrame]:
    """Name of the input -> its rows, as text."""
    read = {
        name: pd.read_csv(allocated / f"{name}.csv", dtype=str, keep_default_na=False)
        for name in ("subjects", "outcomes", "events", "transitions", "recurrences")
    }
    people = read["subjects"].set_index("child_id")
    outcomes = read["outcomes"]
    kept = {
        visit: people.index[people[flag] == "true"]
        for visit, flag in (("V4", "is_eligible"), ("V5", "is_followed_up"))
    }
    analysed = [(parameter, visit) for visit, names in ANALYSED.items() for parameter in names]
    mixed = pd.concat(
        outcomes[
            (outcomes["parameter"] == parameter)
            & (outcomes["visit"] == visit)
            & (outcomes["value"] != "")
            & outcomes["child_id"].isin(kept[visit])
        ]
        for parameter, visit in analysed
    )
    mixed = mixed[MIXED_COLUMNS].join(
        people[["site", "age_months", "sex", "epoch", "n_siblings"]], on="child_id"
    )
    recorded = people.index[people["is_in_records"] == "true"]
    randomised = people.index[people["is_randomised"] == "true"]
    events = read["events"]
    events = events[events["child_id"].isin(randomised)][EVENT_COLUMNS].join(
        people[["site", "is_in_records", "care_entry_date"]], on="child_id"
    )
    moves = read["transitions"]
    moves = moves[moves["child_id"].isin(recorded)].join(
        people[["site", "randomisation_date", "care_entry_date"]], on="child_id"
    )
    return {
        "mixed": mixed,
        "events": events,
        "transitions": moves,
        "recurrences": _recurrences(read["recurrences"], people),
    }


def _recurrences(rows: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Events of care records of the children who have them; reported ones of those who were eligible."""
    reported = rows["parameter"] == "MALTREATMENT"
    followed = {
        flag: people[people[flag] == "true"].reset_index() for flag in ("is_in_records", "is_eligible")
    }
    chosen = [
        (~reported & (rows["level"] == "child"), followed["is_in_records"], "child_id"),
        (reported & (rows["level"] == "child"), followed["is_eligible"], "child_id"),
        (reported & (rows["level"] == "family"), followed["is_eligible"], "family_id"),
    ]
    parts = []
    for kept, units, key in chosen:
        site = units.drop_duplicates(key).set_index(key)["site"]
        part = rows[kept & rows["unit_id"].isin(site.index)]
        parts.append(part[RECURRENCE_COLUMNS].assign(site=part["unit_id"].map(site)))
    return pd.concat(parts)


def digests(allocated: Path) -> pd.DataFrame:
    """Digest of each table."""
    found = contents(allocated.glob("*.csv"))
    return pd.DataFrame({"table": found.keys(), "digest": found.values()})


def main(folder: str) -> None:
    digests(Path(folder)).to_csv(HERE / "tables.csv", index=False, lineterminator="\n")
    for name, frame in inputs(Path(folder)).items():
        frame.to_csv(HERE / f"input-{name}.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main(sys.argv[1])
