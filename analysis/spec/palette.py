"""Colours of the arms. An open figure may hold none of them."""

# After Okabe & Ito (2008), told apart with common colour vision deficiencies, and in grey by their dashes;
# darkened until words in them can be read on white.
ARM_COLOURS = ("#0072B2", "#BD5200", "#00795A", "#9C4F80")
