"""What every command line goes through, whichever command it names.

`running` takes it from its first word to an exit status; `overview` is the front
page, `loading` brings typer in, `helping` writes helps, `converting` reads values,
`usage` says what was wrong with them, `streams` are what is printed to, `completing`
and `shells` complete command lines.
"""
