"""Nets that find things in images."""
