"""Nets that choose actions."""
