"""The known architectures, one file a family or a few of one kin; each docstring names its source."""
