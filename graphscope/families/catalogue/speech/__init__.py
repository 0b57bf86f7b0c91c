"""Nets that hear and speak."""
