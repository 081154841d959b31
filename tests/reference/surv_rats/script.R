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

# Cox: both rules for ties, litters as clusters, strata, weights, no cluster.
d$weight <- 1 + (d$litter %% 3) / 2
for (ties in c("efron", "breslow")) {
  f <- coxph(Surv(time, status) ~ rx + female, d, cluster = litter, ties = ties)
  put_cox(paste0("cox.", ties), f)
  put(paste0("cox.", ties, ".dfbeta"), residuals(f, type = "dfbeta"))
  put_cox(paste0("cox_weighted.", ties),
          coxph(Surv(time, status) ~ rx + female, d, cluster = litter, weights = weight, ties = ties))
}
put_cox("cox_strata", coxph(Surv(time, status) ~ rx + strata(female), d, cluster = litter))
put_cox("cox_rows", coxph(Surv(time, status) ~ rx + female, d, robust = TRUE))

# Kaplan-Meier: Greenwood without clusters, infinitesimal jackknife with litters.
for (kind in c("log-log", "log", "plain")) {
  f <- summary(survfit(Surv(time, status) ~ 1, d, cluster = litter, conf.type = kind))
  put(paste0("km.", kind, ".low"), f$lower)
  put(paste0("km.", kind, ".high"), f$upper)
}
put("km.time", f$time)
put("km.survival", f$surv)
put("km.se_cluster", f$std.err)
put("km.n_risk", f$n.risk)
put("km.se_greenwood", summary(survfit(Surv(time, status) ~ 1, d))$std.err)
f <- survfit(Surv(time, status) ~ 1, d, cluster = litter, conf.type = "log-log")
q <- quantile(f, c(0.1, 0.2))
put("km.quantile", rbind(q$quantile, q$lower, q$upper))
tau <- c(70, 90, 104)
put("rmst.estimate", sapply(tau, function(t) summary(f, rmean = t)$table["rmean"]))
put("rmst.se", sqrt(colSums(rowsum(residuals(f, times = tau, type = "auc"), d$litter)^2)))
write.csv(do.call(rbind, out), "expected.csv", row.names = FALSE, quote = FALSE)
