"""Signing in with a browser."""

from playwright.sync_api import Page

from bot.server.auth.secrets_file import load_or_create
from tests.running import Server

PASSWORD = "correct horse"  # of those whom tests add


def sign_in(page: Page, server: Server, user: str = "admin", password: str | None = None) -> None:
    page.goto(f"{server.url}/app/")  # which leads to the login
    page.get_by_label("User").fill(user)
    page.get_by_label("Password").fill(password or load_or_create(server.home).password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/app/")
