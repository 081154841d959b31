# Cox models, tests of proportional hazards, hazard ratios that change with time, and gamma frailties by R `survival`.
# Run beside the folders hazards_*: Rscript hazards_reference.R [NAME ...]. Each folder holds input.csv with the columns
# start (absent: at risk from the origin), stop, event, x1 ... xp, cluster, stratum and weight (absent: none), written
# here from data sets of the package, and expected.csv: quantity, position (matrices row by row), value.
library(survival)

arm <- function(x) as.integer(factor(x)) - 1
data_sets <- list(
  aml = function() with(aml, data.frame(stop = time, event = status, x1 = arm(x), cluster = seq_along(time))),
  bladder1 = function() {
    d <- bladder1[bladder1$stop > bladder1$start & bladder1$treatment != "pyridoxine", ]
    with(d, data.frame(start, stop, event = as.integer(status == 1), x1 = arm(treatment == "thiotepa"), x2 = number,
                       x3 = size, cluster = id))
  },
  bladder2 = function() {
    with(bladder2, data.frame(start, stop, event, x1 = rx - 1, x2 = number, x3 = size, cluster = id, stratum = enum))
  },
  cgd = function() {
    with(cgd, data.frame(start = tstart, stop = tstop, event = status, x1 = arm(treat == "rIFN-g"), x2 = age,
                         cluster = id))
  },
  colon = function() {
    d <- colon[!is.na(colon$nodes) & colon$study == 1, ]
    with(d, data.frame(stop = time, event = status, x1 = arm(rx == "Lev+5FU"), x2 = arm(rx == "Lev"), x3 = node4,
                       x4 = extent, cluster = id, stratum = etype))
  },
  diabetic = function() {
    with(diabetic, data.frame(stop = time, event = status, x1 = trt, x2 = risk, x3 = age / 10, cluster = id))
  },
  heart = function() {
    with(heart, data.frame(start, stop, event, x1 = arm(transplant), x2 = age, x3 = year, cluster = id,
                           stratum = surgery))
  },
  kidney = function() with(kidney, data.frame(stop = time, event = status, x1 = sex - 1, x2 = age / 10, cluster = id)),
  lung = function() {
    d <- lung[!is.na(lung$inst) & !is.na(lung$ph.ecog), ]
    with(d, data.frame(stop = time, event = status - 1, x1 = sex - 1, x2 = age / 10, x3 = ph.ecog, cluster = inst))
  },
  myeloid = function() {
    with(myeloid, data.frame(stop = ceiling(futime / 30), event = death, x1 = arm(trt), x2 = arm(sex),
                             cluster = (id + 1) %/% 2, weight = 1 + id %% 3))
  },
  nwtco = function() {
    d <- nwtco[seq_len(1500), ]
    with(d, data.frame(stop = ceiling(edrel / 30.4), event = rel, x1 = histol - 1, x2 = age / 12, x3 = arm(stage > 2),
                       cluster = (seqno + 2) %/% 3, stratum = study))
  },
  pbc = function() {
    d <- pbc[!is.na(pbc$trt), ]
    with(d, data.frame(start = floor(age * 52), stop = floor(age * 52) + ceiling(time / 7), event = as.integer(status == 2),
                       x1 = trt - 1, x2 = log(bili), x3 = edema, cluster = (id + 3) %/% 4, weight = 1 + (id %% 2) / 2))
  },
  rats = function() with(rats[rats$sex == "f", ], data.frame(stop = time, event = status, x1 = rx, cluster = litter)),
  retinopathy = function() {
    with(retinopathy, data.frame(stop = futime, event = status, x1 = trt, x2 = risk, x3 = arm(type), cluster = id))
  },
  veteran = function() {
    with(veteran, data.frame(stop = time, event = status, x1 = trt - 1, x2 = karno / 10, x3 = age / 10,
                             cluster = diagtime, stratum = arm(celltype)))
  }
)
# Splitting at every death time makes long tables, and a frailty per cluster large matrices.
over_time <- c("aml", "bladder2", "cgd", "diabetic", "heart", "kidney", "lung", "rats", "retinopathy", "veteran")
frailties <- c("bladder1", "cgd", "diabetic", "heart", "kidney", "lung", "rats", "retinopathy")
all_ties <- c("efron", "breslow")
tight <- coxph.control(eps = 1e-11, toler.chol = 1e-12, iter.max = 100, outer.max = 100)

covariates <- function(d) grep("^x[0-9]", names(d), value = TRUE)

fit <- function(d, terms, ties, ..., clustered = FALSE, iterate = TRUE) {
  late <- if (is.null(d$start)) "stop" else "start, stop"
  strata <- if (is.null(d$stratum)) "" else "+ strata(stratum)"
  weight <- if (is.null(d$weight)) rep(1, nrow(d)) else d$weight
  d$weight_of_row <- weight
  formula <- paste0("Surv(", late, ", event) ~ ", paste(terms, collapse = "+"), strata,
                    if (clustered) "+ cluster(cluster)")
  coxph(as.formula(formula), d, ties = ties, weights = weight_of_row, control = if (iterate) tight else coxph.control(iter.max = 0), ...)
}

cox_quantities <- function(f) {
  list(coef = f$coefficients, vcov_model = f$naive.var, vcov_robust = f$var, loglik = f$loglik, wald_robust = f$wald.test,
       score = f$score, score_robust = f$rscore)
}

# Rows at each death time, with x g(t) beside x.
at_deaths <- function(d, g) {
  if (is.null(d$start)) d$start <- 0
  long <- survSplit(Surv(start, stop, event) ~ ., d, cut = sort(unique(d$stop[d$event == 1])))
  for (x in covariates(d)) long[[paste0("g.", x)]] <- long[[x]] * g(long$stop)
  long
}

