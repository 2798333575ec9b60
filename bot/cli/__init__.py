"""The command line: `careline COMMAND … [--home DIR] [--json]`."""

import os
import sys


def main() -> None:
    """Run a command; print errors as one line on standard error and exit with 1."""
    from bot.cli.commands import app
    from bot.core.types import CarelineError
    from knowledge_base.documents import KnowledgeError

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        app()
    except (CarelineError, KnowledgeError) as error:
        print(f"careline: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(1)
    except KeyboardInterrupt:
        print("careline: interrupted; nothing was published", file=sys.stderr)  # noqa: T201
        sys.exit(130)
