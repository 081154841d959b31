# Reference values of a linear mixed model from lme4, lmerTest, pbkrtest and nlme. Sourced by script.R of every lmm_* folder.
# input.csv: y, cluster, perhaps subject, then the columns of X without the intercept. Joint tests are on its last two columns.
suppressMessages({library(lme4); library(lmerTest); library(pbkrtest); library(nlme)})

# lmer stops when the deviance, not its gradient, stands still. Newton steps on numerical derivatives bring the relative
# standard deviations to full precision; one at zero stays there, which the gradient at the boundary must confirm.
polish <- function(formula, data) {
  quiet <- lmerControl(calc.derivs = FALSE, check.conv.singular = "ignore")
  theta <- getME(lme4::lmer(formula, data, control = quiet), "theta")
  deviance <- lme4::lmer(formula, data, devFunOnly = TRUE)
  free <- theta > 1e-3
  theta[!free] <- 0
  at <- function(x) { full <- theta; full[free] <- x; deviance(full) }
  for (step in 1:8) if (any(free)) {
    x <- theta[free]
    theta[free] <- x - solve(numDeriv::hessian(at, x), numDeriv::grad(at, x))
  }
  if (any(free)) stopifnot(max(abs(numDeriv::grad(at, theta[free]))) < 1e-6)
  for (k in which(!free)) { up <- theta; up[k] <- 0.02; stopifnot(deviance(up) > deviance(theta)) }
  control <- lmerControl(optimizer = NULL, calc.derivs = FALSE, check.conv.singular = "ignore")
  fit <- suppressWarnings(lmerTest::lmer(formula, data, start = unname(theta), control = control))
  stopifnot(all.equal(unname(getME(fit, "theta")), unname(theta), tolerance = 1e-12))
  fit
}

mixed <- function(fit) {
  variance <- as.data.frame(VarCorr(fit))$vcov
  kr <- coef(summary(fit, ddf = "Kenward-Roger"))
  satterthwaite <- coef(summary(fit))
  p <- length(fixef(fit))
  L <- diag(p)[(p - 1):p, , drop = FALSE]
  F_kr <- pbkrtest::KRmodcomp(fit, L)$test
  F_satterthwaite <- contestMD(fit, L, ddf = "Satterthwaite")
  list(beta = fixef(fit), se = sqrt(diag(as.matrix(vcov(fit)))), theta = variance, loglik = as.numeric(logLik(fit)),
       vcov_kr = as.matrix(vcovAdj(fit)), se_kr = kr[, "Std. Error"], df_kr = kr[, "df"], p_kr = kr[, "Pr(>|t|)"],
       df_satterthwaite = satterthwaite[, "df"], p_satterthwaite = satterthwaite[, "Pr(>|t|)"],
       joint_kr_F = F_kr["Ftest", "stat"], joint_kr_df = F_kr["Ftest", "ddf"], joint_kr_p = F_kr["Ftest", "p.value"],
       joint_kr_scale = F_kr["Ftest", "F.scaling"],
       joint_satterthwaite_F = F_satterthwaite[["F value"]], joint_satterthwaite_df = F_satterthwaite[["DenDF"]],
       joint_satterthwaite_p = F_satterthwaite[["Pr(>F)"]])
}

# Profile of the REML deviance over the intraclass correlation: lme4's parameter is the ratio of standard deviations.
icc_interval <- function(fit, formula, data) {
  deviance <- lme4::lmer(formula, data, devFunOnly = TRUE)
  of_icc <- function(r) deviance(sqrt(r / (1 - r)))
  variance <- as.data.frame(VarCorr(fit))$vcov
  r <- variance[1] / sum(variance)
  above <- function(x) of_icc(x) - of_icc(r) - qchisq(0.95, 1)
  low <- if (above(0) <= 0) 0 else uniroot(above, c(0, r), tol = 1e-12)$root
  list(icc = r, icc_low = low, icc_high = uniroot(above, c(r, 1 - 1e-6), tol = 1e-12)$root)
}

# Degrees of freedom of nlme, which depend on the design only; its rule for the intercept differs and is left out.
between_within <- function(formula, data) {
  fit <- lme(formula, random = ~ 1 | cluster, data = data, control = lmeControl(returnObject = TRUE))
  list(df_between_within = unname(summary(fit)$tTable[-1, "DF"]))
}

# Compound symmetry with a correlation of either sign. nlme stops early, so the profile is maximised again from scratch.
compound_symmetry <- function(formula, data) {
  at <- function(r) gls(formula, data, correlation = corCompSymm(r, form = ~ 1 | cluster, fixed = TRUE), method = "REML")
  slope <- function(r) numDeriv::grad(function(x) as.numeric(logLik(at(x))), r)
  free <- gls(formula, data, correlation = corCompSymm(form = ~ 1 | cluster), method = "REML")
  near <- coef(free$modelStruct$corStruct, unconstrained = FALSE)
  r <- uniroot(slope, near + c(-0.05, 0.05) * (1 - abs(near)), tol = 1e-10)$root
  fit <- at(r)
  list(cs_beta = coef(fit), cs_se = sqrt(diag(fit$varBeta)), cs_correlation = r, cs_variance = fit$sigma^2,
       cs_loglik = as.numeric(logLik(fit)))
}

write_expected <- function(...) {
  values <- lapply(c(...), function(x) as.numeric(t(x)))
  table <- data.frame(quantity = rep(names(values), lengths(values)), index = sequence(lengths(values)) - 1,
                      value = sprintf("%.17g", unlist(values)))
  write.csv(table, "expected.csv", row.names = FALSE, quote = FALSE)
}

two_level <- function(cs = FALSE) {
  data <- read.csv("input.csv")
  data$cluster <- factor(data$cluster)
  fixed <- reformulate(setdiff(names(data), c("y", "cluster")), "y")
  formula <- update(fixed, . ~ . + (1 | cluster))
  fit <- polish(formula, data)
  write_expected(mixed(fit), icc_interval(fit, formula, data), between_within(fixed, data),
                 if (cs) compound_symmetry(fixed, data))
}

three_level <- function() {
  data <- read.csv("input.csv")
  data$pair <- interaction(data$cluster, data$subject)
  fixed <- reformulate(setdiff(names(data), c("y", "cluster", "subject", "pair")), "y")
  values <- mixed(polish(update(fixed, . ~ . + (1 | cluster) + (1 | pair)), data))
  # lme4 orders the terms by their number of levels.
  values$theta <- values$theta[c(2, 1, 3)]
  write_expected(values)
}
