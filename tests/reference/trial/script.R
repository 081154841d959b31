# The trial's own analyses by R, from the tables with arms that the pipeline writes (copied here as input-*.csv).
# Run in this folder: Rscript script.R . Writes expected.csv: analysis, name, arm, label, day, value, se, df.
suppressMessages({library(nlme); library(lme4); library(lmerTest); library(pbkrtest); library(survival)
                  library(clubSandwich); library(geepack)})
options(digits = 17)
days <- c(182, 365, 548, 730, 913)
rows <- list()
put <- function(analysis, name, arm = "", label = "", day = "", value, se = NA, df = NA)
  rows[[length(rows) + 1]] <<- data.frame(analysis, name, arm, label, day, value, se, df)

# A01, A02, A20, A21 -------------------------------------------------------------------------------------------------
tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-12, maxfun = 1e5), check.conv.singular = "ignore")
prepared <- function(d) {
  d$treated <- as.numeric(d$arm == "NIM")
  d$london <- as.numeric(d$site == "LON")
  d$sex_missing <- as.numeric(d$sex == "")
  d$male <- ifelse(d$sex == "", mean(d$sex[d$sex != ""] == "M"), as.numeric(d$sex == "M"))
  d$base_missing <- as.numeric(is.na(d$base))
  # The mean of the children analysed stands for a baseline that is absent.
  d$base0 <- ifelse(is.na(d$base), mean(d$base, na.rm = TRUE), d$base)
  d
}
columns_of <- function(d) c("treated", "london", "age_months", "male", if (any(d$sex_missing > 0)) "sex_missing",
                            if (any(!is.na(d$base))) c("base0", if (any(d$base_missing > 0)) "base_missing"))
difference <- function(id, d, terms) {
  fit <- lmer(reformulate(c(terms, "(1 | family_id)"), "value"), d, control = tight)
  kr <- coef(summary(fit, ddf = "Kenward-Roger"))["treated", ]
  v <- as.data.frame(VarCorr(fit))$vcov
  put(id, "difference", value = kr[["Estimate"]], se = kr[["Std. Error"]], df = kr[["df"]])
  put(id, "variance", label = "family", value = v[1])
  put(id, "variance", label = "residual", value = v[2])
}
outcomes <- read.csv("input-mixed.csv", stringsAsFactors = FALSE)
of <- function(parameter, visit) prepared(outcomes[outcomes$parameter == parameter & outcomes$visit == visit, ])
d <- of("SDQ_TOTAL", "V5")
terms <- columns_of(d)
difference("A01", d, terms)
difference("A02", d, c("treated", "london"))
others <- list(V5 = c(A20A = "PEDSQL_TOTAL", A20B = "PIRGAS", A20C = "DAI", A20D = "RPQ", A20E = "TIMB", A20F = "COG"),
               V4 = c(A21A = "ITSEA_EXT", A21B = "ITSEA_INT", A21C = "ITSEA_DYS", A21D = "RAD"))
for (visit in names(others)) for (id in names(others[[visit]])) {
  x <- of(others[[visit]][[id]], visit)
  difference(id, x, columns_of(x))
}

# A04: the same correlation for any two children of a family, of either sign ------------------------------------------
symmetric <- gls(reformulate(terms, "value"), d, correlation = corCompSymm(form = ~ 1 | family_id),
                 control = glsControl(tolerance = 1e-12, msTol = 1e-14))
put("A04", "difference", value = coef(symmetric)[["treated"]])
put("A04", "icc", value = coef(symmetric$modelStruct$corStruct, unconstrained = FALSE)[[1]])

# A01R: three indicators of a missing baseline -------------------------------------------------------------------------
r <- d
for (reason in c("not_due_age", "after_randomisation"))
  r[[reason]] <- as.numeric(is.na(r$base) & r$base_missing_reason == reason)
r$other <- r$base_missing - r$not_due_age - r$after_randomisation
difference("A01R", r, c(setdiff(terms, "base_missing"), "not_due_age", "after_randomisation", "other"))

