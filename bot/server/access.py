"""Who may use a route: holders of the console's token, or of a channel's own."""

from typing import Final

from fastapi import HTTPException

from bot.server.service import Service
from bot.server.signing import equal
from bot.settings import Secret

_BEARER: Final = "Bearer "


def check_console(service: Service, authorization: str) -> None:
    """Raise 401 unless the header holds the console's token."""
    if not equal(authorization, _BEARER + service.secrets.token):
        raise HTTPException(401, "this needs the console's token")


def check_channel(service: Service, name: Secret, given: str) -> None:
    """Raise 401 where a channel has a secret and `given`, a header or a bare token, is not it."""
    wanted = service.home.settings.secret(name)
    if wanted and not equal(given.removeprefix(_BEARER), wanted):
        raise HTTPException(401, f"this needs the {name}: Authorization: Bearer …")


def check_either(service: Service, name: Secret, authorization: str, token: str) -> None:
    """Raise 401 unless the console's token or the channel's is given, in header or address."""
    wanted = filter(None, (service.secrets.token, service.home.settings.secret(name)))
    given = [authorization.removeprefix(_BEARER), token]
    if not any(equal(one, secret) for secret in wanted for one in given):
        raise HTTPException(401, f"this needs the console's token or the {name}")
