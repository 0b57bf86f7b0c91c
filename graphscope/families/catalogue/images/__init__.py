"""Nets that draw images."""
