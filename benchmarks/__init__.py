"""Times of the estimators beside those of R packages, in one run."""
