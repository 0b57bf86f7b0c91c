"""The eighth set: strangers' classes found by what they run, written down after the seventh was mended, before any was run."""
