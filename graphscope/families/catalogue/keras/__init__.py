"""The nets of keras.applications, and of slim what shares their plan."""
