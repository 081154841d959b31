"""Write the inputs of script.R from the pipeline's own tables with arms: python -m
tests.reference.trial.export FOLDER

FOLDER is ``out/closed/allocated`` of a finished run. Only the columns and rows that the analyses use are
kept.
"""

import sys
from pathlib import Path

import pandas as pd

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


def inputs(allocated: Path) -> dict[str, pd.DataFrame]:
    """Name of the input -> its rows, as text."""
    read = {
        name: pd.read_csv(allocated / f"{name}.csv", dtype=str, keep_default_na=False)
        for name in ("subjects", "outcomes", "events", "transitions")
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
    events = events[(events["basis"] == "legal") & events["child_id"].isin(randomised)]
    events = events[["child_id", "family_id", "arm", "entry_days", "time_days", "cause"]].join(
        people[["site", "is_in_records"]], on="child_id"
    )
    moves = read["transitions"]
    moves = moves[moves["child_id"].isin(recorded)].join(people["site"], on="child_id")
    return {"mixed": mixed, "events": events, "transitions": moves}


def main(folder: str) -> None:
    for name, frame in inputs(Path(folder)).items():
        frame.to_csv(HERE / f"input-{name}.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main(sys.argv[1])
