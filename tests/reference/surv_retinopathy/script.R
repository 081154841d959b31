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

# One patient has two eyes, one treated: clusters span the groups that are compared.
for (ties in c("efron", "breslow")) {
  put_cox(paste0("cox.", ties),
          coxph(Surv(time, status) ~ trt * adult + risk, d, cluster = id, ties = ties))
  put_cox(paste0("cox_strata.", ties),
          coxph(Surv(time, status) ~ trt + risk + strata(adult), d, cluster = id, ties = ties))
}
f <- survfit(Surv(time, status) ~ trt, d)
times <- c(12, 24, 48)
put("survival", t(matrix(summary(f, times = times)$surv, nrow = length(times))))
sign <- ifelse(d$trt == 1, 1, -1)
put("survival_difference.se", sqrt(colSums(rowsum(sign * residuals(f, times = times, type = "pstate"), d$id)^2)))
put("rmst_difference", diff(summary(f, rmean = 48)$table[, "rmean"]))
put("rmst_difference.se", sqrt(sum(rowsum(sign * c(residuals(f, times = 48, type = "auc")), d$id)^2)))
write.csv(do.call(rbind, out), "expected.csv", row.names = FALSE, quote = FALSE)
