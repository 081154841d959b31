# Independence estimating equations with weights 1 and one over the cluster's size, on the inputs of four lmm_* folders.
# Run in this folder: Rscript script.R . Writes expected.csv: data set, weights, quantity, index, value.
suppressMessages({library(clubSandwich); library(geepack)})
rows <- list()
for (name in c("mathachieve", "orthodont", "chickweight", "sleepstudy")) {
  d <- read.csv(file.path("..", paste0("lmm_", name), "input.csv"))
  d$cluster <- as.integer(factor(d$cluster, unique(d$cluster)))
  d <- d[order(d$cluster), ]
  terms <- setdiff(names(d), c("y", "cluster"))
  d$child <- 1
  d$family <- 1 / ave(d$y, d$cluster, FUN = length)
  for (weights in c("child", "family")) {
    d$w <- d[[weights]]
    fit <- lm(reformulate(terms, "y"), d, weights = w)
    cr2 <- vcovCR(fit, cluster = d$cluster, type = "CR2")
    test <- coef_test(fit, vcov = cr2, test = "Satterthwaite")
    plain <- vcovCR(fit, cluster = d$cluster, type = "CR0")
    gee <- geeglm(reformulate(terms, "y"), data = d, id = cluster, weights = w, corstr = "independence")
    # Two programs, one sandwich.
    stopifnot(all.equal(sqrt(diag(plain)), summary(gee)$coefficients[, "Std.err"], check.attributes = FALSE, tolerance = 1e-6))
    values <- list(beta = coef(fit), se_plain = sqrt(diag(plain)), se = test$SE, df = test$df_Satt, p = test$p_Satt)
    for (quantity in names(values)) for (k in seq_along(values[[quantity]]))
      rows[[length(rows) + 1]] <- data.frame(name, weights, quantity, index = k - 1, value = sprintf("%.17g", values[[quantity]][k]))
  }
}
write.csv(do.call(rbind, rows), "expected.csv", row.names = FALSE, quote = FALSE)
