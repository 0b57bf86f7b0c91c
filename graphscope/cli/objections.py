"""What is wrong with the outputs that were asked for: said, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..analysis.results import Analysis


def warn_of(analysis: Analysis) -> None:
    """Say on stderr what is wrong with the outputs that were asked for."""
    from ..analysis import documents as report
    from . import terminal as console

    for finding in report.describe_errors(analysis):
        click.echo(console.doctor_text({"findings": [finding]}), err=True)


def refuse_useless(analysis: Analysis, force: bool) -> None:
    """Refuse to freeze what computes nothing, such as a label: nobody means that, unless by --force."""
    from ..analysis import documents as report
    from ..errors import GraphscopeError

    for finding in report.describe_errors(analysis):
        if finding["id"] in ("output-is-placeholder", "output-is-weight") and not force:
            instead = f"; try {finding['remedy']}" if finding["remedy"] else ""
            raise GraphscopeError(
                f"{finding['message']}; nothing is written (--force writes it all the same){instead}"
            )
