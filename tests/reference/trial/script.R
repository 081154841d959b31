# The trial's own analyses by R, from the tables with arms that the pipeline writes (copied here as input-*.csv).
# Run in this folder: Rscript script.R . Writes expected.csv: analysis, name, arm, label, day, value, se, df.
suppressMessages({library(nlme); library(lme4); library(lmerTest); library(pbkrtest); library(survival)
                  library(clubSandwich); library(geepack); library(cmprsk)})
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
  "Children of the family in the trial at randomisation" = ifelse(d$n_siblings < 2, "One", "Two or more"),
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

# A30 and its variants, A42 ---------------------------------------------------------------------------------------------
events <- read.csv("input-events.csv", stringsAsFactors = FALSE)
events$treated <- as.numeric(events$arm == "NIM")
permanent <- c("home", "kin", "foster", "adopted")
events$any <- as.numeric(events$cause %in% permanent)
# Days from entry to care to the day that the table counts from.
since_entry <- function(x, zero) as.numeric(as.Date(x[[zero]]) - as.Date(x$care_entry_date))
of_basis <- function(basis, from_care = FALSE) {
  x <- events[events$parameter == "PERMANENCE" & events$basis == basis & events$is_in_records == "true", ]
  if (from_care) {
    shift <- since_entry(x, "start_date")
    # A child whose care began on a later day than randomisation counts from there.
    x$entry_days <- pmax(x$entry_days + shift, 0)
    x$time_days <- x$time_days + shift
    x <- x[x$time_days > x$entry_days, ]
  }
  x[order(x$child_id), ]
}
e <- of_basis("legal")
tight_cox <- coxph.control(eps = 1e-11, toler.chol = 1e-12, iter.max = 100, outer.max = 100)
rate <- function(analysis, formula, data) {
  fit <- coxph(formula, data, cluster = family_id, ties = "efron", control = tight_cox)
  put(analysis, "log_hazard_ratio", value = coef(fit), se = sqrt(vcov(fit)[1, 1]))
  put(analysis, "log_hazard_ratio_model_se", value = sqrt(fit$naive.var[1, 1]))
}
within_site <- Surv(entry_days, time_days, any) ~ treated + strata(site)
rate("A30", within_site, e)
rate("A30R", within_site, events[events$parameter == "PERMANENCE" & events$basis == "legal", ])
rate("A30U", Surv(entry_days, time_days, any) ~ treated, e)
rate("A30P", within_site, of_basis("physical"))
rate("A30D", within_site, of_basis("decision"))
rate("A30E", within_site, of_basis("legal", from_care = TRUE))
waits <- events[events$parameter == "REENTRY_FROM_HOME" & events$is_in_records == "true", ]
rate("A42", Surv(entry_days, time_days, cause %in% c("care", "foster")) ~ treated + strata(site), waits)

# A30F: the likelihood of the variance is searched by optimize(), because coxph() stops when it changes little ----------
given <- function(theta) {
  formula <- paste0("Surv(entry_days, time_days, any) ~ treated + strata(site) + frailty(family_id, distribution = 'gamma',",
                    "theta = ", format(theta, digits = 17), ", sparse = FALSE)")
  coxph(as.formula(formula), e, ties = "efron", control = tight_cox)
}
without <- coxph(within_site, e, ties = "efron", control = tight_cox)$loglik[2]
profile <- function(theta) if (theta < 1e-7) without else given(theta)$history[[1]]$c.loglik
theta <- optimize(profile, c(0.1, 4), maximum = TRUE, tol = 1e-7)$maximum
highest <- profile(theta)
stopifnot(highest > without + 1)
below <- function(t) profile(t) - highest + qchisq(0.95, 1) / 2
frail <- given(theta)
# coxph() takes the variance as known. Its own uncertainty adds the square of the coefficient's slope in it, over the
# curvature of its likelihood.
step <- 0.05 * theta
around <- lapply(c(-2, -1, 1, 2) * step, function(by) given(theta + by))
coefs <- sapply(around, function(f) coef(f)[["treated"]])
heights <- sapply(around, function(f) f$history[[1]]$c.loglik)
slope <- (coefs[1] - 8 * coefs[2] + 8 * coefs[3] - coefs[4]) / (12 * step)
curvature <- (heights[1] - 16 * heights[2] + 30 * highest - 16 * heights[3] + heights[4]) / (12 * step^2)
put("A30F", "log_hazard_ratio", value = coef(frail)[["treated"]], se = sqrt(frail$var[1, 1] + slope^2 / curvature))
put("A30F", "frailty_variance", value = theta)
put("A30F", "frailty_variance.low", value = uniroot(below, c(1e-7, theta), tol = 1e-7)$root)
put("A30F", "frailty_variance.high", value = uniroot(below, c(theta, 4), tol = 1e-7)$root)
# Half of the test's probability is at a variance of zero.
put("A30F", "frailty_variance.p", value = pchisq(2 * (highest - without), 1, lower.tail = FALSE) / 2)

