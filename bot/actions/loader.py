"""Loader of a home's Python actions: the package in its folder `actions/`.

The package is imported under a unique module name, so that several homes can be open in one
process. It is loaded once per process: restart after changing its files.
"""

import hashlib
import importlib.util
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

from bot.actions.context import ActionContext
from bot.core.types import CarelineError

if TYPE_CHECKING:
    from rasa_sdk import Action

FOLDER: Final = "actions"
_PREFIX: Final = "careline_home_"
_FACTORY: Final = "actions"
_lock = threading.RLock()


def has_actions(home: Path) -> bool:
    """Return whether a home has a folder of actions."""
    return (home / FOLDER).is_dir()


def load(home: Path) -> ModuleType:
    """Import a home's actions and return their package.

    Raises:
        CarelineError: the import failed; the message has the file and the line.
    """
    folder = (home / FOLDER).resolve()
    source = folder / "__init__.py"
    if not source.is_file():
        message = f"{source} is missing: add it, with a function `actions(context)`"
        raise CarelineError(message)
    name = _PREFIX + hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    with _lock:
        if name in sys.modules:
            return sys.modules[name]
        spec = importlib.util.spec_from_file_location(
            name, source, submodule_search_locations=[str(folder)]
        )
        if spec is None or spec.loader is None:
            message = f"{source} cannot be imported: check that it is a Python file"
            raise CarelineError(message)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        with ExitStack() as cleanup:
            cleanup.callback(_unload, name)
            with _explained(folder):
                spec.loader.exec_module(module)
            cleanup.pop_all()  # nothing failed: the modules stay
        return module


def _unload(name: str) -> None:
    """Remove a module and its submodules from the imported ones."""
    for key in [key for key in sys.modules if key.split(".")[0] == name]:
        del sys.modules[key]


def create(context: ActionContext) -> "list[Action]":
    """Return the actions of the context's home; none if it has no such folder.

    Raises:
        CarelineError: the actions cannot be loaded or created.
    """
    if not has_actions(context.home):
        return []
    module = load(context.home)
    factory = getattr(module, _FACTORY, None)
    folder = context.home.resolve() / FOLDER
    if not callable(factory):
        message = f"{folder / '__init__.py'} has no function `actions(context)`: add one"
        raise CarelineError(message)
    with _explained(folder):
        return list(factory(context))


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Raise an error of the home's code as one that names its file and line."""
    try:
        yield
    except CarelineError:
        raise
    except Exception as error:  # the code is the business's own: it can raise any error
        raise CarelineError(_explain(error, folder)) from error


def _explain(error: Exception, folder: Path) -> str:
    """Return the error with the last line in the folder that led to it."""
    file, line = str(folder / "__init__.py"), 1
    if isinstance(error, SyntaxError) and error.filename:
        file, line = error.filename, error.lineno or 1
    else:
        for frame in traceback.extract_tb(error.__traceback__):
            if Path(frame.filename).is_relative_to(folder):
                file, line = frame.filename, frame.lineno or 1
    reason = " ".join(str(error).split())
    return f"{file}, line {line}: {type(error).__name__}: {reason}; correct it and start again"
