"""What each operator of TensorFlow Lite means: an open folder, one module a chapter, which lists itself."""
