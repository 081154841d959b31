"""Service delivery in the flow of families: it reveals the arm, so it joins only where arms are known."""

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
