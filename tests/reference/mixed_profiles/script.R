# Profile-likelihood intervals of standard deviations under maximum likelihood: lme4's confint, and the same profile
# of lme4's deviance solved to full precision, as confint interpolates it between a few points.
suppressMessages({library(lme4)})

if (!file.exists("input.csv"))
  write.csv(with(Dyestuff, data.frame(y = Yield, cluster = Batch)), "input.csv", row.names = FALSE, quote = FALSE)

solved <- function(deviance, best, k) {
  bottom <- deviance(best)
  profile <- function(value) {
    at <- function(free) { full <- best; full[k] <- value; full[-k] <- abs(free); deviance(full) }
    found <- nlminb(best[-k], at, control = list(rel.tol = 1e-14, abs.tol = 0, x.tol = 1e-10))
    nlminb(found$par, at, control = list(rel.tol = 1e-14, abs.tol = 0, x.tol = 1e-10))$objective
  }
  above <- function(value) profile(value) - bottom - qchisq(0.95, 1)
  low <- if (best[k] == 0 || above(1e-7 * sum(best)) <= 0) 0 else uniroot(above, c(1e-4, 1) * best[k], tol = 1e-10)$root
  top <- max(best[k], best[length(best)])
  while (above(top) < 0) top <- 2 * top
  c(low, uniroot(above, c(best[k], top), tol = 1e-10)$root)
}

profiles <- function(name, path) {
  data <- read.csv(path)
  fixed <- setdiff(names(data), c("y", "cluster", "subject"))
  formula <- reformulate(c(if (length(fixed)) fixed else "1", "(1 | cluster)"), "y")
  if ("subject" %in% names(data)) {
    data$pair <- interaction(data$cluster, data$subject)
    formula <- update(formula, . ~ . + (1 | pair))
  }
  tight <- lmerControl(optimizer = "Nelder_Mead", optCtrl = list(FtolAbs = 1e-14, XtolRel = 1e-12, maxfun = 1e5),
                       check.conv.singular = "ignore", calc.derivs = FALSE)
  fit <- lmer(formula, data, REML = FALSE, control = tight)
  deviance <- devfun2(fit, useSc = TRUE, signames = FALSE)
  best <- as.data.frame(VarCorr(fit))$sdcor
  best <- nlminb(best, function(x) deviance(abs(x)), control = list(rel.tol = 1e-15, x.tol = 1e-12))$par
  best <- ifelse(abs(best) < 1e-5 * sum(abs(best)), 0, abs(best))
  inside <- best > 0
  at <- function(x) { full <- best; full[inside] <- x; deviance(full) }
  for (step in 1:5) best[inside] <- best[inside] - solve(numDeriv::hessian(at, best[inside]), numDeriv::grad(at, best[inside]))
  quick <- suppressWarnings(suppressMessages(confint(fit, method = "profile", parm = "theta_", oldNames = FALSE, quiet = TRUE)))
  # lme4 orders the terms by their number of levels; here the cluster comes first, the residual last.
  order <- if ("pair" %in% names(data)) c(2, 1, 3) else 1:2
  do.call(rbind, lapply(seq_along(order), function(j) {
    k <- order[j]
    data.frame(data = name, k = j - 1, part = c("estimate", "low", "high", "confint_low", "confint_high"),
               value = sprintf("%.17g", c(best[k], solved(deviance, best, k), quick[k, ])))
  }))
}

table <- profiles("dyestuff", "input.csv")
for (name in c("dyestuff2", "mathachieve", "pastes", "sleep", "sleepstudy"))
  table <- rbind(table, profiles(name, file.path("..", paste0("lmm_", name), "input.csv")))
write.csv(table, "expected.csv", row.names = FALSE, quote = FALSE)