# A30T -----------------------------------------------------------------------------------------------------------------
constant <- coxph(within_site, e, ties = "efron", control = tight_cox)
test <- cox.zph(constant, transform = "identity", terms = FALSE)$table["treated", ]
put("A30T", "proportionality_test", label = "independent children", value = test[["chisq"]], df = test[["df"]])
put("A30T", "proportionality_test.p", label = "independent children", value = test[["p"]])
# Efficient score of treated x (t - mean) by family, from rows split at every day with an event.
split_at <- function(cuts) survSplit(Surv(entry_days, time_days, any) ~ ., e, cut = cuts, episode = "period")
long <- split_at(sort(unique(e$time_days[e$any == 1])))
long$changing <- long$treated * (long$time_days - mean(e$time_days[e$any == 1]))
null <- suppressWarnings(coxph(update(within_site, . ~ treated + changing + strata(site)), long, ties = "efron",
                               init = c(coef(constant), 0), control = coxph.control(iter.max = 0)))
information <- solve(null$var)
score <- residuals(null, type = "score")
score <- rowsum(score[, 2] - score[, 1] * information[1, 2] / information[1, 1], long$family_id)
put("A30T", "proportionality_test", label = "family-robust", value = sum(score)^2 / sum(score^2), df = 1)
long <- split_at(c(182, 365))
for (k in 1:3) long[[paste0("period", k)]] <- long$treated * (long$period == k)
f <- coxph(Surv(entry_days, time_days, any) ~ period1 + period2 + period3 + strata(site), long, cluster = family_id,
           ties = "efron", control = tight_cox)
put("A30T", "hazard_ratio", label = c("0 182", "182 365", "365 inf"), value = exp(coef(f)), se = sqrt(diag(f$var)))
change <- rbind(c(-1, 1, 0), c(-1, 0, 1))
put("A30T", "equality_test", df = 2,
    value = drop(t(change %*% coef(f)) %*% solve(change %*% f$var %*% t(change), change %*% coef(f))))

