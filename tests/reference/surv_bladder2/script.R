library(survival)
d <- read.csv("input.csv")
out <- list()
# Matrices are written row by row.
put <- function(name, x) {
  x <- if (is.matrix(x)) as.vector(t(x)) else as.vector(x)
  out[[length(out) + 1]] <<- data.frame(quantity = name, index = seq_along(x) - 1, value = format(x, digits = 17, trim = TRUE))
}
put_cox <- function(name, f) {
  put(paste0(name, ".coef"), f$coefficients)
  put(paste0(name, ".vcov_model"), if (is.null(f$naive.var)) f$var else f$naive.var)
  put(paste0(name, ".vcov_robust"), f$var)
  put(paste0(name, ".loglik"), f$loglik)
  put(paste0(name, ".wald_robust"), f$wald.test)
  put(paste0(name, ".score"), f$score)
  if (!is.null(f$rscore)) put(paste0(name, ".score_robust"), f$rscore)
}

# Recurrent events: Andersen-Gill, and Prentice-Williams-Peterson in total and gap time.
d$zero <- 0
d$gap <- d$stop - d$start
for (ties in c("efron", "breslow")) {
  total <- coxph(Surv(start, stop, event) ~ rx + size + number, d, cluster = id, ties = ties)
  put_cox(paste0("andersen_gill.", ties), total)
  by_event <- coxph(Surv(start, stop, event) ~ rx + size + number + strata(enum), d, cluster = id, ties = ties)
  put_cox(paste0("pwp_total.", ties), by_event)
  gap <- coxph(Surv(zero, gap, event) ~ rx + size + number + strata(enum), d, cluster = id, ties = ties)
  put_cox(paste0("pwp_gap.", ties), gap)
}

# The last fits, with Breslow's rule, are the published ones.
published <- read.csv("published.csv")$value
ratios <- sapply(list(total, by_event, gap), function(f) exp(coef(f)[["rx"]]))
stopifnot(round(c(ratios, sqrt(total$var[1, 1])), 3) == published)
write.csv(do.call(rbind, out), "expected.csv", row.names = FALSE, quote = FALSE)
