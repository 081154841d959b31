# Residuals, leverage and deletion of clusters at the fitted covariance, by lme4 and nlme.
source("../lmm_reference.R")

numbers <- list()
note <- function(name, quantity, value)
  numbers[[length(numbers) + 1]] <<- data.frame(data = name, quantity = quantity, index = seq_along(c(t(value))) - 1,
                                                value = sprintf("%.17g", c(t(value))))

# Coefficients without a cluster, the relative standard deviations held.
without <- function(formula, data, theta, cluster) {
  control <- lmerControl(optimizer = NULL, calc.derivs = FALSE, check.conv.singular = "ignore")
  fixef(suppressWarnings(lme4::lmer(formula, data[data$cluster != cluster, ], start = theta, control = control)))
}

diagnose <- function(name) {
  data <- read.csv(file.path("..", paste0("lmm_", name), "input.csv"))
  data$cluster <- factor(data$cluster)
  fixed <- reformulate(setdiff(names(data), c("y", "cluster", "subject")), "y")
  formula <- update(fixed, . ~ . + (1 | cluster))
  if ("subject" %in% names(data)) {
    data$pair <- interaction(data$cluster, data$subject)
    formula <- update(formula, . ~ . + (1 | pair))
  }
  fit <- polish(formula, data)
  note(name, "marginal", data$y - as.vector(getME(fit, "X") %*% fixef(fit)))
  note(name, "conditional", residuals(fit))
  note(name, "leverage_conditional", hatvalues(fit))
  # Clusters in the order of their labels as text, as a factor may not have them.
  labels <- sort(as.character(unique(data$cluster)), method = "radix")
  moved <- t(sapply(labels, function(each) fixef(fit) - without(formula, data, getME(fit, "theta"), each)))
  note(name, "dfbeta", moved)
  note(name, "cook", apply(moved, 1, function(d) sum(d * solve(as.matrix(vcov(fit)), d))) / length(fixef(fit)))
  if (!"pair" %in% names(data)) {
    variance <- as.data.frame(VarCorr(fit))$vcov
    held <- corCompSymm(variance[1] / sum(variance), form = ~ 1 | cluster, fixed = TRUE)
    # nlme's normalized residuals are right only if the rows of a cluster stand together.
    together <- data[order(data$cluster), ]
    squares <- residuals(gls(fixed, together, correlation = held, method = "REML"), type = "normalized")^2
    note(name, "scaled_squares", tapply(squares, as.character(together$cluster), sum)[labels])
  }
  # lme4's own distance refits the covariance without the cluster: another quantity, kept to show how far it is.
  again <- suppressMessages(do.call(lme4::lmer, list(formula, data)))
  refitted <- suppressWarnings(suppressMessages(influence(again, groups = "cluster", data = data)))
  note(name, "cook_refitted", cooks.distance(refitted)[match(labels, rownames(refitted[["fixed.effects[-cluster]"]]))])
}

for (name in c("dyestuff2", "ergostool", "machines", "mathachieve", "orthodont", "pastes", "sleep")) diagnose(name)
write.csv(do.call(rbind, numbers), "expected.csv", row.names = FALSE, quote = FALSE)
