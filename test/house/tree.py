"""The files of the tree, for the checks beside this file: what git tracks or would track."""
import pathlib
import subprocess
import sys

SOURCES = {".cc", ".h", ".sql", ".py", ".sh", ".cmake", ".ts", ".tsx"}


def root() -> pathlib.Path:
    return pathlib.Path(sys.argv[1]).resolve()


def files(top: pathlib.Path) -> list[pathlib.PurePosixPath]:
    """Paths relative to the top, sorted; without git, everything but build and hidden folders."""
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={top}", "-C", str(top), "ls-files", "-z", "--cached", "--others",
         "--exclude-standard"], capture_output=True, check=False)
    if listed.returncode == 0:
        names = [name for name in listed.stdout.decode().split("\0") if name]
    else:
        names = [path.relative_to(top).as_posix() for path in top.rglob("*")
                 if not any(part == "build" or part.startswith(".")
                            for part in path.relative_to(top).parts)]
    return sorted(pathlib.PurePosixPath(name) for name in set(names) if (top / name).is_file())


def is_source(path: pathlib.PurePosixPath) -> bool:
    return path.suffix in SOURCES or (path.parts[0] == "scripts" and path.suffix == "")


def text(path: pathlib.Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def report(check: str, complaints: list[str]) -> int:
    """Prints every complaint; the exit code of the check."""
    for complaint in complaints:
        print(complaint)
    if complaints:
        print(f"{check}: {len(complaints)} to mend")
        return 1
    print(f"{check}: in order")
    return 0
