"""A third set of styles, written in one sitting before any was ranked: untouched 35 of 47 first, 27 sets."""
