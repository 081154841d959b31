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
  put(paste0(name, ".vcov_robust"), f$var)
}
times <- c(3, 12, 24, 48)
d$pair <- d$id %% 30
d$weight <- 1 + (d$id %% 4) / 3

# Mean number of recurrences as in Ghosh & Lin (2000): the Nelson-Aalen increments of the rate among the living, each
# times the Kaplan-Meier probability of being alive just before. Both parts are survfit's.
at <- function(times, steps, values, before) c(before, values)[1 + findInterval(times, steps)]
ghosh_lin <- function(d) {
  alive <- survfit(Surv(start, stop, death) ~ 1, d, weights = weight, se.fit = FALSE)
  rate <- survfit(Surv(start, stop, event) ~ 1, d, weights = weight, se.fit = FALSE)
  stopifnot(identical(alive$time, rate$time))
  survival_before <- c(1, alive$surv[-length(alive$surv)])
  mean <- cumsum(survival_before * diff(c(0, rate$cumhaz)))
  at(times, rate$time, mean, 0)
}
# Influence of each patient: the derivative in the logarithm of the patient's weight, by central differences of two
# widths and Richardson's extrapolation.
influence <- function(d, estimate) {
  t(sapply(unique(d$id), function(who) {
    central <- function(step) {
      ends <- lapply(c(step, -step), function(by) {
        d$weight[d$id == who] <- d$weight[d$id == who] * (1 + by)
        estimate(d)
      })
      (ends[[1]] - ends[[2]]) / (2 * step)
    }
    (4 * central(5e-3) - central(1e-2)) / 3
  }))
}
by_pair <- function(d, u) rowsum(u, d$pair[match(unique(d$id), d$id)])
put_mean <- function(name, d) {
  u <- influence(d, ghosh_lin)
  put(paste0(name, ".mean"), ghosh_lin(d))
  put(paste0(name, ".se_patient"), sqrt(colSums(u^2)))
  put(paste0(name, ".se_pair"), sqrt(colSums(by_pair(d, u)^2)))
  invisible(list(mean = ghosh_lin(d), u = u))
}
plain <- transform(d, weight = 1)
put_mean("all", plain)
put_mean("weighted", d)
put_mean("late", plain[ave(d$start, d$id, FUN = seq_along) > 1, ])
arms <- lapply(0:2, function(arm) plain[plain$arm == arm, ])
fits <- lapply(0:2, function(arm) put_mean(paste0("arm", arm), arms[[arm + 1]]))
# Thiotepa against placebo; pairs have patients in several arms.
union <- function(a, b) {
  pairs <- sort(unique(plain$pair))
  full <- function(arm, u) {
    sums <- matrix(0, length(pairs), length(times))
    own <- by_pair(arms[[arm]], u)
    sums[match(rownames(own), pairs), ] <- own
    sums
  }
  sqrt(colSums((full(3, a) - full(1, b))^2))
}
put("difference", fits[[3]]$mean - fits[[1]]$mean)
put("difference.se_pair", union(fits[[3]]$u, fits[[1]]$u))
put("log_ratio", log(fits[[3]]$mean / fits[[1]]$mean))
put("log_ratio.se_pair", union(sweep(fits[[3]]$u, 2, fits[[3]]$mean, "/"), sweep(fits[[1]]$u, 2, fits[[1]]$mean, "/")))

# Deaths taken as censored: the Nelson-Aalen estimate with survfit's own robust standard errors.
for (cluster in c("id", "pair")) {
  d$cluster <- d[[cluster]]
  f <- summary(survfit(Surv(start, stop, event) ~ 1, d, id = id, cluster = cluster, robust = TRUE), times = times)
  put(paste0("no_death.", cluster, ".mean"), f$cumhaz)
  put(paste0("no_death.", cluster, ".se"), f$std.chaz)
}

# Rate ratios and models of the next event.
d$thiotepa <- as.integer(d$arm == 2)
d$pyridoxine <- as.integer(d$arm == 1)
d <- do.call(rbind, lapply(split(d, d$id), function(p) {
  p$nth <- 1 + cumsum(c(0, p$event[-nrow(p)]))
  p$since <- 0
  for (i in seq_len(nrow(p))[-1]) p$since[i] <- if (p$event[i - 1] == 1) p$stop[i - 1] else p$since[i - 1]
  p
}))
d$large <- as.integer(d$size > 1)
d$nth4 <- pmin(d$nth, 4)
for (ties in c("efron", "breslow")) {
  put_cox(paste0("rate.", ties), coxph(Surv(start, stop, event) ~ thiotepa + pyridoxine + number, d, cluster = id, ties = ties))
  put_cox(paste0("rate_pair.", ties), coxph(
    Surv(start, stop, event) ~ thiotepa + pyridoxine + number + strata(large), d, cluster = pair, ties = ties
  ))
  put_cox(paste0("total.", ties), coxph(
    Surv(start, stop, event) ~ thiotepa + pyridoxine + number + strata(nth4, large), d, cluster = pair, ties = ties
  ))
  put_cox(paste0("gap.", ties), coxph(
    Surv(start - since, stop - since, event) ~ thiotepa + pyridoxine + number + strata(nth4), d, cluster = id, ties = ties
  ))
}
# Proportional means until death (Ghosh & Lin 2002): who dies stays at risk with weight G(t-) / G(D-), one row for each
# event time. G is survfit's curve of censoring; deaths come before censorings of the same day.
means <- function(d) {
  last <- d[!duplicated(d$id, fromLast = TRUE), ]
  censoring <- survfit(Surv(stop + 0.25 * (1 - death), 1 - death) ~ 1, last, weights = weight, se.fit = FALSE)
  before <- function(t) at(t, censoring$time, censoring$surv, 1)
  when <- sort(unique(d$stop[d$event == 1]))
  after <- do.call(rbind, lapply(which(last$death == 1), function(i) {
    to <- when[when > last$stop[i]]
    if (!length(to)) return(NULL)
    more <- last[rep(i, length(to)), ]
    more$start <- c(last$stop[i], to[-length(to)])
    more$stop <- to
    more$event <- 0
    more$weight <- last$weight[i] * before(to) / before(last$stop[i])
    more
  }))
  coef(coxph(
    Surv(start, stop, event) ~ thiotepa + pyridoxine + number + strata(stratum), rbind(d, after), weights = weight,
    ties = "breslow", control = coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 50)
  ))
}
plain <- transform(d, weight = 1, stratum = 0)
for (name in c("means", "means_strata")) {
  if (name == "means_strata") plain$stratum <- plain$large
  u <- influence(plain, means)
  put(paste0(name, ".coef"), means(plain))
  put(paste0(name, ".se_patient"), sqrt(colSums(u^2)))
  put(paste0(name, ".se_pair"), sqrt(colSums(by_pair(plain, u)^2)))
}
write.csv(do.call(rbind, out), "expected.csv", row.names = FALSE, quote = FALSE)
