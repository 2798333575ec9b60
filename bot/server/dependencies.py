"""Dependencies of the routes."""

from typing import Annotated

from fastapi import Depends, Request

from bot.server.service import Service


async def service_of(request: Request) -> Service:
    """Return the service of the application; `async`, so that no thread is needed."""
    service: Service = request.app.state.service
    return service


TheService = Annotated[Service, Depends(service_of)]
