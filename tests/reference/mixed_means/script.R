# Estimated marginal means by emmeans with Kenward-Roger errors and degrees of freedom.
source("../lmm_reference.R")
suppressMessages(library(emmeans))

means <- function(name, quantity, fit, specs, ...) {
  table <- as.data.frame(summary(emmeans(fit, specs, lmer.df = "kenward-roger", ...), infer = c(TRUE, FALSE)))
  long <- lapply(c("emmean", "SE", "df", "lower.CL", "upper.CL"), function(column)
    data.frame(data = name, mean = quantity, index = seq_len(nrow(table)) - 1, part = column, value = table[[column]]))
  do.call(rbind, long)
}

pupils <- read.csv("../lmm_mathachieve/input.csv")
for (name in c("cluster", "catholic", "female")) pupils[[name]] <- factor(pupils[[name]])
pupils_fit <- polish(y ~ catholic + mean_ses + female + ses + (1 | cluster), pupils)

chicks <- read.csv("../lmm_chickweight/input.csv")
chicks$diet <- factor(with(chicks, 1 + diet_2 + 2 * diet_3 + 3 * diet_4))
chicks_fit <- polish(y ~ diet + time + (1 | cluster), chicks)

jaws <- read.csv("../lmm_orthodont/input.csv")
jaws$male <- factor(jaws$male)
jaws_fit <- polish(y ~ age * male + (1 | cluster), jaws)

table <- rbind(
  means("mathachieve", "equal", pupils_fit, ~catholic, weights = "equal"),
  means("mathachieve", "observed", pupils_fit, ~catholic, weights = "proportional"),
  means("chickweight", "equal", chicks_fit, ~1, weights = "equal"),
  means("chickweight", "observed", chicks_fit, ~1, weights = "proportional"),
  means("orthodont", "at_mean_age", jaws_fit, ~male))
table$value <- sprintf("%.17g", table$value)
write.csv(table, "expected.csv", row.names = FALSE, quote = FALSE)
