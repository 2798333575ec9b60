"""`python -m bot.cli` is `careline`."""

from bot.cli import main

main()
