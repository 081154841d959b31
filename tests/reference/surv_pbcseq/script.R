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

# Reversible states: bilirubin below 1, 1-2, 2-4, above 4; transplant and death absorb. `site` is artificial.
# survfit() in survival 3.5 loses the type of the response when a row only continues the one before it, so such
# rows are joined here. The Python test reads them as they are: splitting a row must not matter.
joined <- function(d) {
  n <- nrow(d)
  goes_on <- c(d$id[-1] == d$id[-n] & d$target[-n] == "censor" & d$stop[-n] == d$start[-1], FALSE)
  begins <- c(TRUE, !goes_on[-n])
  kept <- d[!goes_on, ]
  kept$start <- d$start[begins]
  kept
}

labels <- c("b0", "b1", "b2", "b3", "transplant", "death")
d$site <- d$id %% 40
d$from <- factor(d$source, 0:5, labels)
d$target <- factor(d$target, -1:5, c("censor", labels))
times <- c(200, 1000, 2000, 4000)

# The reference is the influence that survfit() returns, not residuals(): in survival 3.5-3 residuals() misses a
# transition to the state numbered one below when several transitions share its day. `derivative` shows which
# of the two is right, by refitting with the weight of one patient moved.
put_all <- function(name, d, p0 = NULL) {
  f <- survfit(Surv(start, stop, target) ~ 1, d, id = id, istate = from, weights = weight, p0 = p0, influence = TRUE)
  stopifnot(identical(f$states, labels))
  patient <- as.numeric(dimnames(f$influence.pstate)[[1]])
  influence <- f$influence.pstate * d$weight[match(patient, d$id)]
  last <- sapply(times, function(t) 1 + sum(f$time <= t))
  at <- do.call(cbind, lapply(last, function(k) influence[, k, ]))
  area <- do.call(cbind, lapply(times, function(t) {
    held <- diff(c(0, f$time[f$time < t], t))
    apply(influence[, seq_along(held), ], 3, function(x) x %*% held)
  }))
  derivative <- function(who, step = 1e-5) {
    ends <- lapply(c(step, -step), function(by) {
      d$weight <- ifelse(d$id == who, d$weight * (1 + by), d$weight)
      summary(survfit(Surv(start, stop, target) ~ 1, d, id = id, istate = from, weights = weight, p0 = p0), times = times)$pstate
    })
    as.vector(t((ends[[1]] - ends[[2]]) / (2 * step)))
  }
  for (who in patient[c(2, 31, 40)])
    stopifnot(max(abs(derivative(who) - at[match(who, patient), ])) < 1e-8)
  put(paste0(name, ".initial"), f$p0)
  put(paste0(name, ".pstate"), summary(f, times = times)$pstate)
  put(paste0(name, ".sojourn"), t(sapply(times, function(t) summary(f, rmean = t)$table[, "rmean"])))
  site <- d$site[match(patient, d$id)]
  put(paste0(name, ".se_subject"), sqrt(colSums(at^2)))
  put(paste0(name, ".se_site"), sqrt(colSums(rowsum(at, site)^2)))
  put(paste0(name, ".sojourn_se_site"), sqrt(colSums(rowsum(area, site)^2)))
}
weight <- 1 + (d$id %% 4) / 3
d$weight <- 1
put_all("estimated", joined(d))
put_all("fixed", joined(d), p0 = c(0.25, 0.25, 0.25, 0.25, 0, 0))
put_all("weighted", joined(cbind(d[names(d) != "weight"], weight)))
# Patients enter observation at their third row: delayed entry in several states.
times <- c(1000, 2000, 4000)
put_all("late", joined(d[ave(d$start, d$id, FUN = seq_along) > 2, ]))

# States by the number of times the patient has been in b0 so far: 0, 1, 2 or more.
d <- read.csv("input.csv")
d$site <- d$id %% 40
d$weight <- 1
times <- c(200, 1000, 2000, 4000)
d <- do.call(rbind, lapply(split(d, d$id), function(p) {
  visits <- 0
  was <- -1
  for (i in seq_len(nrow(p))) {
    if (p$source[i] == 0 && was != 0) visits <- visits + 1
    is <- if (p$target[i] < 0) p$source[i] else p$target[i]
    p$from[i] <- p$source[i] + 6 * min(visits, 2)
    came <- is == 0 && p$source[i] != 0
    if (p$target[i] >= 0) p$to[i] <- is + 6 * min(visits + came, 2) else p$to[i] <- -1
    visits <- visits + came
    was <- is
  }
  p
}))
states <- sort(unique(c(d$from, d$to[d$to >= 0])))
labels <- paste0("s", states)
d$from <- factor(d$from, states, labels)
d$target <- factor(d$to, c(-1, states), c("censor", labels))
put("visits.states", states)
put_all("visits", joined(d))
write.csv(do.call(rbind, out), "expected.csv", row.names = FALSE, quote = FALSE)
