"""`hob completion`."""

import click

from bot.cli.framework import HobCommand

VARIABLE = "_HOB_COMPLETE"
"""By it the shell's function asks `hob` itself, at each press of Tab."""


@click.command(
    cls=HobCommand,
    example='eval "$(hob completion bash)"     # in ~/.bashrc\n'
    'eval "$(hob completion zsh)"     # in ~/.zshrc, after compinit\n'
    "hob completion fish | source     # in ~/.config/fish/config.fish",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Prints the script by which a shell completes commands, options and their values.

    It needs bash 4.4 or newer (macOS brings 3.2), zsh or fish, and `hob` on the PATH.
    """
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    if made is None:  # click has these three
        raise click.UsageError(f"there is no completion for {shell}")
    script = made(click.get_current_context().find_root().command, {}, "hob", VARIABLE).source()
    # click's own for fish ends what is said about a command at its first comma
    click.echo(script.replace('string split ","', 'string split -m 1 ","'))
