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

# Transplant as a time-dependent covariate: rows enter late; and waiting -> transplanted -> dead.
for (ties in c("efron", "breslow")) {
  f <- coxph(Surv(start, stop, event) ~ age + year + surgery + transplant, d, cluster = id, ties = ties)
  put_cox(paste0("cox.", ties), f)
  put(paste0("cox.", ties, ".dfbeta"), residuals(f, type = "dfbeta"))
}
km <- summary(survfit(Surv(start, stop, event) ~ 1, d[d$transplant == 1, ], conf.type = "log"))
put("km.time", km$time)
put("km.survival", km$surv)
put("km.n_risk", km$n.risk)
last <- !duplicated(d$id, fromLast = TRUE)
d$target <- factor(ifelse(d$event == 1, 2, ifelse(last, 0, 1)), 0:2, c("censor", "transplant", "dead"))
# residuals() in survival 3.5-3 mixes numbers and names of states unless the levels are all the states in order.
d$source <- factor(ifelse(d$transplant == 1, "transplant", "waiting"), c("waiting", "transplant", "dead"))
f <- survfit(Surv(start, stop, target) ~ 1, d, id = id, istate = source)
stopifnot(identical(f$states, levels(d$source)))
times <- c(30, 100, 365, 1000)
flat <- function(x) matrix(aperm(x, c(1, 3, 2)), nrow = dim(x)[1])
put("occupation", summary(f, times = times)$pstate)
put("occupation.se", sqrt(colSums(flat(residuals(f, times = times, type = "pstate"))^2)))
put("sojourn", t(sapply(times, function(t) summary(f, rmean = t)$table[, "rmean"])))
put("sojourn.se", sqrt(colSums(flat(residuals(f, times = times, type = "auc"))^2)))
write.csv(do.call(rbind, out), "expected.csv", row.names = FALSE, quote = FALSE)
