library(survival)
# Differences between arms and ratios of every curve, family-robust. `residuals` gives the influence of each patient; families of
# two patients are artificial and span the arms.
d <- read.csv("input.csv")
out <- list()
put <- function(name, x) {
  x <- if (is.matrix(x)) as.vector(t(x)) else as.vector(x)
  out[[length(out) + 1]] <<- data.frame(quantity = name, index = seq_along(x) - 1, value = format(x, digits = 17, trim = TRUE))
}
times <- c(180, 365, 730)
flat <- function(x) if (length(dim(x)) == 3) matrix(aperm(x, c(1, 3, 2)), nrow = dim(x)[1]) else as.matrix(x)
robust <- function(x, family) sqrt(colSums(rowsum(x, family)^2))

contrast <- function(name, estimates, residuals, families) {
  put(paste0(name, ".arms"), do.call(rbind, estimates))
  put(paste0(name, ".difference"), estimates[[2]] - estimates[[1]])
  put(paste0(name, ".difference_se"), robust(rbind(-residuals[[1]], residuals[[2]]), unlist(families)))
  scaled <- Map(function(r, e) r / rep(e, each = nrow(r)), residuals, estimates)
  se <- robust(rbind(-scaled[[1]], scaled[[2]]), unlist(families))
  ratio <- estimates[[2]] / estimates[[1]]
  put(paste0(name, ".ratio"), ratio)
  put(paste0(name, ".ratio_limits"), cbind(ratio * exp(-qnorm(0.975) * se), ratio * exp(qnorm(0.975) * se)))
}
# fit: the curve of some rows; families: one label per subject; states: which states are compared.
compare <- function(name, data, fit, families, states = NULL) {
  arms <- lapply(0:1, function(a) data[data$arm == a, ])
  fits <- lapply(arms, fit)
  families <- lapply(arms, families)
  pick <- function(x) if (is.null(states)) flat(x) else flat(x[, , states, drop = FALSE])
  height <- lapply(fits, function(f) {
    s <- summary(f, times = times)
    if (is.null(states)) s$surv else as.vector(t(s$pstate[, states]))
  })
  area <- lapply(fits, function(f) unlist(lapply(times, function(t) {
    table <- summary(f, rmean = t)$table
    if (is.null(states)) table[["rmean"]] else table[states, "rmean"]
  })))
  contrast(paste0(name, ".probability"), height, lapply(fits, function(f) pick(residuals(f, times = times, type = "pstate"))), families)
  contrast(paste0(name, ".time"), area, lapply(fits, function(f) pick(residuals(f, times = times, type = "auc"))), families)
}

first <- d[!duplicated(d$id), ]
of_rows <- function(x) x$family
# do.call: the fit must carry its data, for `residuals` to find them.
curve <- function(formula, x, ...) do.call("survfit", list(formula, data = x, ...))
compare("survival", first, function(x) curve(Surv(futime, death) ~ 1, x), of_rows)
first$state <- factor(first$cause, 0:2, c("censored", "response", "death"))
compare("incidence", first, function(x) curve(Surv(first, state) ~ 1, x, id = x$id), of_rows, 2:3)
d$state <- factor(d$target, c(-1, 1:2), c("censored", "response", "death"))
d$current <- factor(d$source, 0:2, c("(s0)", "response", "death"))
compare("occupation", d, function(x) curve(Surv(start, stop, state) ~ 1, x, id = x$id, istate = x$current),
        function(x) x$family[!duplicated(x$id)], 1:3)

for (kind in c("plain", "log", "log-log", "arcsin")) {
  s <- summary(survfit(Surv(futime, death) ~ 1, first, cluster = family, conf.type = kind), times = times)
  put(paste0("survival.", kind, ".limits"), cbind(s$lower, s$upper))
}
median <- quantile(survfit(Surv(futime, death) ~ 1, first, cluster = family, conf.type = "arcsin"), 0.5)
put("survival.arcsin.median", unlist(median))
write.csv(do.call(rbind, out), "expected.csv", row.names = FALSE, quote = FALSE)