# Efficient score of x g(t) by cluster: its cross-product is the variance that is robust to clusters.
robust_zph <- function(d, f, g, ties) {
  x <- covariates(d)
  p <- length(x)
  centre <- mean(g(d$stop[d$event == 1]))
  long <- at_deaths(d, function(t) g(t) - centre)
  weight <- if (is.null(long$weight)) 1 else long$weight
  null <- suppressWarnings(fit(long, c(x, paste0("g.", x)), ties, init = c(coef(f), rep(0, p)), iterate = FALSE))
  information <- solve(null$var)
  own <- seq_len(p)
  score <- residuals(null, type = "score") * weight
  score <- score[, p + own, drop = FALSE] - score[, own, drop = FALSE] %*% solve(information[own, own], information[own, p + own])
  sums <- rowsum(score, long$cluster)
  u <- colSums(sums)
  c(u^2 / colSums(sums^2), drop(u %*% solve(crossprod(sums), u)))
}

effect <- function(f, q) {
  own <- seq_len(q)
  list(coef = f$coefficients[own], vcov_robust = f$var[own, own], loglik = f$loglik[2])
}

by_period <- function(d, ties) {
  cuts <- unname(quantile(d$stop[d$event == 1], c(1, 2) / 3, type = 1))
  if (is.null(d$start)) d$start <- min(0, d$stop) - 1
  long <- survSplit(Surv(start, stop, event) ~ ., d, cut = cuts, episode = "period")
  for (k in 1:3) long[[paste0("period", k)]] <- long$x1 * (long$period == k)
  f <- fit(long, c(paste0("period", 1:3), setdiff(covariates(d), "x1")), ties, clustered = TRUE)
  change <- rbind(c(-1, 1, 0), c(-1, 0, 1)) %*% f$coefficients[1:3]
  middle <- rbind(c(-1, 1, 0), c(-1, 0, 1)) %*% f$var[1:3, 1:3] %*% rbind(c(-1, -1), diag(2))
  c(effect(f, 3), list(equality = drop(t(change) %*% solve(middle, change)), cuts = cuts))
}

over_all_times <- function(d, g, ties) {
  f <- fit(at_deaths(d, g), c("x1", "g.x1", setdiff(covariates(d), "x1")), ties, clustered = TRUE)
  effect(f, 2)
}

# The likelihood of theta is searched by `optimize`, because the package stops when the likelihood changes little.
frailty_quantities <- function(d, ties) {
  given <- function(theta) {
    d$theta_is <- theta
    term <- paste0("frailty(cluster, distribution = 'gamma', theta = ", format(theta, digits = 17), ", sparse = FALSE)")
    fit(d, c(covariates(d), term), ties)
  }
  profile <- function(theta) if (theta < 1e-7) fit(d, covariates(d), ties)$loglik[2] else given(theta)$history[[1]]$c.loglik
  em <- fit(d, c(covariates(d), "frailty(cluster, distribution = 'gamma', eps = 1e-10)"), ties)$history[[1]]$theta
  without <- profile(0)
  p <- seq_along(covariates(d))
  theta <- optimize(profile, if (em < 1e-3) c(1e-6, 0.1) else em * c(0.8, 1.25), maximum = TRUE, tol = 1e-9)$maximum
  if (profile(theta) <= without + 1e-8) return(list(theta = 0, loglik = without))
  f <- given(theta)
  highest <- profile(theta)
  below <- function(t) profile(t) - highest + qchisq(0.95, 1) / 2
  low <- if (below(0) >= 0) 0 else uniroot(below, c(1e-7, theta), tol = 1e-9)$root
  high <- uniroot(below, c(theta, 2 * theta + 0.5), extendInt = "downX", tol = 1e-9)$root
  list(theta = theta, theta_em = em, loglik = c(without, highest), theta_limits = c(low, high), coef = f$coefficients[p],
       vcov = f$var[p, p], log_frailty = f$coefficients[-p])
}

reference <- function(name) {
  d <- data_sets[[name]]()
  dir.create(paste0("hazards_", name), showWarnings = FALSE)
  write.csv(d, file.path(paste0("hazards_", name), "input.csv"), row.names = FALSE, quote = FALSE)
  out <- list()
  put <- function(prefix, quantities) {
    for (key in names(quantities)) {
      x <- quantities[[key]]
      x <- if (is.matrix(x)) as.vector(t(x)) else as.vector(x)
      out[[length(out) + 1]] <<- data.frame(quantity = paste0(prefix, ".", key), index = seq_along(x) - 1,
                                            value = format(x, digits = 17, trim = TRUE))
    }
  }
  for (ties in all_ties) {
    f <- fit(d, covariates(d), ties, clustered = TRUE)
    put(paste0("cox.", ties), cox_quantities(f))
    zph <- lapply(c(identity = "identity", log = "log", rank = "rank", km = "km"), function(transform) {
      cox.zph(f, transform = transform, terms = FALSE)$table[, "chisq"]
    })
    put(paste0("zph.", ties), zph)
    put(paste0("period.", ties), by_period(d, ties))
    if (name %in% over_time) {
      put(paste0("zph_robust.", ties), list(identity = robust_zph(d, f, identity, ties), log = robust_zph(d, f, log, ties)))
      put(paste0("over_time.", ties, ".identity"), over_all_times(d, identity, ties))
      put(paste0("over_time.", ties, ".log"), over_all_times(d, log, ties))
    }
    if (name %in% frailties) put(paste0("frailty.", ties), frailty_quantities(d, ties))
  }
  write.csv(do.call(rbind, out), file.path(paste0("hazards_", name), "expected.csv"), row.names = FALSE, quote = FALSE)
}

wanted <- commandArgs(TRUE)
for (name in if (length(wanted)) wanted else names(data_sets)) reference(name)
