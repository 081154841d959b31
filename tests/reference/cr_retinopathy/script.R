# No competing event: the subdistribution hazard is the hazard, and survival's robust variance by patient is a reference for ours.
source("../cr_reference.R")
d <- read.csv("input.csv")
put_gray("gray", cuminc(d$time, d$cause, d$group)$Tests)
put_gray("gray_strata", cuminc(d$time, d$cause, d$group, d$stratum)$Tests)
put_crr("crr", d, as.matrix(d[, c("trt", "risk")]))
for (strata in c("", " + strata(stratum)")) {
  name <- if (strata == "") "coxph" else "coxph_strata"
  model <- paste0("Surv(time, cause) ~ trt + risk", strata)
  f <- coxph(as.formula(model), d, cluster = family, ties = "breslow", control = tight)
  put_coxph(name, f)
  put(paste0(name, ".vcov_robust"), f$var)
  f <- coxph(as.formula(paste0("Surv(time, cause) ~ trt", strata)), d, cluster = family, ties = "breslow", control = tight)
  put(paste0(name, ".gray_robust"), f$rscore)
}
write_out()
