"""Sphinx: the manual is README.rst, the reference comes from the docstrings."""

import graphscope

project = "graphscope"
author = "The graphscope team"
release = graphscope.__version__
extensions = ["sphinx.ext.autodoc", "sphinx.ext.viewcode"]
autodoc_typehints = "description"
html_theme = "alabaster"
exclude_patterns = ["_build"]
