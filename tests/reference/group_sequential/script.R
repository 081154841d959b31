# Boundaries, error spent, power, information and inference after a stop, by rpact. Run here: Rscript script.R
suppressMessages(library(rpact))
setLogLevel("DISABLED")

informations <- list(
  "0.5 1" = c(.5, 1), "0.5 0.75 1" = c(.5, .75, 1), "0.33 0.67 1" = c(1 / 3, 2 / 3, 1),
  "0.25 0.5 0.75 1" = c(.25, .5, .75, 1), "0.2 0.45 0.5 0.9 1" = c(.2, .45, .5, .9, 1), "1" = 1
)
spendings <- list(
  obrien_fleming = list(typeOfDesign = "asOF"), pocock = list(typeOfDesign = "asP"),
  "hwang_shih_decani -4" = list(typeOfDesign = "asHSD", gammaA = -4),
  "hwang_shih_decani 1" = list(typeOfDesign = "asHSD", gammaA = 1)
)
designs <- list()
for (rates in names(informations)) for (kind in names(spendings)) for (alpha in c(.025, .0125, .05)) for (sided in 1:2) {
  if (length(informations[[rates]]) == 1 && kind != "obrien_fleming") next
  rate <- informations[[rates]]
  made <- if (length(rate) == 1) getDesignGroupSequential(kMax = 1, alpha = alpha, sided = sided, beta = .1)
    else do.call(getDesignGroupSequential, c(list(informationRates = rate, alpha = alpha, sided = sided, beta = .1,
      twoSidedPower = sided == 2, tolerance = 1e-10), spendings[[kind]]))
  n <- 100
  power <- getPowerAndAverageSampleNumber(made, theta = c(0, .2, .35), nMax = n)$overallReject
  shift <- getDesignCharacteristics(made)$shift
  designs[[length(designs) + 1]] <- data.frame(
    rates = paste(format(rate, digits = 17), collapse = " "), kind = kind, alpha = alpha, sided = sided, stage = seq_along(rate),
    critical = made$criticalValues, spent = made$alphaSpent,
    power_0 = power[1], power_20 = power[2], power_35 = power[3], shift = shift)
}
write.csv(do.call(rbind, designs), "designs.csv", row.names = FALSE, quote = FALSE)

stops <- list()
for (kind in names(spendings)) {
  made <- do.call(getDesignGroupSequential, c(list(informationRates = c(.5, .75, 1), alpha = .025, tolerance = 1e-10), spendings[[kind]]))
  for (means in list(c(.62), c(.3, .85), c(.3, .4, .35), c(.1, .2, -.1))) {
    n <- c(24, 12, 12)[seq_along(means)]
    data <- getDataset(means = means, stDevs = rep(1, length(means)), n = n)
    planned <- c(24, 12, 12)[-seq_along(means)]
    stage <- length(means)
    result <- if (length(planned)) getAnalysisResults(made, data, normalApproximation = TRUE, nPlanned = planned, thetaH1 = .4, assumedStDev = 1)
      else getAnalysisResults(made, data, normalApproximation = TRUE)
    z <- result$.stageResults$overallTestStatistics[stage]
    sd <- result$.stageResults$overallStDevs[stage]
    power <- if (length(planned)) tail(result$conditionalPower, 1) else NA
    final <- if (is.na(result$finalStage)) rep(NA, 4) else c(result$finalConfidenceIntervalLowerBounds[stage],
      result$finalConfidenceIntervalUpperBounds[stage], result$medianUnbiasedEstimates[stage], result$finalPValues[stage])
    stops[[length(stops) + 1]] <- data.frame(kind = kind, stage = stage, z = z, sd = sd, conditional_power = power,
      low = final[1], high = final[2], estimate = final[3], p = final[4])
  }
}
write.csv(do.call(rbind, stops), "stops.csv", row.names = FALSE, quote = FALSE)
