"""``python -m mdplab``."""

from mdplab.cli import main

main()
