# Standardised risks by glm and plain matrix algebra in R. Sourced by script.R of the std_* folders; input.csv holds event, arm,
# cluster and the covariates. Also emmeans' counterfactual risks, which must be the same.
suppressMessages({library(emmeans)})
standardised <- function() {
  d <- read.csv("input.csv")
  terms <- setdiff(names(d), c("event", "cluster"))
  fit <- glm(reformulate(terms, "event"), binomial, d, epsilon = 1e-14, maxit = 100)
  X <- model.matrix(fit)
  p <- fitted(fit)
  w <- p * (1 - p)
  bread <- solve(crossprod(X, w * X))
  rows <- split(seq_len(nrow(d)), d$cluster)
  e <- numeric(nrow(d))
  for (i in rows) {
    s <- sqrt(w[i])
    H <- (s * X[i, , drop = FALSE]) %*% bread %*% t(s * X[i, , drop = FALSE])
    spectrum <- eigen(diag(length(i)) - H, symmetric = TRUE)
    root <- spectrum$vectors %*% diag(1 / sqrt(spectrum$values), length(i)) %*% t(spectrum$vectors)
    e[i] <- s * (root %*% ((d$event[i] - p[i]) / s))
  }
  risks <- sapply(c(1, 0), function(a) { d$arm <- a; predict(fit, d, type = "response") })
  influence <- sapply(1:2, function(k) {
    forced <- X
    forced[, "arm"] <- c(1, 0)[k]
    slope <- colMeans(risks[, k] * (1 - risks[, k]) * forced)
    (risks[, k] - mean(risks[, k])) / nrow(d) + e * (X %*% bread %*% slope)
  })
  V <- crossprod(rowsum(influence, d$cluster))
  r <- colMeans(risks)
  d$arm_factor <- d$arm
  check <- summary(emmeans(fit, ~ arm, at = list(arm = c(1, 0)), counterfactuals = "arm", type = "response"))
  stopifnot(all.equal(check[[2]], r, tolerance = 1e-8))
  g <- rbind(treated = c(1, 0), control = c(0, 1), difference = c(1, -1), log_ratio = c(1 / r[1], -1 / r[2]))
  values <- c(r, r[1] - r[2], log(r[1] / r[2]))
  se <- sqrt(diag(g %*% V %*% t(g)))
  out <- data.frame(quantity = rownames(g), value = sprintf("%.17g", values), se = sprintf("%.17g", se),
                    df = length(rows) - ncol(X))
  write.csv(out, "expected.csv", row.names = FALSE, quote = FALSE)
}
