"""A fifth set: graphs rebuilt from forty-eight repositories' training code, measured once before any answer was seen."""
