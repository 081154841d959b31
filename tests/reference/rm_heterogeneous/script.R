# Orthodont with both variances of their own for each sex; nlme's lme. Run in this folder: Rscript script.R
source("../lmm_reference.R")
data(Orthodont, package = "nlme")
input <- with(as.data.frame(Orthodont), data.frame(y = distance, cluster = Subject, group = Sex, age = age,
                                                   male = as.integer(Sex == "Male"), age_male = age * (Sex == "Male")))
write.csv(input, "input.csv", row.names = FALSE, quote = FALSE)
d <- read.csv("input.csv")
d$f <- as.integer(d$group == "Female"); d$m <- 1 - d$f
fit <- lme(y ~ age + male + age_male, d, random = list(cluster = pdDiag(~ f + m - 1)), weights = varIdent(form = ~ 1 | group),
           control = lmeControl(tolerance = 1e-12, msTol = 1e-14, maxIter = 500, msMaxIter = 500))
between <- fit$sigma^2 * diag(as.matrix(fit$modelStruct$reStruct[[1]]))[c("f", "m")]
weight <- c(coef(fit$modelStruct$varStruct, unconstrained = FALSE, allCoef = TRUE))
within <- (fit$sigma * weight[c("Female", "Male")])^2
write_expected(list(beta = fixef(fit), se = sqrt(diag(fit$varFix)), loglik = as.numeric(logLik(fit)),
                    theta = c(between[1], within[1], between[2], within[2])))
