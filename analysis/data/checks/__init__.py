"""Kinds of checks beyond one cell, by theme; `analysis.data.rules` has them all by name."""
