"""Kinds of checks of care episodes: of one row, and of one child's rows in order."""

from typing import Literal

EpisodeKind = Literal[
    "code_fits",
    "lasts_longer",
    "same_day",
    "younger_than",
    "no_episode_overlap",
    "open_then_later",
    "first_is",
    "starts_on_last_day",
    "follows_exit",
    "continues_last",
    "ends_for_good",
    "returns_after",
    "days_within_year",
    "codes_within_year",
    "after_episode",
    "on_last_day",
]
# What a kind reads beside `column`; `code_fits` reads one of `allowed` and `refused`.
EPISODE_READS: dict[str, frozenset[str]] = {
    "code_fits": frozenset({"other", "codes"}),
    "lasts_longer": frozenset({"codes", "value"}),
    "same_day": frozenset({"other"}),
    "younger_than": frozenset({"codes", "value"}),
    "no_episode_overlap": frozenset({"other"}),
    "open_then_later": frozenset(),
    "first_is": frozenset({"codes"}),
    "starts_on_last_day": frozenset({"codes"}),
    "follows_exit": frozenset({"codes"}),
    "continues_last": frozenset({"codes"}),
    "ends_for_good": frozenset({"codes"}),
    "returns_after": frozenset({"codes"}),
    "days_within_year": frozenset({"codes", "value"}),
    "codes_within_year": frozenset({"codes"}),
    "after_episode": frozenset({"other", "codes", "value"}),
    "on_last_day": frozenset({"other", "codes", "value"}),
}
# Kinds that ask what the row before or after is, or that there is none before.
FROM_EPISODES_BESIDE = frozenset({"first_is", "follows_exit", "continues_last", "returns_after"})
# Kinds that read the days and reasons of a child's rows, which only this table has.
EPISODES = "placements"
# Kinds of another table of children, judged against the fields of their episodes.
AGAINST = frozenset({"after_episode", "on_last_day"})
OF_CHILD = frozenset(EPISODE_READS) - {"code_fits", "same_day"} - AGAINST
WITH_CODES = frozenset(kind for kind, read in EPISODE_READS.items() if "codes" in read) - AGAINST
