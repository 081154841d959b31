# Oxide with an unstructured covariance of the three sites of a wafer and an effect of the lot; nlme's lme.
source("../lmm_reference.R")
data(Oxide, package = "nlme")
input <- with(as.data.frame(Oxide)[-c(5, 31, 50), ],    # three sites not measured
              data.frame(y = Thickness, cluster = Lot, subject = Wafer, visit = Site, source_2 = as.integer(Source == "2"),
                         site_2 = as.integer(Site == "2"), site_3 = as.integer(Site == "3")))
write.csv(input, "input.csv", row.names = FALSE, quote = FALSE)
d <- read.csv("input.csv")
fit <- lme(y ~ source_2 + site_2 + site_3, d, random = ~ 1 | cluster, correlation = corSymm(form = ~ visit | cluster/subject),
           weights = varIdent(form = ~ 1 | visit),
           control = lmeControl(tolerance = 1e-12, msTol = 1e-14, maxIter = 500, msMaxIter = 500, opt = "optim", optimMethod = "BFGS"))
sd <- fit$sigma * c(1, coef(fit$modelStruct$varStruct, unconstrained = FALSE))
names(sd)[1] <- setdiff(c("1", "2", "3"), names(sd))
sd <- sd[c("1", "2", "3")]
correlation <- diag(3)
correlation[lower.tri(correlation)] <- coef(fit$modelStruct$corStruct, unconstrained = FALSE)
correlation <- pmax(correlation, t(correlation))
write_expected(list(beta = fixef(fit), se = sqrt(diag(fit$varFix)), loglik = as.numeric(logLik(fit)),
                    theta = c(t(outer(sd, sd) * correlation)[lower.tri(correlation, diag = TRUE)], fit$sigma^2 * as.matrix(fit$modelStruct$reStruct[[1]])[1, 1])))
