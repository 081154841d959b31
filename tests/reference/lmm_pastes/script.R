source("../lmm_reference.R")
three_level()
