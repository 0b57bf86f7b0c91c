"""The text form that ``render/text.py`` writes, read."""

HEADER = "# graphscope graph "  # what its first line begins with
