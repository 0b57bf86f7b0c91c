"""Sphinx: prose from this folder, commands and their JSON keys from the program, the library from its docstrings."""

import sys
from pathlib import Path

from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

import graphscope  # noqa: E402

project = "graphscope"
author = "The graphscope team"
release = graphscope.__version__
extensions = ["sphinx.ext.autodoc", "sphinx.ext.viewcode", "myst_nb"]
autodoc_typehints = "description"
html_theme = "alabaster"
html_theme_options = {
    "description": "A decompiler for TensorFlow models",
    "page_width": "1100px",
    "fixed_sidebar": True,
}
html_css_files = ["guide.css"]
html_static_path = ["static"]
exclude_patterns = ["_build"]
smartquotes = False  # "--json" is two hyphens
nb_execution_mode = "off"  # the notebooks are stored with their outputs; tests/test_notebooks.py runs them
suppress_warnings = ["misc.highlighting_failure"]


class CommandPages(SphinxDirective):
    """``.. commands::``: every command of the program, from the program."""

    def run(self):
        import commands

        return self.parse_text_to_nodes(commands.page(), allow_section_headings=True)


class PassList(SphinxDirective):
    """``.. passes::``: every pass in its order, with the first line of its docstring."""

    def run(self):
        from graphscope.analysis.passes import in_order

        lines = (f"#. ``{p.name}``: {_plain(p.summary)}" for p in in_order())
        return self.parse_text_to_nodes("\n".join(lines))


def _plain(line):
    """Words of a docstring without what reStructuredText would take for markup."""
    return (
        line.replace("*", "\\*").replace("``", "").replace("`", "").replace("|", "\\|")
    )


def setup(app):
    """Register the directives."""
    app.add_directive("commands", CommandPages)
    app.add_directive("passes", PassList)
