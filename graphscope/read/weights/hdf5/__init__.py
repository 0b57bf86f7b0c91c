"""HDF5 without libhdf5: what Keras writes, read in bounds."""

from .file import Dataset, Hdf5
from .storage import MAGIC

__all__ = ["MAGIC", "Dataset", "Hdf5"]
