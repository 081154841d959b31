"""The leakage gate: what is open is read once more, as files, before it is handed over."""
