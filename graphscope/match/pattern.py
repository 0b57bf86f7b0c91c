"""Pattern: a formula, and how a solution of it is written down as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, TypeVar

from ..graph import Tensor
from ..graph.named_values import Arguments, Config
from .formula import terms as f
from .keras_arguments import as_stored, in_order, is_attribute, written_config
from .solver.bindings import Bindings
from .solver.match import Match, plain_float
from .solver.solve import Solver
from .view.nodes import FLOATS, MALFORMED
from .view.view import View
from .view.weight_ref import WeightRef

KEEPS_ANY = frozenset(
    {
        "Discretization",
        "Flatten",
        "HashedCrossing",
        "Hashing",
        "Identity",
        "Permute",
        "Reshape",
    }
)
"""Classes whose result has the dtype of what goes in, or integers of their own. All others say that it is a float, or make it one."""

Text = str | None


@dataclass(frozen=True, eq=False)
class Pattern:
    """One formula and what its bindings mean.

    ``op`` is the Keras class. ``where`` says whether a solution counts (True, or why it does not, as text), or is a
    tuple of such clauses, all of which must hold; ``config`` turns bindings into Keras arguments, ``weights`` into Keras
    weights, ``evidence`` into what was assumed. Keras weights are else the variables of role Weight, under their names;
    ``weights`` may also say what becomes of single ones (``{"kernel": turned}``). Each callback takes the formula's variables by name; a variable that may be missing gives None. Further names:
    ``view``, ``nodes(op)``: the nodes of that op that the formula's calls matched, ``match``: the solution itself, and
    ``b``: the Bindings, which have all of these.
    """

    name: str
    op: str
    formula: f.Term
    variables: tuple[f.Var, ...]
    where: Callable[..., Any] | tuple[Callable[..., Any], ...] | None = None
    config: Callable[..., Config] | None = None
    weights: (
        Callable[..., Mapping[str, WeightRef | None]]
        | Mapping[str, Callable[[WeightRef], WeightRef]]
        | None
    ) = None
    evidence: Callable[..., Any] | str = ""
    constants: Config = field(default_factory=dict)
    doc: str = ""
    above: bool = False

    @cached_property
    def is_above(self) -> bool:
        """Whether the formula is one for a graph whose nodes are layers: it speaks of some, or says so."""
        if self.above:
            return True
        calls = (each for each in self.formula.walk() if isinstance(each, f.Call))
        return any(each.op.startswith(f.LAYERS) for each in calls)

    @cached_property
    def needs(self) -> tuple[frozenset[str], ...]:
        """Sets of ops: a graph that holds none of one set cannot hold this pattern."""
        return tuple(_required(self.formula))

    def solutions(self, solver: Solver, tensor: Tensor) -> Iterator[Match]:
        """The bindings at this tensor that count; none where the class would make floats of what is none."""
        spec = solver.view.specs.get(tensor)
        dtype = spec.dtype if spec is not None else ""
        if dtype and dtype not in FLOATS and self.op not in KEEPS_ANY:
            return
        for match in solver.solutions(self.formula, tensor):
            why = self._admits(match, solver.view)
            if why is None:
                yield match
            elif solver.watch is not None:
                solver.watch(self.formula, tensor, match, why)

    def _admits(self, match: Match, view: View) -> Text:
        try:
            for clause in self._clauses:
                answer = self._called(clause, match, view)
                if not answer or isinstance(answer, str):
                    return answer or "the condition of the pattern does not hold"
            self.config_of(match, view)
        except (
            MALFORMED
        ) as error:  # the file's values have no form that such a layer has
            return f"its values are not those of a {self.op}: {error}"
        return None

    @cached_property
    def _clauses(self) -> tuple[Callable[..., Any], ...]:
        if self.where is None:
            return ()
        return self.where if isinstance(self.where, tuple) else (self.where,)

    def config_of(self, match: Match, view: View) -> Arguments:
        """The Keras arguments of a solution: what follows from its weights and attributes, and what the pattern says."""
        follows = written_config(self.op, self.weights_of(match, view), match.values)
        if self.config is not None:
            config = self._called(self.config, match, view)
        else:
            config = self._of_role(match, f.Attr, f.Scalar, f.Array)
            config = {k: v for k, v in config.items() if not is_attribute(self.op, k)}
        return in_order(self.op, {**follows, **self.constants, **config})

    def weights_of(self, match: Match, view: View) -> dict[str, WeightRef]:
        """The Keras weights of a solution, in the shapes that Keras keeps them in."""
        if callable(self.weights):
            weights = self._called(self.weights, match, view)
        else:
            changed = self.weights or {}
            weights = {
                name: changed[name](weight) if name in changed else weight
                for name, weight in self._of_role(match, f.Weight).items()
            }
        present = {
            name: weight for name, weight in weights.items() if weight is not None
        }
        return as_stored(self.op, present)

    def inputs_of(self, match: Match) -> dict[str, Tensor]:
        """The tensors that the layer is called on, in call order."""
        inputs: dict[str, Tensor] = {}
        for variable in self.variables:
            value = match.values.get(variable.name)
            if isinstance(variable, f.Inputs) and value is not None:
                names = (f"{variable.name}{i}" for i in range(len(value)))
                inputs.update(zip(names, value))
            elif isinstance(variable, f.Input | f.Value) and value is not None:
                if not variable.name.startswith("_"):
                    inputs[variable.name] = value
        return inputs

    def evidence_of(self, match: Match, view: View) -> tuple[str, ...]:
        """What was assumed, in words."""
        if callable(self.evidence):
            lines = self._called(self.evidence, match, view)
        else:
            lines = self.evidence
        return (
            tuple([lines] if isinstance(lines, str) else lines or ()) if lines else ()
        )

    def _of_role(self, match: Match, *roles: type) -> Arguments:
        return {
            v.name: _short(match.values[v.name])
            for v in self.variables
            if isinstance(v, roles)
            and v.name in match.values
            and not v.name.startswith("_")
        }

    def _called(self, function: Any, match: Match, view: View) -> Any:
        b = Bindings(view, match)
        arguments = {"b": b, "nodes": match.nodes, "view": view, "match": match}
        values = match.values
        return function(
            **{k: values.get(k, arguments.get(k)) for k in _parameters(function)}
        )


def _short(value: object) -> Any:
    """An attribute that is a float at the digits that it was written with; all else as it is."""
    return plain_float(value) if isinstance(value, float) else value


Kind = TypeVar("Kind", bound=Pattern)


def _parameters(function: Any) -> tuple[str, ...]:
    code = function.__code__
    return tuple(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


Needs = set[frozenset[str]]


def _required(term: f.Term, memory: dict[int, Needs] | None = None) -> Needs:
    """Of each set, every spelling of the term uses one op; ``memory`` are those of terms that were seen before."""
    memory = {} if memory is None else memory
    if id(term) not in memory:
        memory[id(term)] = _required_here(term, memory)
    return memory[id(term)]


def _required_here(term: f.Term, memory: dict[int, Needs]) -> Needs:
    if isinstance(term, f.OneOf):
        return _of_each([_required(each, memory) for each in term.terms])
    ops = {frozenset({term.op})} if isinstance(term, f.Call) else set()
    if isinstance(term, f.Power) and not isinstance(term.term, f.Const):
        ops |= {_ROOTS[term.exponent]} if term.exponent in _ROOTS else set()
    for part in term.parts:
        if not (isinstance(part, f.Var) and part.optional):
            ops |= _required(part, memory)
    return ops


_ROOTS = {
    0.5: frozenset({"Sqrt", "Pow"}),
    -0.5: frozenset({"Rsqrt", "Sqrt", "Pow"}),
}


def _of_each(options: list[set[frozenset[str]]]) -> set[frozenset[str]]:
    """What a choice needs: what all options need, and one thing of each that has needs of its own."""
    shared = set.intersection(*options)
    own = [sorted(option - shared, key=sorted) for option in options]
    if all(own):
        shared = shared | {frozenset().union(*(each[0] for each in own))}
    return shared


def layer(op: str, /, **options: object) -> Callable[[Callable[..., f.Term]], Pattern]:
    """Make a Pattern of a function of typed variables that returns its formula.

    Options that no field of Pattern bears are constants of the config. Raises TypeError for a variable without role.
    """
    return pattern_maker(Pattern, op, options)


def pattern_maker(
    kind: type[Kind], op: str, options: Config
) -> Callable[[Callable[..., f.Term]], Kind]:
    """What makes a Pattern of that kind of a formula: the options that are no fields are constants of the config."""
    own = {each.name for each in fields(kind)} & options.keys()
    constants = {key: value for key, value in options.items() if key not in own}

    def maker(function: Callable[..., f.Term]) -> Kind:
        parameters = inspect.signature(function).parameters.values()
        variables = tuple(map(_variable, parameters))
        return kind(
            name=function.__name__,
            op=op,
            formula=function(*variables),
            variables=variables,
            constants=constants,
            doc=inspect.getdoc(function) or "",
            **{key: options[key] for key in own},
        )

    return maker


def _variable(parameter: inspect.Parameter) -> f.Var:
    role, _, rest = str(parameter.annotation).partition(" ")
    if role not in f.ROLES:
        raise TypeError(
            f"variable {parameter.name!r} has no role: {', '.join(f.ROLES)}"
        )
    return f.ROLES[role](parameter.name, "None" in rest)
