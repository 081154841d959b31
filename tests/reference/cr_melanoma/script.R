source("../cr_reference.R")
competing_risks()
