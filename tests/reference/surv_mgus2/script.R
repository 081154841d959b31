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

# Competing risks: progression (1) and death without it (2), months, heavily tied. `family` is artificial.
d$family <- d$id %/% 3
d$state <- factor(d$cause, 0:2, c("censor", "progression", "death"))
put_cif <- function(name, f, rows, times) {
  s <- summary(f, times = times)
  put(paste0(name, ".pstate"), s$pstate)
  put(paste0(name, ".n_risk"), s$n.risk)
  r <- residuals(f, times = times, type = "pstate")
  a <- residuals(f, times = times, type = "auc")
  flat <- function(x) matrix(aperm(x, c(1, 3, 2)), nrow = dim(x)[1])
  put(paste0(name, ".se_subject"), sqrt(colSums(flat(r)^2)))
  put(paste0(name, ".se_family"), sqrt(colSums(rowsum(flat(r), rows$family)^2)))
  put(paste0(name, ".vcov_family"), crossprod(rowsum(flat(r), rows$family)))
  put(paste0(name, ".sojourn"), t(sapply(times, function(t) summary(f, rmean = t)$table[, "rmean"])))
  put(paste0(name, ".sojourn_se_family"), sqrt(colSums(rowsum(flat(a), rows$family)^2)))
}
times <- c(12, 60, 120, 240)
f <- survfit(Surv(time, state) ~ 1, d, id = id)
put_cif("all", f, d, times)
s <- summary(f)
put("curve.time", s$time)
put("curve.pstate", s$pstate)
put("curve.se", s$std.err)
for (sex in 0:1) put_cif(paste0("sex", sex), survfit(Surv(time, state) ~ 1, d[d$female == sex, ], id = id), d[d$female == sex, ], times)

# Age in months as the clock: everyone enters late.
d$entry <- 12 * d$age
d$exit <- d$entry + d$time
age <- 12 * c(60, 70, 80, 90)
late <- survfit(Surv(entry, exit, state) ~ 1, d, id = id)
put_cif("late", late, d, age)
km <- survfit(Surv(entry, exit, cause > 0) ~ 1, d, cluster = family, conf.type = "log-log")
s <- summary(km, times = age)
put("late_km.survival", s$surv)
put("late_km.se", s$std.err)
put("late_km.limits", cbind(s$lower, s$upper))
put("late_km.median", c(quantile(km, 0.5)$quantile, quantile(km, 0.5)$lower, quantile(km, 0.5)$upper))
for (ties in c("efron", "breslow"))
  put_cox(paste0("late_cox.", ties), coxph(Surv(entry, exit, cause == 1) ~ female, d, cluster = family, ties = ties))
write.csv(do.call(rbind, out), "expected.csv", row.names = FALSE, quote = FALSE)
