"""`serve`: a model behind HTTP."""

from __future__ import annotations

import importlib.util
import ipaddress
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tuner.errors import ConfigurationError
from tuner.extras import install_line
from tuner.serving.exported_model import is_exported
from tuner.serving.options import ServeOptions, is_loopback

TOKEN_VARIABLE = "TUNER_SERVE_TOKEN"
_MODULES = ("starlette", "uvicorn", "python_multipart", "prometheus_client")
# Shorter ones are guessed.
_LEAST_TOKEN = 16


def serve(options: ServeOptions, tell: Callable[[str], None], is_up: Callable[[str], None]) -> None:
    """Serve a model until Ctrl-C or SIGTERM.

    Args:
        options: What is asked for.
        tell: Called with messages.
        is_up: Called with the address once requests are answered.

    Raises:
        ConfigurationError: If a package is missing, or the model or the address cannot be used.
    """
    missing = [name for name in _MODULES if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"serve needs {', '.join(missing)}, which is not installed", install_line("serve")
        )
    # What is wrong is told before seconds are spent on a framework.
    if is_exported(options.source):
        options = _exported(options, tell)
    else:
        try:
            options = _of_run(options, tell)
        except ModuleNotFoundError as error:
            raise _only_exported(options.source, error) from error
    for warning in warnings_of(options):
        tell(warning)
    from tuner.serving.server import serve as serve_model

    serve_model(options, is_up)


def _exported(options: ServeOptions, tell: Callable[[str], None]) -> ServeOptions:
    if options.model is not None or options.calibrated:
        option = "--calibrated" if options.calibrated else "--model"
        raise ConfigurationError(
            f"{options.source}: is an exported model, to which {option} does not apply",
            f"leave {option} out; the choice was made when the model was exported.",
        )
    tell(f"model: {options.source}")
    return options


def _only_exported(source: Path, error: ModuleNotFoundError) -> ConfigurationError:
    """Of an installation that serves exported models alone, as in a container."""
    return ConfigurationError(
        f"{source}: has no labels.json, so it is not an exported model; a run needs {error.name},"
        " which is not installed",
        "give the folder that `python -m tuner export` wrote; a container has it at /model.",
    )


def _of_run(options: ServeOptions, tell: Callable[[str], None]) -> ServeOptions:
    # An exported model is served where these need not be installed.
    from tuner.pipeline.outputs.named_run import named_run
    from tuner.pipeline.run_options import REPORTS
    from tuner.production.recipe_model import check_is_there, named_model
    from tuner.production.recipes import import_notice

    options = replace(options, source=named_run(options.source, REPORTS))
    chosen = named_model(options.source, options.model)
    check_is_there(chosen)
    if options.calibrated:
        chosen.temperature()
    if notice := import_notice(chosen.recipe.model):
        tell(notice)
    tell(chosen.words)
    return options


def warnings_of(options: ServeOptions) -> list[str]:
    """What you should know before others reach the service."""
    found = []
    if not options.is_private and not options.token:
        where, option = (
            (f"the proxy {options.trusted_proxy}", "--trusted-proxy")
            if is_loopback(options.host)
            else (options.host, "--host")
        )
        found.append(
            f"warning: anyone who can reach {where} can use this model, and the connection is not"
            f" encrypted.\n  Fix: give a token in {TOKEN_VARIABLE} or with --token-file, or leave"
            f" {option} out."
        )
    if options.token and len(options.token) < _LEAST_TOKEN:
        found.append(
            f"warning: the token has fewer than {_LEAST_TOKEN} characters and can be guessed.\n"
            '  Fix: python -c "import secrets; print(secrets.token_urlsafe())" makes one.'
        )
    return found


def the_token(given: str | None, file: Path | None) -> str:
    """The token: what was given, or what a file or the environment holds; empty for none.

    Raises:
        ConfigurationError: If it is given twice, or is empty or of several lines.
    """
    if given is not None and file is not None:
        raise ConfigurationError("--token and --token-file are both given", "leave one out.")
    if given is not None:
        where, token = "--token", given
    elif file is not None:
        where, token = str(file), _content(file)
    elif TOKEN_VARIABLE in os.environ:
        where, token = TOKEN_VARIABLE, os.environ[TOKEN_VARIABLE]
    else:
        return ""
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigurationError(
            f"{where}: holds no token",
            "a token is one line of ASCII letters, digits and signs, without spaces.",
        )
    return token


def the_proxy(given: str) -> str:
    """The addresses and networks of trusted proxies, separated by commas; empty for none.

    Raises:
        ConfigurationError: If one is neither, or is every address.
    """
    parts = [part.strip() for part in given.split(",")] if given.strip() else []
    for part in parts:
        if not _is_proxy(part):
            raise ConfigurationError(
                f'--trusted-proxy: "{part}" is not the address or network of a proxy',
                "give its IP address, or the network that it is in, such as 10.0.0.0/24; separate"
                " several by commas. A trusted proxy can name any client.",
            )
    return ",".join(parts)


def _is_proxy(text: str) -> bool:
    try:
        return ipaddress.ip_network(text).prefixlen > 0
    except ValueError:
        return False


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "is not text"
        raise ConfigurationError(f"{file}: {reason}", "name a file that holds the token.") from None