# A03: children weigh 1, or one over the number of their family's children ---------------------------------------------
g <- d[order(d$family_id), ]
g$one <- 1
g$share <- 1 / ave(g$value, g$family_id, FUN = length)
fits <- list()
for (average in c(child = "one", family = "share")) {
  g$w <- g[[average]]
  fit <- lm(reformulate(terms, "value"), g, weights = w)
  robust <- coef_test(fit, vcov = vcovCR(fit, cluster = g$family_id, type = "CR2"), test = "Satterthwaite")["treated", ]
  gee <- geeglm(reformulate(terms, "value"), data = g, id = as.integer(factor(g$family_id)), weights = w, corstr = "independence")
  stopifnot(all.equal(coef(fit), coef(gee), tolerance = 1e-8))
  label <- ifelse(average == "one", "child", "family")
  put("A03", "difference", label = label, value = robust$beta, se = robust$SE, df = robust$df_Satt)
  fits[[label]] <- fit
}
# Residuals of both fits are linear in the outcome: e_k = (I - H_k) y. With working covariance I the test statistic is
# sum_i (a_i'e)^2; its mean and variance under that covariance give Satterthwaite's degrees of freedom, by dense matrices.
rows_of <- split(seq_len(nrow(g)), g$family_id)
X <- model.matrix(fits$child)
at <- which(colnames(X) == "treated")
part <- lapply(list(child = g$one, family = g$share), function(w) {
  M <- solve(crossprod(X, w * X))
  R <- diag(nrow(X)) - X %*% M %*% t(w * X)
  B <- tcrossprod(R)
  G <- matrix(0, length(rows_of), nrow(X))
  for (i in seq_along(rows_of)) {
    k <- rows_of[[i]]
    e <- eigen(B[k, k, drop = FALSE], symmetric = TRUE)
    root <- e$vectors %*% diag(ifelse(e$values > 1e-12, 1 / sqrt(pmax(e$values, 1e-12)), 0), length(k)) %*% t(e$vectors)
    G[i, k] <- root %*% ((w[k] * X[k, , drop = FALSE]) %*% M[, at])
  }
  G %*% R
})
A <- part$child - part$family
S <- tcrossprod(A)
put("A03", "informative_size", value = coef(fits$child)[["treated"]] - coef(fits$family)[["treated"]],
    se = sqrt(sum((A %*% g$value)^2)), df = sum(diag(S))^2 / sum(S^2))

# A04H1, A04H2: both variances of each group ---------------------------------------------------------------------------
for (each in list(c("A04H1", "arm"), c("A04H2", "site"))) {
  x <- d
  x$group <- x[[each[2]]]
  levels_of <- sort(unique(x$group))
  x$first <- as.integer(x$group == levels_of[1])
  x$second <- 1 - x$first
  fit <- lme(reformulate(terms, "value"), x, random = list(family_id = pdDiag(~ first + second - 1)),
             weights = varIdent(form = ~ 1 | group),
             control = lmeControl(tolerance = 1e-12, msTol = 1e-14, maxIter = 500, msMaxIter = 500))
  between <- fit$sigma^2 * diag(as.matrix(fit$modelStruct$reStruct[[1]]))[c("first", "second")]
  within <- (fit$sigma * coef(fit$modelStruct$varStruct, unconstrained = FALSE, allCoef = TRUE)[levels_of])^2
  put(each[1], "difference", value = fixef(fit)[["treated"]])
  put(each[1], "variance", label = paste("family", levels_of), value = between)
  put(each[1], "variance", label = paste("residual", levels_of), value = within)
}

# A09: all families (nobody of those removed was seen), each site, each order of consent -------------------------------
difference("A09A", d, terms)
parts <- list(A09B = d$site == "GLA", A09C = d$site == "LON", A09D = d$epoch == "CBR", A09E = d$epoch == "RCB",
              A09F = d$epoch == "CRB")
for (id in names(parts)) {
  x <- prepared(d[parts[[id]], ])
  difference(id, x, setdiff(columns_of(x), if (length(unique(x$site)) < 2) "london"))
}

