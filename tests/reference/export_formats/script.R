# Files of Stata, SPSS and SAS as haven writes them, with missing values of several kinds, and the text that
# each cell stands for, written out by R itself.
#
#     Rscript tests/reference/export_formats/script.R
suppressMessages({
  library(haven)
  library(jsonlite)
})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
to <- function(name) file.path(here, name)

id <- c("F0001", "F0002", "", "Zo\u00eb", "F0005")
days <- as.Date(c("2019-02-28", NA, "1899-12-31", "2999-12-31", "2020-02-29"))
moments <- as.POSIXct(
  c("2019-02-28 23:59:58", NA, "1958-07-06 05:04:03", "2020-05-05 00:00:00", "2020-05-05 10:11:12"),
  tz = "UTC"
)
# 0.1 + 0.2 and 1/3 have no short text; 1e20 no exact one among whole numbers.
score <- c(0.1, 0.1 + 0.2, 1 / 3, 1e20, -7)

special <- function(first, last) {
  data.frame(
    id = id, item = c(1, tagged_na(first), NA, 2, tagged_na(last)), score = score, day = days, moment = moments
  )
}
stata <- special("a", "z")
stata$item <- labelled(stata$item, c(no = 1, yes = 2, refused = tagged_na("a")))
write_dta(stata, to("stata.dta"))

spss <- special("a", "z")
spss$item <- labelled_spss(c(1, 9, NA, 2, 8), c(no = 1, yes = 2, refused = 9), na_values = c(8, 9))
spss$score <- labelled_spss(c(score[1:4], -97), NULL, na_range = c(-99, -95))
spss$id <- labelled_spss(id, NULL, na_values = "F0005")
write_sav(spss, to("spss.sav"), compress = "none")
write_sav(spss, to("spss.zsav"), compress = "zsav")

sas <- special("A", "Z")
suppressWarnings(write_sas(sas, to("sas.sas7bdat")))
write_xpt(sas, to("sas5.xpt"), version = 5)
write_xpt(sas, to("sas8.xpt"), version = 8)

# Seventeen digits are exact; the reader of the expectation compares numbers, not their text.
number <- function(x) formatC(x, digits = 17, format = "g")
day <- function(x) ifelse(is.na(x), "", format(x, "%Y-%m-%d"))
moment <- function(x) sub("T00:00:00$", "", ifelse(is.na(x), "", format(x, "%Y-%m-%dT%H:%M:%S", tz = "UTC")))
rows <- function(item, score) {
  data.frame(id = id, item = item, score = number(score), day = day(days), moment = moment(moments))
}
expected <- list(
  stata = rows(c("1", ".a", "", "2", ".z"), score),
  spss = rows(c("1", "9", "", "2", "8"), c(score[1:4], -97)),
  sas = rows(c("1", ".A", "", "2", ".Z"), score)
)
write_json(expected, to("expected.json"), pretty = TRUE)
cat(R.version.string, "haven", as.character(packageVersion("haven")), "\n")
