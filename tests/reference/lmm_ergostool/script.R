source("../lmm_reference.R")
two_level(cs = TRUE)