# A22: standardised risks by glm and plain matrix algebra --------------------------------------------------------------
risks <- function(id, x, event, terms) {
  x$event <- as.numeric(event)
  fit <- glm(reformulate(terms, "event"), binomial, x, epsilon = 1e-14, maxit = 100)
  X <- model.matrix(fit)
  p <- fitted(fit)
  w <- p * (1 - p)
  bread <- solve(crossprod(X, w * X))
  e <- numeric(nrow(x))
  families <- split(seq_len(nrow(x)), x$family_id)
  for (i in families) {
    s <- sqrt(w[i])
    spectrum <- eigen(diag(length(i)) - (s * X[i, , drop = FALSE]) %*% bread %*% t(s * X[i, , drop = FALSE]), symmetric = TRUE)
    root <- spectrum$vectors %*% diag(1 / sqrt(spectrum$values), length(i)) %*% t(spectrum$vectors)
    e[i] <- s * (root %*% ((x$event[i] - p[i]) / s))
  }
  forced <- lapply(c(1, 0), function(a) { f <- X; f[, "treated"] <- a; f })
  each <- sapply(forced, function(f) plogis(f %*% coef(fit)))
  influence <- sapply(1:2, function(k) (each[, k] - mean(each[, k])) / nrow(x) +
                        e * (X %*% bread %*% colMeans(each[, k] * (1 - each[, k]) * forced[[k]])))
  V <- crossprod(rowsum(influence, x$family_id))
  r <- colMeans(each)
  se <- function(gradient) sqrt(drop(gradient %*% V %*% gradient))
  df <- length(families) - ncol(X)
  put(id, "risk", c("NIM", "SAU"), value = r, se = sqrt(diag(V)), df = df)
  put(id, "risk_difference", value = r[1] - r[2], se = se(c(1, -1)), df = df)
  put(id, "risk_ratio", value = r[1] / r[2], se = se(c(1 / r[1], -1 / r[2])), df = df)
}
banded <- c("treated", "london", "age_months", "base0", "base_missing")
risks("A22A", d, d$value >= ifelse(d$form == "2-4", 16, 17), banded)
risks("A22B", d, d$value >= ifelse(d$form == "2-4", 13, 14), banded)
pirgas <- of("PIRGAS", "V5")
risks("A22C", pirgas, pirgas$value <= 40, c("treated", "london", "age_months"))

# A10: a model per moderator, its groups beside the covariates; all groups' effects from products with the arm ---------
groups <- list(
  "Site" = d$site,
  "Sex" = ifelse(d$sex == "", NA, d$sex),
  "Age at randomisation" = ifelse(d$age_months < 24, "Under 24 months", "24 months and over"),
  "Children of the family in the trial" = ifelse(d$n_siblings < 2, "One", "Two or more"),
  "Order of consent baseline and randomisation" = d$epoch)
for (name in names(groups)) {
  known <- !is.na(groups[[name]])
  x <- prepared(d[known, ])
  x$group <- factor(groups[[name]][known])
  kept <- setdiff(columns_of(x), c("treated", if (name == "Site") "london", if (name == "Sex") "male"))
  fit <- lmer(reformulate(c("group", "group:treated", kept, "(1 | family_id)"), "value"), x, control = tight)
  beta <- names(fixef(fit))
  effects <- which(grepl("^group.*:treated$", beta))
  within <- function(k) as.numeric(seq_along(beta) == effects[k])
  for (k in seq_along(effects)) {
    one <- contest(fit, within(k), joint = FALSE, ddf = "Kenward-Roger")
    put("A10", "difference", label = paste(name, levels(x$group)[k], sep = ": "), value = one[["Estimate"]],
        se = one[["Std. Error"]], df = one[["df"]])
  }
  joint <- do.call(rbind, lapply(seq_along(effects)[-1], function(k) within(k) - within(1)))
  test <- contest(fit, joint, joint = TRUE, ddf = "Kenward-Roger")
  put("A10", "interaction", label = name, value = test[["F value"]], df = test[["DenDF"]])
}

# A30, A30R, A30U ----------------------------------------------------------------------------------------------------------
everyone <- read.csv("input-events.csv", stringsAsFactors = FALSE)
everyone$treated <- as.numeric(everyone$arm == "NIM")
permanent <- c("home", "kin", "foster", "adopted")
everyone$any <- as.numeric(everyone$cause %in% permanent)
e <- everyone[everyone$is_in_records == "true", ]
rate <- function(analysis, formula, data) {
  fit <- coxph(formula, data, cluster = family_id, ties = "efron")
  put(analysis, "log_hazard_ratio", value = coef(fit), se = sqrt(vcov(fit)[1, 1]))
}
within_site <- Surv(entry_days, time_days, any) ~ treated + strata(site)
rate("A30", within_site, e)
rate("A30R", within_site, everyone)
rate("A30U", Surv(entry_days, time_days, any) ~ treated, e)

# Curves: a list of estimates and a subject x quantity matrix of residuals, by cell, then weighted over sites ---------
standardised <- function(frame, by_site, estimate) {
  child <- frame[!duplicated(frame$child_id), ]
  share <- if (by_site) table(child$site) / nrow(child) else c(all = 1)
  cells <- lapply(c("SAU", "NIM"), function(arm) lapply(names(share), function(site)
    estimate(frame[frame$arm == arm & (site == "all" | frame$site == site), ])))
  lapply(cells, function(cell) {
    value <- Reduce(`+`, Map(function(x, w) w * x$value, cell, share))
    sums <- Map(function(x, w) rowsum(w * x$residual, x$family), cell, share)
    list(value = value, sums = do.call(rbind, sums))
  })
}
report <- function(arms, analysis, name, gap, label, day) {
  for (k in 1:2) put(analysis, name, c("SAU", "NIM")[k], label, day, arms[[k]]$value, sqrt(colSums(arms[[k]]$sums^2)))
  both <- rbind(-arms[[1]]$sums, arms[[2]]$sums)
  family <- rownames(both)
  put(analysis, gap, "", label, day, arms[[2]]$value - arms[[1]]$value, sqrt(colSums(rowsum(both, family)^2)))
}
flat <- function(residual) matrix(residual, dim(residual)[1])

