"""How the help of a command shows its options: under headings, with short names of numbers."""

from __future__ import annotations

from typing import Any

import click

# Above it, an upper bound tells a reader of the help nothing.
_MOST_SHOWN = 100

# Options of `run` and `plan` by heading; those that are not named here come last.
HEADINGS = {
    "Model and data": (
        "space", "model", "overrides", "image_size", "labels", "choose", "seed", "data_dir",
    ),
    "Size": (
        "preset", "time_budget_s", "max_epochs", "factor", "max_trials", "limit", "search_only",
        "nested",
    ),
    "Where it runs": (
        "executor", "workers", "precision", "resume", "retries", "trial_timeout_s",
        "worker_memory_bytes", "ray_address", "gpus_per_trial",
    ),
}  # fmt: skip
LAST_HEADING = "Output"


class NumberOption(click.Option):
    """An option that takes a number: `N`, without bounds that tell a reader nothing."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        """Take what `click.option` gives."""
        super().__init__(*args, **settings)
        if self.metavar is None:
            self.metavar = "N" if isinstance(self.type, click.IntRange) else "NUMBER"

    def get_help_extra(self, ctx: click.Context) -> Any:
        """What stands in brackets."""
        extra = super().get_help_extra(ctx)
        most = self.type.max if isinstance(self.type, click.IntRange | click.FloatRange) else None
        if most is None or most > _MOST_SHOWN:
            extra.pop("range", None)
        return extra


class GroupedCommand(click.Command):
    """A command whose help shows its options under headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the options, each under its heading."""
        rows: dict[str, list[tuple[str, str]]] = {heading: [] for heading in HEADINGS}
        rows[LAST_HEADING] = []
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if record is not None:
                rows[_heading(str(param.name))].append(record)
        for heading, records in rows.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)


def _heading(name: str) -> str:
    found = (heading for heading, names in HEADINGS.items() if name in names)
    return next(found, LAST_HEADING)
