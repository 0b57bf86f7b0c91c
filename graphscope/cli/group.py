"""The group of commands: their order, help in whole sentences, and the two options that every command takes."""

from __future__ import annotations

import sys
from typing import Any

import click

from .text.progress import end_notice

QUIET, VERBOSE = "graphscope.quiet", "graphscope.verbose"  # keys of a context's meta
_LONGEST = 1000  # characters of a command's one sentence: none is cut


def _note_quiet(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.meta[QUIET] = True
        end_notice()


def _note_verbose(ctx: click.Context, _: click.Parameter, value: int) -> None:
    if value and VERBOSE not in ctx.meta:
        ctx.meta[VERBOSE] = value
        end_notice()
        ctx.call_on_close(log_to_stderr(value))


def log_to_stderr(level: int) -> Any:
    """Log what is being done (1), all that any library logs (2 and above), with seconds; returns what ends it."""
    import logging

    logger = logging.getLogger("graphscope" if level == 1 else None)
    handler = logging.StreamHandler(sys.stderr)
    form = "{relativeCreated:7.0f} ms  {message}"
    if level > 1:
        form = "{relativeCreated:7.0f} ms  {name}: {message}"
    handler.setFormatter(logging.Formatter(form, style="{"))
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO if level == 1 else logging.DEBUG)

    def end() -> None:
        logger.removeHandler(handler)
        logger.setLevel(before)

    return end


def _options() -> list[click.Parameter]:
    quiet = click.Option(
        ["-q", "--quiet"],
        is_flag=True,
        expose_value=False,
        callback=_note_quiet,
        help="No remarks and no progress on stderr, errors alone.",
    )
    verbose = click.Option(
        ["-v", "--verbose"],
        count=True,
        expose_value=False,
        callback=_note_verbose,
        help="Log to stderr what is being done; -vv: what libraries log, too.",
    )
    return [quiet, verbose]


class Ordered(click.Group):
    """Lists its commands in the order in which a newcomer needs them; each takes -q and -v, as the group does."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.params += _options()

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def add_command(self, command: click.Command, name: str | None = None) -> None:
        if not any(param.name == "quiet" for param in command.params):
            command.params += _options()
        super().add_command(command, name)

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """What each command does, the sentence whole."""
        rows = [
            (name, command.get_short_help_str(_LONGEST))
            for name, command in self.commands.items()
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def is_quiet() -> bool:
    """Whether -q was given."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(QUIET))


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> None:
    """Print what makes a shell complete commands, options and paths.

    Bash: eval "$(graphscope completion bash)" in ~/.bashrc; zsh likewise in ~/.zshrc; fish: graphscope completion fish >
    ~/.config/fish/completions/graphscope.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is not None:
        program = click.get_current_context().find_root().command
        click.echo(kind(program, {}, "graphscope", "_GRAPHSCOPE_COMPLETE").source())
