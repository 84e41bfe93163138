"""``python -m evalsuite`` is the command ``evalsuite``."""

from evalsuite.cli.main import main

main()