# A31H -----------------------------------------------------------------------------------------------------------------
# Fine & Gray (1999) with a baseline and a curve of censoring of each site, as sums over events and children; the
# variance is that of Zhou et al. (2012): sums of eta + psi within families. Within one site with each child a family it
# must be cmprsk's crr().
fine_gray <- function(d, cause) {
  kind <- ifelse(d$cause == cause, 1, ifelse(d$cause == "", 0, 2))
  x <- d$treated
  t <- d$time_days
  risk <- matrix(0, nrow(d), sum(kind == 1))  # weight of each child at each event
  at <- which(kind == 1)
  G <- lapply(split(seq_along(t), d$site), function(i) {
    when <- sort(unique(t[i][kind[i] == 0]))
    dead <- sapply(when, function(u) sum(t[i] == u & kind[i] == 0))
    alive <- sapply(when, function(u) sum(t[i] >= u))
    list(when = when, alive = alive, dead = dead, before = function(u) sapply(u, function(v) prod((1 - dead / alive)[when < v])))
  })
  for (j in seq_along(at)) for (i in which(d$site == d$site[at[j]]))
    risk[i, j] <- if (t[i] >= t[at[j]]) 1 else if (kind[i] == 2) G[[d$site[i]]]$before(t[at[j]]) / G[[d$site[i]]]$before(t[i]) else 0
  sums <- function(beta) {
    s0 <- colSums(risk * exp(x * beta))
    list(s0 = s0, mean = colSums(risk * exp(x * beta) * x) / s0)
  }
  beta <- uniroot(function(b) sum(x[at] - sums(b)$mean), c(-5, 5), tol = 1e-14)$root
  s <- sums(beta)
  away <- outer(x, s$mean, "-")
  dM <- -risk * exp(x * beta) / rep(s$s0, each = nrow(d))
  dM[cbind(at, seq_along(at))] <- dM[cbind(at, seq_along(at))] + 1
  residual <- rowSums(away * dM)
  for (site in names(G)) for (k in seq_along(G[[site]]$when)) {
    u <- G[[site]]$when[k]
    here <- d$site == site
    late <- here & kind == 2 & t < u
    # Slope of the score in the hazard of censoring at u.
    q <- sum((away * risk * exp(x * beta) / rep(s$s0, each = nrow(d)))[late, t[at] >= u])
    dMc <- (here & t == u & kind == 0) - (here & t >= u) * G[[site]]$dead[k] / G[[site]]$alive[k]
    residual <- residual + q * dMc / G[[site]]$alive[k]
  }
  information <- sum(s$mean * (1 - s$mean))
  list(coef = beta, se = sqrt(sum(rowsum(residual, d$family_id)^2)) / information)
}
# Gray's score (1988) of the arm, by case weights; its influence is the derivative in the weight of each child.
gray_score <- function(t, kind, group, weight) {
  survival <- c(1, 1)
  incidence <- c(0, 0)
  score <- 0
  sums <- function(rows) c(sum(weight[rows & group == 0]), sum(weight[rows & group == 1]))
  for (u in sort(unique(t[kind > 0]))) {
    Y <- sums(t >= u)
    d <- sums(t == u & kind == 1)
    R <- ifelse(Y > 0, Y * (1 - incidence) / survival, 0)
    score <- score + d[2] - sum(d) * R[2] / sum(R)
    incidence <- incidence + ifelse(Y > 0, survival * d / Y, 0)
    survival <- survival * ifelse(Y > 0, 1 - sums(t == u & kind > 0) / Y, 1)
  }
  score
}
gray_robust <- function(d, cause) {
  kind <- ifelse(d$cause == cause, 1, ifelse(d$cause == "", 0, 2))
  parts <- lapply(split(seq_len(nrow(d)), d$site), function(i) {
    score <- function(weight) gray_score(d$time_days[i], kind[i], d$treated[i], weight)
    moved <- function(k, by) score(replace(rep(1, length(i)), k, 1 + by))
    central <- function(k, step) (moved(k, step) - moved(k, -step)) / (2 * step)
    list(score = score(rep(1, length(i))), family = d$family_id[i],
         influence = sapply(seq_along(i), function(k) (4 * central(k, 1e-3) - central(k, 2e-3)) / 3))
  })
  influence <- unlist(lapply(parts, `[[`, "influence"))
  family <- unlist(lapply(parts, `[[`, "family"))
  sum(sapply(parts, `[[`, "score"))^2 / sum(rowsum(influence, family)^2)
}
for (cause in permanent) {
  e$this <- as.numeric(e$cause == cause)
  f <- coxph(Surv(entry_days, time_days, this) ~ treated + strata(site), e, cluster = family_id, ties = "efron",
             control = tight_cox)
  put("A31H", "hazard_ratio", label = cause, value = exp(coef(f)), se = sqrt(vcov(f)[1, 1]))
  g <- fine_gray(e, cause)
  put("A31H", "subdistribution_hazard_ratio", label = cause, value = exp(g$coef), se = g$se)
  code <- match(e$cause, permanent, nomatch = 0)
  for (site in unique(e$site)) {
    d <- e[e$site == site, ]
    plain <- crr(d$time_days, code[e$site == site], d$treated, failcode = match(cause, permanent), gtol = 1e-12)
    own <- fine_gray(transform(d, family_id = child_id), cause)
    stopifnot(abs(own$coef - plain$coef) < 1e-6, abs(own$se / sqrt(plain$var[1, 1]) - 1) < 1e-5)
  }
  plain <- cuminc(e$time_days, code, e$arm, e$site)$Tests[as.character(match(cause, permanent)), ]
  put("A31H", "gray_test", label = paste(cause, "independent children"), value = plain[["stat"]], df = plain[["df"]])
  put("A31H", "gray_test", label = paste(cause, "family-robust"), value = gray_robust(e, cause), df = 1)
}

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

