# Orthodont with an unstructured covariance over the four ages; nlme's gls. Run in this folder: Rscript script.R
source("../lmm_reference.R")
data(Orthodont, package = "nlme")
d <- as.data.frame(Orthodont)
d <- d[-c(3, 17, 42, 80), ]                         # four visits not attended
input <- with(d, data.frame(y = distance, cluster = Subject, visit = age, age = age, male = as.integer(Sex == "Male"),
                            age_male = age * (Sex == "Male")))
write.csv(input, "input.csv", row.names = FALSE, quote = FALSE)
d <- read.csv("input.csv")
d$position <- match(d$visit, c(8, 10, 12, 14))
fit <- gls(y ~ age + male + age_male, d, correlation = corSymm(form = ~ position | cluster),
           weights = varIdent(form = ~ 1 | visit), control = glsControl(tolerance = 1e-13, msTol = 1e-15, maxIter = 500, msMaxIter = 500))
sd <- fit$sigma * c(1, coef(fit$modelStruct$varStruct, unconstrained = FALSE))
correlation <- diag(4)
correlation[lower.tri(correlation)] <- coef(fit$modelStruct$corStruct, unconstrained = FALSE)
correlation <- pmax(correlation, t(correlation))
write_expected(list(beta = coef(fit), se = sqrt(diag(fit$varBeta)), loglik = as.numeric(logLik(fit)),
                    theta = t(outer(sd, sd) * correlation)[lower.tri(correlation, diag = TRUE)]))
