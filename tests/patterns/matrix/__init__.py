"""The spelling matrix: each layer of issue 6 as each ecosystem writes it; one module a column, see ``cell.py``."""
