"""The seventh set: training graphs after strangers' own code, each read before it was written down, none run before."""
