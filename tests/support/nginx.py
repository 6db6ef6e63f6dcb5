"""A real nginx in front of a desk: found on the machine, or installed as root."""

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

CONFIGURATION = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
worker_processes 1;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location {prefix}/ {{
      proxy_pass {upstream}{upstream_path};
      proxy_http_version 1.1;
      proxy_buffering off;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto https;
    }}
  }}
}}
"""


class NoNginxError(RuntimeError):
    """There is no nginx here and none can be installed."""


def nginx() -> str:
    """The path of nginx; Debian's `nginx-light` is installed as root where there is none. Raises NoNginxError."""
    if path := _found():
        return path
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "nginx-light"]):
            subprocess.run(["apt-get", *command], check=False, env=environment, capture_output=True)  # noqa: S603, S607 - our own words
    if path := _found():
        return path
    raise NoNginxError("no nginx could be installed: install Debian's package `nginx-light` by hand")


def _found() -> str | None:
    # Debian keeps it where only root's path leads.
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


@asynccontextmanager
async def proxying(folder: Path, upstream: str, prefix: str = "", *, strips: bool = False) -> AsyncIterator[str]:
    """The address of an nginx that passes `prefix` on to the desk, without it if it `strips`."""
    binary = await asyncio.to_thread(nginx)
    port, configuration = _configure(folder, upstream, prefix, "/" if strips else "")
    process = await asyncio.create_subprocess_exec(binary, "-p", str(folder), "-c", str(configuration))
    try:
        await _until_it_listens(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


def _configure(folder: Path, upstream: str, prefix: str, upstream_path: str) -> tuple[int, Path]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "nginx.conf"
    path.write_text(
        CONFIGURATION.format(folder=folder, port=port, prefix=prefix, upstream=upstream, upstream_path=upstream_path)
    )
    return port, path


async def _until_it_listens(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
