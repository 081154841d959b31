source("../std_reference.R")
data(respiratory, package = "geepack")
d <- respiratory[-c(2, 3, 4, 40, 77, 133, 200, 201, 305), ]        # some visits not attended
write.csv(with(d, data.frame(event = outcome, arm = as.integer(treat == "A"), cluster = paste(center, id, sep = "-"),
                             centre_2 = as.integer(center == 2), age = age, baseline = baseline, male = as.integer(sex == "M"))),
          "input.csv", row.names = FALSE, quote = FALSE)
standardised()
