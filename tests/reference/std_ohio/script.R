source("../std_reference.R")
data(ohio, package = "geepack")
d <- ohio[ohio$id %% 2 == 0 & !(ohio$id %% 3 == 0 & ohio$age > -2), ]  # a third of the children seen once
write.csv(with(d, data.frame(event = resp, arm = smoke, cluster = id, age = age)), "input.csv", row.names = FALSE, quote = FALSE)
standardised()
