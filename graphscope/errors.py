"""What can go wrong, as a tree::

    GraphscopeError
      FormatError          the bytes are not what they promise
        UnknownFormat      no reader knows this file: lists what was tried
      GraphError           the graph contradicts itself: missing input, duplicate node, cycle
        MissingAttribute   a node lacks an attribute that its op needs (a KeyError too, as a mapping's should be)
      UnknownPass          no rewrite of that name: lists those there are
      BrokenPass           a rewrite lost what it must keep: a fault of graphscope, found by GRAPHSCOPE_CHECK=1
      OutputsUnknown       no candidate stands out: lists them with their evidence
      MissingWeight        a variable has no value: names the nearest ones in the checkpoint
      NotExpressible       no lowering for this op: names the op and its node
      NotRunnable          TensorFlow cannot run the model: says why
      UnsafeModel          running it could touch files: names the nodes, and what to pass to run it all the same
      WouldOverwrite       something stands where the output should go: names it, and what to pass where it may be replaced

The message is one line for the person at the command line: what was seen, what was expected, what to do.
A pattern that does not match and an op that nobody knows are not errors.
"""

from __future__ import annotations


class GraphscopeError(Exception):
    """The file or the request is at fault; ``str()`` is one line that says how.

    >>> try:
    ...     load("nosuch.pb")
    ... except GraphscopeError as error:
    ...     print(error)
    nosuch.pb: ...
    """

    exit_code = 1
    file = ""  # the model that it is about, where that is known


class FormatError(GraphscopeError):
    """The bytes are not what they promise."""


class UnknownFormat(FormatError):
    """No reader knows this file."""


class GraphError(GraphscopeError):
    """The graph contradicts itself, or has no node of the name that was asked for."""


class MissingAttribute(GraphError, KeyError):
    """A node lacks an attribute."""

    __str__ = Exception.__str__  # KeyError's would quote the sentence


class UnknownPass(GraphscopeError):
    """No rewrite has that name."""


class BrokenPass(GraphscopeError):
    """A rewrite lost an output, a weight or the order of the graph."""


class OutputsUnknown(GraphscopeError):
    """No candidate output stands out."""


class MissingWeight(GraphscopeError):
    """A variable has no value."""


class NotExpressible(GraphscopeError):
    """No lowering is known for an op."""


class NotRunnable(GraphscopeError):
    """TensorFlow cannot run a model, so nothing can be compared with it."""


class UnsafeModel(GraphscopeError):
    """Running the model could touch files, the network or Python."""


class WouldOverwrite(GraphscopeError):
    """Something stands where the output should go."""
