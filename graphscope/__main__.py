"""``python -m graphscope``: the command line."""

from .cli import main

if __name__ == "__main__":  # Dask's workers import it under another name
    main()