# A30K, A31, A31U, A31P, A31E, A32 --------------------------------------------------------------------------------------
# The influence that survfit() returns, not residuals(): see ../surv_pbcseq/script.R for the fault of the latter.
influence_at <- function(f, times) lapply(times, function(t) f$influence.pstate[, 1 + sum(f$time <= t), ])
area_of <- function(f, horizon) {
  held <- diff(c(0, f$time[f$time < horizon], horizon))
  apply(f$influence.pstate[, seq_along(held), ], 3, function(m) m %*% held)
}
incidence <- function(causes, days) function(x) {
  x$status <- factor(ifelse(x$cause %in% unlist(causes), x$cause, "censored"), c("censored", unlist(causes)))
  if (!is.null(names(causes))) levels(x$status) <- c("censored", rep(names(causes), length(unlist(causes))))
  fit <- survfit(Surv(entry_days, time_days, status) ~ 1, x, id = child_id, influence = TRUE)
  at <- summary(fit, times = days, extend = TRUE)
  free <- summary(fit, rmean = 913)$table[1, "rmean"]
  residual <- cbind(do.call(cbind, influence_at(fit, days)), area_of(fit, 913)[, 1])
  list(value = c(as.vector(t(at$pstate)), free), residual = residual,
       family = x$family_id[match(dimnames(fit$influence.pstate)[[1]], x$child_id)])
}
any_route <- list(any = permanent)
routes <- as.list(c(permanent, "died"))
curves <- list(A30K = list(any_route, TRUE, e, days), A31 = list(routes, TRUE, e, days), A31U = list(routes, FALSE, e, days),
               A31P = list(routes, TRUE, of_basis("physical"), days),
               A31E = list(routes, TRUE, of_basis("legal", from_care = TRUE), days),
               A32 = list(any_route, TRUE, of_basis("decision"), c(182, 365, 730, 913)))
for (id in names(curves)) {
  causes <- curves[[id]][[1]]
  when <- curves[[id]][[4]]
  states <- c("(s0)", if (is.null(names(causes))) unlist(causes) else names(causes))
  arms <- standardised(curves[[id]][[3]], curves[[id]][[2]], incidence(causes, when))
  last <- length(states) * length(when) + 1
  part <- function(which) lapply(arms, function(a) list(value = a$value[which], sums = a$sums[, which, drop = FALSE]))
  report(part(-last), id, "probability", "risk_difference", rep(states, length(when)), rep(when, each = length(states)))
  if (identical(causes, any_route)) report(part(last), id, "restricted_mean", "restricted_mean_difference", "913", "")
}

# A40, A40U, A40P, A40E ------------------------------------------------------------------------------------------------
h <- read.csv("input-transitions.csv", stringsAsFactors = FALSE)
h <- h[order(h$child_id, h$start), ]
states <- c("care", "home", "kin", "foster", "adopted", "died")
homes <- c("home", "kin", "adopted")
# Probabilities of given states by day, and of all `homes`; mean days likewise.
history <- function(states) function(x) {
  x$from <- factor(x$source_state, states)
  x$to <- factor(ifelse(x$target_state == "", "censored", x$target_state), c("censored", states))
  fit <- survfit(Surv(start, stop, to) ~ 1, x, id = child_id, istate = from, influence = TRUE)
  have <- match(states, fit$states)
  at <- summary(fit, times = days, extend = TRUE)
  pick <- function(m) {
    out <- matrix(0, nrow(m), length(states))
    out[, !is.na(have)] <- m[, have[!is.na(have)]]
    cbind(out, rowSums(out[, states %in% homes, drop = FALSE]))
  }
  rmean <- summary(fit, rmean = 913)$table[, "rmean"]
  list(value = c(as.vector(t(pick(at$pstate))), pick(matrix(rmean, 1))),
       residual = cbind(do.call(cbind, lapply(influence_at(fit, days), pick)), pick(area_of(fit, 913))),
       family = x$family_id[match(dimnames(fit$influence.pstate)[[1]], x$child_id)])
}
# Reports `names` by day, and with `spent` the days in each state.
where <- function(id, x, states, shown, name, spent, by_site = TRUE) {
  arms <- standardised(x, by_site, history(states))
  labels <- c(states, "family_home")
  part <- function(which) lapply(arms, function(a) list(value = a$value[which], sums = a$sums[, which, drop = FALSE]))
  at <- rep(labels, length(days)) %in% shown
  report(part(which(at)), id, name, paste0(name, "_difference"), rep(labels, length(days))[at],
         rep(days, each = length(labels))[at])
  if (spent) report(part(length(at) + seq_along(labels)), id, "days_in_state", "days_difference", labels, "")
}
legal <- h[h$basis == "legal", ]
where("A40", legal, states, states, "occupation", TRUE)
where("A40U", legal, states, states, "occupation", TRUE, by_site = FALSE)
where("A40P", h[h$basis == "physical", ], states, states, "occupation", TRUE)
shift <- since_entry(legal, "randomisation_date")
from_care <- transform(legal, start = pmax(start + shift, 0), stop = stop + shift)
where("A40E", from_care[from_care$stop > from_care$start, ], states, states, "occupation", TRUE)
# Every state a second time, for children who came back into care from a family home.
returned <- ave(as.numeric(legal$source_state %in% homes & legal$target_state %in% c("care", "foster")), legal$child_id,
                FUN = cumsum) > 0
