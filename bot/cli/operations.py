"""Commands of operation: serve, migrate, doctor."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.app import HomeOption, JsonOption, app, open_home, show

if TYPE_CHECKING:
    from bot.container import Home


@app.command()
def serve(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Number of processes.")] = 1,
    home: HomeOption = None,
) -> None:
    """Serve the API, the home's page with the widget, and the Gradio app."""
    from bot.core.json_logging import configure
    from bot.server.app import create
    from bot.server.process import run, run_workers
    from bot.server.service import Service

    opened = open_home(home)
    configure(opened.settings.log_level)
    local = f"http://{_local_host(host)}:{port}"
    base_url = opened.settings.public_url or local
    if workers > 1:
        opened.migrate()  # once, before the workers start
        os.environ["CARELINE_HOME"] = str(opened.path.resolve())
        os.environ["CARELINE_PUBLIC_URL"] = base_url
        _print_addresses(base_url, opened)
        run_workers(host, port, workers)
        return
    service = Service.start(opened)  # reports errors of the home before the server listens
    application = create(opened, local, service)
    _print_addresses(base_url, opened)
    run(application, host, port)


def _local_host(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 — compared, not bound


def _print_addresses(base_url: str, home: "Home") -> None:
    from bot.server.auth.secrets_file import load_or_create
    from bot.server.service import FIRST_USER
    from bot.store.accounts import Users

    password, users = load_or_create(home.path).password, Users(home.engine)
    users.begin_with(FIRST_USER, password)
    is_unchanged = users.check(FIRST_USER, password) is not None
    user = f"user {FIRST_USER}, password {password}"
    login = user if is_unchanged else "see `careline users list`"
    typer.echo(
        f"\nCareline is running:\n"
        f"  page with the widget  {base_url}/\n"
        f"  Gradio app            {base_url}/app   ({login})\n"
        f"  API docs              {base_url}/docs\n"
    )
    if home.models.current_id() is None and home.knowledge_versions.current_id() is None:
        typer.echo(f"This home is empty: sign in at {base_url}/app to set it up step by step.\n")


@app.command()
def migrate(*, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Migrate the database of the log to the latest revision."""
    revision = open_home(home).migrate()
    show({"revision": revision}, as_json=as_json, text=lambda: f"the log is at {revision}")


@app.command()
def doctor(*, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Check the home, its versions and its requirements; exit with 1 if a check fails."""
    from bot.container.doctor import examine

    findings = examine(open_home(home))
    is_ok = all(finding.ok for finding in findings)
    rows = [{"name": f.name, "ok": f.ok, "message": f.message} for f in findings]

    def text() -> str:
        return "\n".join(f"{'ok ' if f.ok else 'BAD'} {f.name}: {f.message}" for f in findings)

    show({"ok": is_ok, "checks": rows}, as_json=as_json, text=text)
    if not is_ok:
        raise typer.Exit(1)
