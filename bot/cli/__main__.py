"""Entry point of `python -m bot.cli`, the same as `careline`."""

from bot.cli import main

main()
