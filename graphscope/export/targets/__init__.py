"""One module per target: ``NAME``, ``EXTRA``, ``IS_FOLDER``, ``unsupported``, ``write``, ``run``; a new file here is a new target."""
