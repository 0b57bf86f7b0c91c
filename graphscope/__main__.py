"""``python -m graphscope``: the command line."""

from .cli import main

main()
