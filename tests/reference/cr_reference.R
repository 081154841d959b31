# Reference values of Gray's test and the Fine-Gray model from cmprsk, survival and mets. Sourced by script.R of the cr_* folders.
# input.csv: time, cause (0 censored), group, stratum, family, and from the sixth column on the covariates of the model.
suppressMessages({library(survival); library(cmprsk); library(mets)})
out <- list()
# Matrices are written row by row.
put <- function(name, x) {
  x <- if (is.matrix(x)) as.vector(t(x)) else as.vector(x)
  out[[length(out) + 1]] <<- data.frame(quantity = name, index = seq_along(x) - 1, value = format(x, digits = 17, trim = TRUE))
}
write_out <- function() write.csv(do.call(rbind, out), "expected.csv", row.names = FALSE, quote = FALSE)
tight <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 50)

put_gray <- function(name, tests) {
  put(paste0(name, ".statistic"), tests[, "stat"])
  put(paste0(name, ".df"), tests[, "df"])
}

# Groups of one censoring curve each: coefficients and information only, because crr's variance sums the competing events of
# all groups where only those of the group whose curve moves belong.
put_crr <- function(name, d, X, ...) {
  f <- crr(d$time, d$cause, X, gtol = 1e-15, maxiter = 50, ...)
  # Its search stops when the likelihood, not the score, stands still: two more Newton steps with its own score.
  for (i in 1:2) f <- crr(d$time, d$cause, X, init = as.vector(f$coef + f$invinf %*% f$score), maxiter = 0, ...)
  stopifnot(max(abs(f$score)) < 1e-7)
  put(paste0(name, ".coef"), f$coef)
  put(paste0(name, ".vcov_model"), f$invinf)
  put(paste0(name, ".loglik"), c(f$loglik.null, f$loglik))
  if (!"cengroup" %in% names(list(...))) put(paste0(name, ".vcov_independent"), f$var)
}

put_coxph <- function(name, f) {
  put(paste0(name, ".coef"), f$coefficients)
  put(paste0(name, ".vcov_model"), if (is.null(f$naive.var)) f$var else f$naive.var)
}

# survival::finegray takes a row censored at an event time out of the censoring risk set's ties: it and crr coincide where no
# censoring time is an event time, so half a unit is added to the censoring times.
put_finegray <- function(d) {
  d$time <- d$time + ifelse(d$cause == 0, 0.5, 0)
  d$state <- factor(d$cause)
  covariates <- names(d)[6:(ncol(d) - 1)]
  right <- paste(covariates, collapse = " + ")
  for (strata in c("", " + strata(stratum)")) {
    long <- finegray(as.formula(paste0("Surv(time, state) ~ ", right, strata, " + stratum")), d, etype = "1", timefix = FALSE)
    model <- as.formula(paste0("Surv(fgstart, fgstop, fgstatus) ~ ", right, strata))
    f <- coxph(model, long, weights = fgwt, ties = "breslow", control = tight)
    put_coxph(if (strata == "") "finegray" else "finegray_strata", f)
  }
}

# Without censoring before the end, the model is Cox's on times at which a competing event counts as staying to the end. Here
# survival's robust variance and robust score test by family are references for ours.
put_complete <- function(d) {
  d <- d[d$cause > 0, ]
  end <- as.numeric(quantile(d$time, 0.8, type = 1))
  d$event <- d$cause == 1 & d$time <= end
  d$time <- ifelse(d$time > end, end, ifelse(d$event, d$time, end + 1))
  right <- paste(names(d)[6:(ncol(d) - 1)], collapse = " + ")
  f <- coxph(as.formula(paste("Surv(time, event) ~", right)), d, cluster = family, ties = "breslow", control = tight)
  put_coxph("complete", f)
  put("complete.vcov_robust", f$var)
  f <- coxph(Surv(time, event) ~ factor(group), d, cluster = family, ties = "breslow", control = tight)
  put("complete.gray_robust", f$rscore)
}

# mets::cifreg has the family-robust variance with the weights estimated, and strata of hazard and censoring. It takes no ties, so
# times are told apart by row.
put_mets <- function(d) {
  d$time <- d$time + seq_len(nrow(d)) / (nrow(d) + 1) / 2
  right <- paste(names(d)[-(1:5)], collapse = " + ")
  for (strata in c("", " + strata(stratum)")) {
    model <- as.formula(paste0("Event(time, cause) ~ ", right, strata, " + cluster(family)"))
    censoring <- if (strata == "") ~ 1 else ~ strata(stratum)
    f <- mets::cifreg(model, d, cause = 1, propodds = NULL, cens.model = censoring)
    name <- if (strata == "") "mets" else "mets_strata"
    put(paste0(name, ".coef"), f$coef)
    put(paste0(name, ".vcov_robust"), f$var)
  }
}

competing_risks <- function() {
  d <- read.csv("input.csv")
  X <- as.matrix(d[, -(1:5), drop = FALSE])
  put_gray("gray", cuminc(d$time, d$cause, d$group)$Tests)
  put_gray("gray_strata", cuminc(d$time, d$cause, d$group, d$stratum)$Tests)
  put_gray("gray_rho", cuminc(d$time, d$cause, d$group, d$stratum, rho = 1)$Tests)
  put_crr("crr", d, X)
  put_crr("crr_groups", d, X, cengroup = d$stratum)
  if (any(d$cause > 1)) put_crr("crr_other", d, X, failcode = 2)
  put_finegray(d)
  put_complete(d)
  put_mets(d)
  write_out()
}
