"""Sphinx: the manual is README.rst, the reference comes from the docstrings."""

import graphscope

project = "graphscope"
author = "The graphscope team"
release = graphscope.__version__
extensions = ["sphinx.ext.autodoc", "sphinx.ext.viewcode"]
autodoc_typehints = "description"
html_theme = "alabaster"
exclude_patterns = ["_build"]


def setup(app):
    """README's pictures lie in this folder, from which it is included."""
    app.connect("include-read", _beside)


def _beside(app, path, parent, content):
    content[0] = content[0].replace("image:: docs/", "image:: ")
