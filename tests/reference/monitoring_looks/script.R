# Looks at unequal information: boundaries and power by rpact, chances from a look on and inference after a
# stop by rpact (one-sided) and from the normal law by mvtnorm (two-sided). Run here: Rscript script.R
suppressMessages({library(rpact); library(mvtnorm)})
setLogLevel("DISABLED")

alpha <- 0.05
maximum <- 1.7
kinds <- list(
  obrien_fleming = function(t) 2 * pnorm(qnorm(alpha / 4) / sqrt(t)),
  pocock = function(t) alpha / 2 * log(1 + (exp(1) - 1) * t)
)
# Information of the looks so far, the last of them final: short of the maximum, at it, and beyond it.
paths <- list(short = c(.43, .58, 1.45), at = c(.25, .52, 1.06, 1.7), beyond = c(.31, 1.2, 1.95), close = c(.9, 1.1, 1.45, 1.7))

# Probability of leaving between looks under a drift, by the joint normal law of z; region: list of limits.
joint <- function(information, lower, upper, drift) {
  k <- length(information)
  if (k == 1) return(pnorm(upper - drift * sqrt(information)) - pnorm(lower - drift * sqrt(information)))
  sigma <- outer(seq_len(k), seq_len(k), function(i, j) sqrt(information[pmin(i, j)] / information[pmax(i, j)]))
  mean <- drift * sqrt(information)
  as.numeric(pmvnorm(lower = lower, upper = upper, mean = mean, sigma = sigma, algorithm = Miwa(steps = 4097)))
}
# Of leaving at the last of these looks above (or below), having gone on before.
leaves <- function(information, bounds, drift, side) {
  k <- length(information)
  before <- bounds[-k]
  if (side > 0) joint(information, c(-before, bounds[k]), c(before, Inf), drift)
  else joint(information, c(-before, -Inf), c(before, -bounds[k]), drift)
}
more_extreme <- function(z, information, before, drift) {
  k <- length(information)
  above <- if (k > 1) sum(sapply(seq_len(k - 1), function(j) leaves(information[1:j], before[1:j], drift, 1))) else 0
  above + leaves(information, c(before, z), drift, 1)
}
drift_of <- function(p, z, information, before) {
  k <- length(information)
  reach <- 6 / sqrt(information[1])
  uniroot(function(d) more_extreme(z, information, before, d) - p, z / sqrt(information[k]) + c(-reach, reach), tol = 1e-10)$root
}

bounds <- list(); after <- list(); chances <- list()
options(warn = -1) # Miwa takes 1000 for infinity, and says so each time.
for (kind in names(kinds)) for (name in names(paths)) {
  information <- paths[[name]]
  k <- length(information)
  spent <- sapply(pmin(information / maximum, 1), kinds[[kind]])
  spent[k] <- alpha / 2
  made <- getDesignGroupSequential(kMax = k, alpha = alpha, sided = 2, informationRates = information / information[k],
    typeOfDesign = "asUser", userAlphaSpending = 2 * spent, tolerance = 1e-10)
  critical <- made$criticalValues
  reject <- getPowerAndAverageSampleNumber(made, theta = c(0, 1, 2.5), nMax = information[k])$overallReject
  bounds[[length(bounds) + 1]] <- data.frame(kind = kind, path = name, look = seq_len(k), information = information,
    spent = 2 * spent, critical = critical, power_0 = reject[1], power_1 = reject[2], power_2.5 = reject[3])
  # A stop at each look, above or below, and at the last without crossing.
  for (look in seq_len(k)) for (z in c(critical[look] + .2, -critical[look] - .1, if (look == k) .7)) {
    info <- information[seq_len(look)]
    before <- critical[seq_len(look - 1)]
    found <- sapply(c(.5, .025, .975), drift_of, z = z, information = info, before = before)
    p <- more_extreme(z, info, before, 0)
    after[[length(after) + 1]] <- data.frame(kind = kind, path = name, look = look, z = z, estimate = found[1],
      low = found[2], high = found[3], p = p)
  }
  # From look 1 on: the score to come is normal around the score now, with the drift; or with its predictive law.
  z <- -0.9
  s <- z * sqrt(information[1])
  to_come <- information[-1]
  edge <- critical[-1] * sqrt(to_come)
  for (drift in c("trend", "design", "none", "predictive")) {
    d <- switch(drift, trend = z / sqrt(information[1]), design = -2.5, none = 0, predictive = z / sqrt(information[1]))
    gained <- to_come - information[1]
    sigma <- outer(gained, gained, pmin)
    if (drift == "predictive") sigma <- sigma + outer(gained, gained) / information[1]
    mean <- s + d * gained
    one <- function(j, side) {
      low <- -edge[seq_len(j)]; high <- edge[seq_len(j)]
      if (side > 0) { low[j] <- edge[j]; high[j] <- Inf } else { high[j] <- -edge[j]; low[j] <- -Inf }
      if (j == 1) return(diff(pnorm((c(low, high) - mean[1]) / sqrt(sigma[1, 1]))))
      as.numeric(pmvnorm(lower = low, upper = high, mean = mean[1:j], sigma = sigma[1:j, 1:j], algorithm = Miwa(steps = 4097)))
    }
    chances[[length(chances) + 1]] <- data.frame(kind = kind, path = name, z = z, drift = drift,
      above = sum(sapply(seq_along(edge), one, side = 1)), below = sum(sapply(seq_along(edge), one, side = -1)))
  }
}
write.csv(do.call(rbind, bounds), "bounds.csv", row.names = FALSE, quote = FALSE)
write.csv(do.call(rbind, after), "after.csv", row.names = FALSE, quote = FALSE)
write.csv(do.call(rbind, chances), "chances.csv", row.names = FALSE, quote = FALSE)

# The same after a stop by rpact, which has it one-sided: a sample of means with standard deviation 1.
stops <- list()
n <- c(21, 40, 64)
for (kind in c("asOF", "asP")) {
  made <- getDesignGroupSequential(informationRates = n / n[3], alpha = .025, typeOfDesign = kind, tolerance = 1e-10)
  for (means in list(c(.7), c(.3, .75), c(.3, .35, .4), c(.1, .2, -.1))) {
    data <- getDataset(means = means, stDevs = rep(1, length(means)), n = diff(c(0, n))[seq_along(means)])
    found <- getAnalysisResults(made, data, normalApproximation = TRUE)
    look <- length(means)
    if (is.na(found$finalStage)) next
    stops[[length(stops) + 1]] <- data.frame(kind = kind, look = look, z = found$.stageResults$overallTestStatistics[look],
      sd = found$.stageResults$overallStDevs[look], estimate = found$medianUnbiasedEstimates[look],
      low = found$finalConfidenceIntervalLowerBounds[look], high = found$finalConfidenceIntervalUpperBounds[look],
      p = found$finalPValues[look])
  }
}
write.csv(do.call(rbind, stops), "stops.csv", row.names = FALSE, quote = FALSE)

# The design of the plan: squared drift with power 0.9 at its planned fractions, two-sided.
planned <- getDesignGroupSequential(informationRates = c(.06, .31, .62, 1), alpha = .05, sided = 2, beta = .1,
  typeOfDesign = "asOF", twoSidedPower = TRUE, tolerance = 1e-10)
write.csv(data.frame(critical = planned$criticalValues, shift = getDesignCharacteristics(planned)$shift),
  "plan.csv", row.names = FALSE, quote = FALSE)