# A30K, A31, A31U ----------------------------------------------------------------------------------------------------
incidence <- function(causes) function(x) {
  x$status <- factor(ifelse(x$cause %in% unlist(causes), x$cause, "censored"), c("censored", unlist(causes)))
  if (!is.null(names(causes))) levels(x$status) <- c("censored", rep(names(causes), length(unlist(causes))))
  cell <<- x  # residuals() looks for the data by name
  fit <- survfit(Surv(entry_days, time_days, status) ~ 1, cell, id = child_id)
  at <- summary(fit, times = days, extend = TRUE)
  res <- residuals(fit, times = days, type = "pstate")
  list(value = as.vector(t(at$pstate)), residual = flat(aperm(res, c(1, 3, 2))), family = x$family_id)
}
curves <- list(A30K = list(list(any = permanent), TRUE), A31 = list(as.list(c(permanent, "died")), TRUE),
               A31U = list(as.list(c(permanent, "died")), FALSE))
for (id in names(curves)) {
  causes <- curves[[id]][[1]]
  states <- c("(s0)", if (is.null(names(causes))) unlist(causes) else names(causes))
  x <- e[order(e$child_id), ]
  arms <- standardised(x, curves[[id]][[2]], incidence(causes))
  report(arms, id, "probability", "risk_difference", rep(states, length(days)), rep(days, each = length(states)))
}

# A40, A40U, A40P ----------------------------------------------------------------------------------------------------
h <- read.csv("input-transitions.csv", stringsAsFactors = FALSE)
states <- c("care", "home", "kin", "foster", "adopted", "died")
history <- function(x) {
  x <- x[order(x$child_id, x$start), ]
  x$from <- factor(x$source_state, states)
  x$to <- factor(ifelse(x$target_state == "", "censored", x$target_state), c("censored", states))
  cell <<- x
  fit <- survfit(Surv(start, stop, to) ~ 1, cell, id = child_id, istate = from, influence = TRUE)
  have <- match(states, fit$states)
  at <- summary(fit, times = days, extend = TRUE)
  # The influence that survfit() returns, not residuals(): see ../surv_pbcseq/script.R for the fault of the latter.
  influence <- fit$influence.pstate
  held <- diff(c(0, fit$time[fit$time < 913], 913))
  area <- apply(influence[, seq_along(held), ], 3, function(m) m %*% held)
  rmean <- summary(fit, rmean = 913)$table[, "rmean"]
  pick <- function(m, fill) { out <- matrix(fill, nrow(m), length(states)); ok <- !is.na(have); out[, ok] <- m[, have[ok]]; out }
  residual <- do.call(cbind, lapply(seq_along(days), function(k) pick(influence[, 1 + sum(fit$time <= days[k]), ], 0)))
  spent <- pick(matrix(rmean, 1), 0)
  auc <- pick(area, 0)
  home <- states %in% c("home", "kin", "adopted")
  family <- x$family_id[match(dimnames(influence)[[1]], x$child_id)]
  list(value = c(as.vector(t(pick(at$pstate, 0))), spent, sum(spent[home])),
       residual = cbind(residual, auc, rowSums(auc[, home])), family = family)
}
for (id in c("A40", "A40U", "A40P")) {
  x <- h[h$basis == ifelse(id == "A40P", "physical", "legal"), ]
  arms <- standardised(x, id != "A40U", history)
  split <- seq_len(length(days) * length(states))
  part <- function(which) lapply(arms, function(a) list(value = a$value[which], sums = a$sums[, which, drop = FALSE]))
  report(part(split), id, "occupation", "occupation_difference", rep(states, length(days)), rep(days, each = length(states)))
  report(part(-split), id, "days_in_state", "days_difference", c(states, "family_home"), "")
}

out <- do.call(rbind, rows)
num <- function(v) ifelse(is.na(v), "", formatC(v, digits = 17, format = "g"))
out$value <- num(out$value); out$se <- num(out$se); out$df <- num(out$df)
write.csv(out, "expected.csv", row.names = FALSE, quote = FALSE)
