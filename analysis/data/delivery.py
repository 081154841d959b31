"""The service delivered: it reveals the arm, so it joins only where arms are known."""

import pandas as pd

from analysis.spec.declarations import Spec

STAGE = "received"


def with_delivery(flow: pd.DataFrame, delivery: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    """The flow with the stage at which families received the allocated service, did not, or have no record.

    Parameters
    ----------
    flow : DataFrame
        Table `flow`.
    delivery : DataFrame
        Clean typed table `delivery`.
    spec : Spec
        Its stages; without a stage ``received`` the flow comes back unchanged.
    """
    if STAGE not in spec.stages:
        return flow
    received = delivery.set_index("family_id")["is_received"]
    kept = flow[(flow["stage"] == "eligible") & (flow["box"] == "in")]
    box = kept["family_id"].map(received).map({True: "received", False: "not_received"})
    box = box.fillna("not_recorded")
    return pd.concat([flow, kept.assign(stage=STAGE, box=box)], ignore_index=True)


def derive_service(delivery: pd.DataFrame, subjects: pd.DataFrame) -> pd.DataFrame:
    """Table `service`: what each family of the trial received, and how long it waited.

    A family without a record is in the table with nothing known. What is recorded of a service that was not
    received is left out; the rules of cleaning ask about it.

    Parameters
    ----------
    delivery : DataFrame
        Clean typed table `delivery`; empty in a rehearsal, which may not know it.
    subjects : DataFrame
        Table `subjects`.
    """
    families = subjects.groupby("family_id").agg(
        randomised=("randomisation_date", "min"), followed=("safety_days", "max")
    )
    found = families.join(delivery.set_index("family_id"))
    received = found["is_received"].eq(True).fillna(False).astype(bool)
    start = found["service_start_date"].where(received)
    wait = (start - found["randomised"]).dt.days
    begun = (wait <= found["followed"]).astype("boolean")
    unknown = found["is_received"].isna() | (received & start.isna())
    length = (found["service_end_date"].where(received) - start).dt.days
    return found.assign(
        reason_not_received=found["reason_not_received"].mask(received),
        has_begun=begun.mask(unknown),
        wait_days=wait.clip(lower=0).where(begun, found["followed"]).mask(unknown).astype("Int64"),
        is_begun_before=(wait < 0).astype(bool),
        n_sessions=found["n_sessions"].where(received),
        contact_days=length.astype("Int64"),
    ).reset_index()
