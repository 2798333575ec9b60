"""`careline actions`: a Rasa action server."""

import logging
from typing import Annotated

import typer

from bot.cli.app import HomeOption, app, open_home


@app.command("actions")
def serve_actions(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 5055,
    home: HomeOption = None,
) -> None:
    """Serve the home's actions as a standard Rasa action server."""
    from bot.actions import action_server

    opened = open_home(home)
    logging.getLogger("sanic").setLevel(logging.WARNING)
    runner = action_server.runner_of(opened.path)
    typer.echo(f"http://{host}:{port}/webhook runs {', '.join(runner.names())}", err=True)
    action_server.serve(runner, host, port, opened.settings.secret("actions_token"))
