"""Other proxies, put beside the build and nowhere else: no service is installed, none is started."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

# Envoy's binary comes in a wheel that pyvoy wants.
PYTHON_PACKAGES = ["pyvoy", "litellm[proxy]", "smg"]
# As root, apt would drop to a user who cannot write where the packages go.
APT = ["apt-get", "--quiet=2", "--option", "APT::Sandbox::User=root"]
DEBIAN_PACKAGES = ["nginx", "haproxy"]
# What HAProxy links to and a small system may lack; taken along, found by LD_LIBRARY_PATH.
DEBIAN_LIBRARIES = ["liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1"]


def folders(root: Path) -> list[Path]:
    """Where programs are looked for before those of the system. Envoy's own binary comes before the script that starts it."""
    venv = root / ".build/peers/venv"
    envoy = sorted(venv.glob("lib/python3*/site-packages/envoy/_bin"))
    return [path for path in [*envoy, venv / "bin", root / ".build/tools/usr/sbin"] if path.is_dir()]


def environment(root: Path) -> dict[str, str]:
    """This process's, with the peers in it."""
    result = dict(os.environ)
    result["PATH"] = os.pathsep.join([*map(str, folders(root)), result.get("PATH", "")])
    libraries = sorted((root / ".build/tools/usr/lib").glob("*-linux-gnu*"))
    if libraries:
        old = [result["LD_LIBRARY_PATH"]] if result.get("LD_LIBRARY_PATH") else []
        result["LD_LIBRARY_PATH"] = os.pathsep.join([*map(str, libraries), *old])
    return result


def install(root: Path) -> bool:
    """Fetches what is missing; says what could not be had. True when everything is there."""
    good = _install_python(root / ".build/peers/venv")
    return _install_debian(root / ".build/tools") and good


def _install_python(venv: Path) -> bool:
    if not (venv / "bin/pip").exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    good = True
    for package in PYTHON_PACKAGES:
        print(f"peers: {package}", file=sys.stderr)
        command = [str(venv / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", package]
        if subprocess.run(command).returncode != 0:
            print(f"peers: {package} could not be had from PyPI", file=sys.stderr)
            good = False
    return good


def _install_debian(folder: Path) -> bool:
    """Unpacks packages without installing them, so that no service is set up or started."""
    good = True
    for package in DEBIAN_PACKAGES + DEBIAN_LIBRARIES:
        is_program = package in DEBIAN_PACKAGES
        if is_program and (folder / f"usr/sbin/{package}").exists():
            continue
        print(f"peers: {package}", file=sys.stderr)
        if not _unpack(package, folder):
            print(f"peers: {package} could not be had from Debian", file=sys.stderr)
            good = good and not is_program
    return good


def _unpack(package: str, folder: Path) -> bool:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as download:
        try:
            got = subprocess.run([*APT, "download", package], cwd=download).returncode == 0
        except FileNotFoundError:
            return False
        files = sorted(Path(download).glob("*.deb"))
        return got and bool(files) and all(
            subprocess.run(["dpkg-deb", "--extract", str(file), str(folder)]).returncode == 0 for file in files)
