"""Families referred and randomised as they stood on the day of the data cut."""

from collections.abc import Mapping, Sequence

import pandas as pd

from analysis.spec.trial import Epoch

RANDOMISED = "randomised"
COLUMNS = [
    *("referral_id", "family_id", "site", "epoch", "referral_date", "randomisation_date"),
    *("screening_outcome", "reason", "n_children"),
]


def derive_recruitment(
    tables: Mapping[str, pd.DataFrame], epochs: Sequence[Epoch], *, data_cut: pd.Timestamp
) -> pd.DataFrame:
    """Table `recruitment`: one row per family randomised by the cut, and per other referral made by then.

    A referral whose family is randomised after the cut is open at the cut: it has neither outcome nor family.
    """
    families = tables["families"]
    randomised = families[families["randomisation_date"] <= data_cut]
    rows = pd.concat(
        [
            _randomised(randomised, tables["children"], tables["screening"]),
            _others(tables["screening"], set(randomised["family_id"]), epochs, data_cut),
        ],
        ignore_index=True,
    )
    return rows.assign(cut_date=data_cut).sort_values("referral_id", kind="stable", ignore_index=True)


def _randomised(families: pd.DataFrame, children: pd.DataFrame, screening: pd.DataFrame) -> pd.DataFrame:
    sizes = children[children["joined_date"].isna()].groupby("family_id").size()
    referrals = screening.dropna(subset="family_id").drop_duplicates("family_id").set_index("family_id")
    beside = referrals.reindex(families["family_id"]).set_axis(families.index)
    return families.assign(
        referral_id=beside["screening_id"].fillna(families["family_id"]),
        referral_date=beside["referral_date"],
        screening_outcome=RANDOMISED,
        reason=pd.Series(None, index=families.index, dtype=object),
        n_children=families["family_id"].map(sizes).fillna(0).astype("Int64"),
    )[COLUMNS]


def _others(
    screening: pd.DataFrame, randomised: set[str], epochs: Sequence[Epoch], data_cut: pd.Timestamp
) -> pd.DataFrame:
    rows = screening[~screening["family_id"].isin(randomised) & (screening["referral_date"] <= data_cut)]
    nobody = pd.Series(None, index=rows.index, dtype=object)
    return rows.rename(columns={"screening_id": "referral_id"}).assign(
        family_id=nobody,
        epoch=_epoch_on(rows["referral_date"], epochs),
        randomisation_date=pd.Series(pd.NaT, index=rows.index, dtype="datetime64[ns]"),
        screening_outcome=rows["screening_outcome"].mask(rows["screening_outcome"] == RANDOMISED),
    )[COLUMNS]


def _epoch_on(days: pd.Series, epochs: Sequence[Epoch]) -> pd.Series:
    """The epoch in which each day lies; none outside all of them."""
    found = pd.Series(None, index=days.index, dtype=object)
    for epoch in epochs:
        within = days.between(pd.Timestamp(epoch.from_date), pd.Timestamp(epoch.to_date))
        found = found.mask(within, epoch.id)
    return found
