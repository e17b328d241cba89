"""`python -m marginwise` is the `marginwise` command."""

from marginwise.cli.commands import main

main()