before <- returned & ave(as.numeric(returned), legal$child_id, FUN = cumsum) > 1
twice <- legal
twice$source_state <- paste0(legal$source_state, ifelse(before, " again", ""))
twice$target_state <- ifelse(legal$target_state == "", "", paste0(legal$target_state, ifelse(returned, " again", "")))
where("A40", twice, c(states, paste(states, "again")), c(homes, "family_home"), "occupation_never_returned", FALSE)

# A41, A43 -------------------------------------------------------------------------------------------------------------
recurrences <- read.csv("input-recurrences.csv", stringsAsFactors = FALSE)
recurrences$event <- as.numeric(recurrences$is_event == "true")
recurrences$death <- as.numeric(recurrences$is_death == "true")
recurrences$treated <- as.numeric(recurrences$arm == "NIM")
recurrences$child_id <- recurrences$unit_id
when <- c(365, 730, 913)
# Ghosh & Lin (2000): Nelson-Aalen increments of the rate among the living, each times the Kaplan-Meier probability of
# being alive just before. Influence of a unit: derivative in its weight.
ghosh_lin <- function(x, weight) {
  x$weight <- weight
  alive <- survfit(Surv(start, stop, death) ~ 1, x, weights = weight, se.fit = FALSE)
  rate <- survfit(Surv(start, stop, event) ~ 1, x, weights = weight, se.fit = FALSE)
  stopifnot(identical(alive$time, rate$time))
  mean <- cumsum(c(1, alive$surv[-length(alive$surv)]) * diff(c(0, rate$cumhaz)))
  c(0, mean)[1 + findInterval(when, rate$time)]
}
mean_number <- function(x) {
  units <- unique(x$unit_id)
  influence <- t(sapply(units, function(who) {
    central <- function(step) (ghosh_lin(x, ifelse(x$unit_id == who, 1 + step, 1)) -
                                 ghosh_lin(x, ifelse(x$unit_id == who, 1 - step, 1))) / (2 * step)
    (4 * central(5e-3) - central(1e-2)) / 3
  }))
  family <- x$family_id[match(units, x$unit_id)]
  if (!any(x$death == 1)) {
    robust <- summary(survfit(Surv(start, stop, event) ~ 1, x, id = unit_id, cluster = family_id, robust = TRUE), times = when)
    stopifnot(all.equal(robust$std.chaz, sqrt(colSums(rowsum(influence, family)^2)), tolerance = 1e-7))
  }
  list(value = ghosh_lin(x, rep(1, nrow(x))), residual = influence, family = family)
}
counted <- list(A41A = c("REENTRY", "child"), A41B = c("REENTRY_PHYSICAL", "child"), A41C = c("MOVE", "child"),
                A43A = c("MALTREATMENT", "child"), A43B = c("MALTREATMENT", "family"))
for (id in names(counted)) {
  parameter <- counted[[id]][1]
  x <- recurrences[recurrences$parameter == parameter & recurrences$level == counted[[id]][2], ]
  report(standardised(x, TRUE, mean_number), id, "mean_count", "mean_count_difference", parameter, when)
  x <- x[x$start < 913, ]
  x$event <- x$event * (x$stop <= 913)
  x$stop <- pmin(x$stop, 913)
  f <- coxph(Surv(start, stop, event) ~ treated + strata(site), x, cluster = family_id, ties = "efron", control = tight_cox)
  put(id, "log_rate_ratio", value = coef(f), se = sqrt(vcov(f)[1, 1]))
}

out <- do.call(rbind, rows)
num <- function(v) ifelse(is.na(v), "", formatC(v, digits = 17, format = "g"))
out$value <- num(out$value); out$se <- num(out$se); out$df <- num(out$df)
write.csv(out, "expected.csv", row.names = FALSE, quote = FALSE)
