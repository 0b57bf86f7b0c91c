"""Nets that read rows of a table."""
