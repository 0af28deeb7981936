"""Management commands say who runs them, as requests do.

In manage.py, in place of Django's function: `vestige.django.commands.execute_from_command_line(sys.argv)`. What a command writes
then carries the account of the system as its actor, and `manage.py NAME` as its business process.
"""

from __future__ import annotations

import getpass
import sys

import vestige

__all__ = ["account", "execute_from_command_line"]


def execute_from_command_line(argv: list[str] | None = None) -> None:
    """Django's function of this name, under a context."""
    from django.core import management

    words = sys.argv if argv is None else argv
    name = words[1] if len(words) > 1 else "help"
    with vestige.context(actor=account(), business_process=f"manage.py {name}"):
        management.execute_from_command_line(argv)


def account() -> str | None:
    """The account of the system that runs this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # one without a name
        return None
