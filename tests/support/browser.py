"""Chromium for the browser tests: found on the machine, or installed."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class NoBrowserError(RuntimeError):
    """There is no Chromium here and none can be installed."""


def chromium() -> str | None:
    """The path of a Chromium for Playwright's `executable_path`; None: Playwright's own download is used.

    Raises NoBrowserError where there is neither.
    """
    for name in NAMES:
        if path := shutil.which(name):
            return path
    if _playwrights_own():
        return None
    raise NoBrowserError("no Chromium: run `make browser`, or install Debian's package `chromium`")


def install() -> None:
    """Debian's package as root, else Playwright's download. Raises NoBrowserError if neither works."""
    if any(shutil.which(name) for name in NAMES) or _playwrights_own():
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _run("apt-get", "update", "-qq")
        if _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"):
            return
    if not _run(sys.executable, "-m", "playwright", "install", "chromium"):
        raise NoBrowserError("no Chromium could be installed: install Debian's package `chromium` by hand")


def _playwrights_own() -> bool:
    command = (sys.executable, "-c", _OWN)
    return subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603 - our own words


_OWN = """
import os, sys
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    sys.exit(0 if os.path.exists(playwright.chromium.executable_path) else 1)
"""


def _run(*command: str) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, check=False, env=environment).returncode == 0  # noqa: S603 - our own words


if __name__ == "__main__":
    try:
        install()
    except NoBrowserError as error:
        sys.exit(str(error))
