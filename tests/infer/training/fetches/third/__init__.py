"""A third set of styles, written in one sitting before any was ranked; measured untouched first (see CHANGES)."""
