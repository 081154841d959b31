# Recruitment still to come from sites with Poisson rates that are gamma: by summing over the rates of the sites, without the
# negative binomial or Pearson VI distribution. Usage: Rscript script.R
given <- read.csv("input.csv", stringsAsFactors = FALSE)

# Points of log(rate) and their weights, by the trapezoidal rule, which converges geometrically for such densities.
grid <- function(shape, exposure, n) {
  height <- function(x) shape * x - exposure * exp(x)
  top <- log(shape / exposure)
  edge <- function(far) uniroot(function(x) height(x) - height(top) + 36, top + sort(c(0, far)))$root
  x <- seq(edge(-200), edge(5), length.out = n)
  weight <- exp(height(x) - height(top))
  list(rate = exp(x), weight = weight / sum(weight))
}
total <- function(sites) Reduce(function(a, b) list(
  rate = as.vector(outer(a$rate, b$rate, "+")), weight = as.vector(outer(a$weight, b$weight))), sites)

rows <- list()
for (case in unique(given$case)) {
  here <- given[given$case == case, ]
  at <- here[1, ]
  shape <- here$recruited + here$prior_shape
  rates <- total(Map(grid, shape, here$exposure, if (nrow(here) > 2) 130 else 240))
  reach <- function(n, time) sum(rates$weight * ppois(n - 1, rates$rate * time, lower.tail = FALSE))
  shares <- c(median = 0.5, low = (1 - at$level) / 2, high = (1 + at$level) / 2)
  middle <- at$wanted / sum(shape / here$exposure)
  time <- vapply(shares, function(p) exp(uniroot(
    function(x) reach(at$wanted, exp(x)) - p, log(middle) + c(-4, 4), tol = 1e-10)$root), 0)
  # The smallest number n with so much up to it: halved between none and many.
  number <- vapply(shares, function(p) {
    low <- -1
    high <- 4096
    while (high - low > 1) {
      n <- (low + high) %/% 2
      if (1 - reach(n + 1, at$horizon) >= p) high <- n else low <- n
    }
    high
  }, 0)
  found <- c(time, number, reach(at$wanted, at$horizon))
  names <- c(paste0("time_", names(shares)), paste0("number_", names(shares)), "chance")
  rows[[case]] <- data.frame(case = case, quantity = names, value = sprintf("%.12g", found))
}
write.csv(do.call(rbind, rows), "expected.csv", row.names = FALSE, quote = FALSE)
