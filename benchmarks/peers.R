# R's side of the table. Usage: Rscript peers.R FOLDER PROGRAM:DATA ... ; FOLDER/DATA.bin holds doubles, column by
# column, and FOLDER/DATA.txt the names of the columns. Prints one line per program: its name, its data, the median
# seconds of one unit of work (or "skipped"), and what did it.
argv <- commandArgs(TRUE)

read_table <- function(name) {
  columns <- readLines(file.path(argv[1], paste0(name, ".txt")))
  path <- file.path(argv[1], paste0(name, ".bin"))
  values <- readBin(path, "double", file.size(path) / 8)
  table <- as.data.frame(matrix(values, ncol = length(columns), dimnames = list(NULL, columns)))
  # Factors are made before the clock starts.
  for (label in intersect(c("family", "subject", "visit", "region"), columns)) table[[label]] <- factor(table[[label]])
  table
}

median_seconds <- function(work, repeats) {
  median(vapply(seq_len(repeats), function(i) system.time(work())[["elapsed"]], 0))
}

with_causes <- function(d) {
  d$cause <- factor(d$cause)
  d$child <- seq_len(nrow(d))
  d
}

# Seconds for one bootstrap sample of families and what is estimated from it.
of_draws <- function(d, estimate) {
  children <- split(seq_len(nrow(d)), d$family)
  set.seed(1)
  work <- function() for (i in 1:20) estimate(d[unlist(children[sample(length(children), replace = TRUE)]), ])
  median_seconds(work, 7) / 20
}

trial_model <- y ~ arm + site + age + sex + base + (1 | family)

programs <- list(
  lmertest = list("lmerTest", function(d) {
    library(pbkrtest)
    median_seconds(function() summary(lmerTest::lmer(trial_model, d), ddf = "Kenward-Roger"), 7)
  }),
  refit = list("lme4", function(d) {
    fit <- lme4::lmer(trial_model, d)
    set.seed(1)
    responses <- simulate(fit, 50)
    median_seconds(function() for (y in responses) lme4::refit(fit, y), 3) / 50
  }),
  lmer = list("lme4", function(d) {
    median_seconds(function() lme4::lmer(y ~ arm + x + z + w + (1 | family), d), 1)
  }),
  mmrm = list("mmrm", function(d) {
    formula <- y ~ arm * visit + sex + region + us(visit | subject)
    median_seconds(function() summary(mmrm::mmrm(formula, d, method = "Kenward-Roger")), 7)
  }),
  gls = list("nlme", function(d) {
    d$place <- as.integer(d$visit)
    median_seconds(function() {
      nlme::gls(
        y ~ arm * visit + sex + region, d,
        correlation = nlme::corSymm(form = ~ place | subject), weights = nlme::varIdent(form = ~ 1 | visit)
      )
    }, 5)
  }),
  coxph = list("survival", function(d) {
    library(survival)
    work <- function() for (i in 1:20) coxph(Surv(time, cause > 0) ~ arm + site + age + cluster(family), d)
    median_seconds(work, 7) / 20
  }),
  coxph_arm = list("survival", function(d) {
    library(survival)
    work <- function() for (i in 1:20) coxph(Surv(time, cause > 0) ~ arm + strata(site) + cluster(family), d)
    median_seconds(work, 7) / 20
  }),
  coxph_naive = list("survival", function(d) {
    library(survival)
    median_seconds(function() coxph(Surv(time, cause > 0) ~ arm + strata(site), d), 1)
  }),
  coxph_draw = list("survival", function(d) {
    library(survival)
    set.seed(1)
    rows <- split(seq_len(nrow(d)), d$family)
    work <- function() {
      for (i in 1:50) {
        drawn <- unlist(rows[sample(length(rows), replace = TRUE)])
        coxph(Surv(time, cause > 0) ~ arm + strata(site), d[drawn, ])
      }
    }
    median_seconds(work, 3) / 50
  }),
  zph = list("survival", function(d) {
    library(survival)
    f <- coxph(Surv(time, cause > 0) ~ arm + strata(site) + cluster(family), d)
    median_seconds(function() for (i in 1:20) cox.zph(f), 7) / 20
  }),
  frailty = list("survival", function(d) {
    library(survival)
    term <- Surv(time, cause > 0) ~ arm + strata(site) + frailty(family, distribution = "gamma", sparse = FALSE)
    median_seconds(function() coxph(term, d), 1)
  }),
  survfit = list("survival", function(d) {
    library(survival)
    d <- with_causes(d)
    work <- function() for (i in 1:20) survfit(Surv(time, cause) ~ arm, d, id = child, cluster = family)
    median_seconds(work, 7) / 20
  }),
  survfit_once = list("survival", function(d) {
    library(survival)
    d <- with_causes(d)
    median_seconds(function() survfit(Surv(time, cause) ~ arm, d, id = child), 1)
  }),
  survfit_draw = list("survival", function(d) {
    library(survival)
    of_draws(with_causes(d), function(drawn) survfit(Surv(time, cause) ~ arm, drawn, se.fit = FALSE))
  }),
  both_draw = list("survival", function(d) {
    library(survival)
    of_draws(with_causes(d), function(drawn) {
      coxph(Surv(time, cause != "0") ~ arm + site + age, drawn)
      survfit(Surv(time, cause) ~ arm, drawn, se.fit = FALSE)
    })
  }),
  cuminc = list("cmprsk", function(d) {
    median_seconds(function() cmprsk::cuminc(d$time, d$cause, d$arm), 5)
  }),
  crr = list("cmprsk", function(d) {
    X <- as.matrix(d[, c("arm", "site", "age")])
    median_seconds(function() cmprsk::crr(d$time, d$cause, X), if (nrow(d) > 5000) 1 else 5)
  })
)
needs <- list(lmertest = c("lmerTest", "pbkrtest"))
# What a program leaves out.
without <- list(coxph_naive = " without cluster")
# Where a package is absent: the nearest program, and what it lacks.
instead <- list(mmrm = c("gls", "without Kenward-Roger"))

absent <- function(name) {
  packages <- unique(c(programs[[name]][[1]], needs[[name]]))
  packages[!vapply(packages, requireNamespace, TRUE, quietly = TRUE)]
}

timed <- function(name, data, remark = "") {
  lacking <- paste(absent(name), collapse = ", ")
  other <- instead[[name]]
  if (lacking != "" && !is.null(other)) {
    return(timed(other[1], data, paste0(" ", other[2], " (", lacking, " is not installed)")))
  }
  if (lacking != "") return(c("skipped", paste(lacking, "is not installed")))
  package <- programs[[name]][[1]]
  seconds <- suppressMessages(programs[[name]][[2]](read_table(data)))
  c(seconds, paste0(package, " ", packageVersion(package), remark, without[[name]]))
}

cat("R", paste(R.version$major, R.version$minor, sep = "."), "\n", sep = "\t")
for (each in strsplit(argv[-1], ":")) {
  cat(paste(c(each, timed(each[1], each[2])), collapse = "\t"), "\n", sep = "")
}
