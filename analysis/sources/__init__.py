import pandas as pd

# Frames share their columns until one is written to; the only way from pandas 3 on.
pd.options.mode.copy_on_write = True
