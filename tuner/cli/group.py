"""A group of commands with complete help, which suggests the nearest name for an unknown one."""

from __future__ import annotations

import click


class Group(click.Group):
    """Click cuts each command's sentence at the end of a line; here it continues on the next."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands, each with the first paragraph of its help."""
        rows = [(name, _summary(self.commands[name])) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant.

        Raises:
            click.UsageError: If there is none of that name; it offers the nearest, or lists all.
        """
        name = str(args[0])
        if name in self.commands or name.startswith("-"):
            return super().resolve_command(ctx, args)
        # Imported late: `--help` has to answer at once.
        from tuner.space.documents.spelling import nearest_of

        near = nearest_of(name, self.commands)
        hint = f'Did you mean "{near}"?' if near else f"Use {_listed(sorted(self.commands))}."
        raise click.UsageError(f'there is no command "{name}". {hint}', ctx)


def _summary(command: click.Command) -> str:
    """The first paragraph of a command's help, in one line."""
    return (command.short_help or command.help or "").split("\n\n")[0].replace("\n", " ").strip()


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
