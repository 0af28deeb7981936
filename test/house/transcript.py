"""Transcripts in pages: the blocks marked ```console, and what their commands really print."""
import dataclasses
import os
import pathlib
import re
import subprocess
import tempfile

TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
EPOCH = re.compile(r"(?<=[:=])1[7-9]\d{11}(\d{3}|\d{6})?\b")  # milli-, micro-, nanoseconds: of this decade
ANYTHING = "..."
SERVER = ("PGHOST", "PGPORT", "PGUSER")  # of postgres_server, for the pages that use one


@dataclasses.dataclass
class Step:
    """One command and the lines of the page that show its output: lines[first:last]."""
    command: str
    first: int
    last: int


def steps(lines: list[str]) -> list[Step]:
    """The commands of every console block: `$ ` begins one, `> ` right below goes on with it."""
    found: list[Step] = []
    inside = fresh = False
    for number, line in enumerate(lines):
        if line.startswith("```"):
            inside = not inside and line.strip() == "```console"
            fresh = False
        elif inside and line.startswith("$ "):
            found.append(Step(line[2:], number + 1, number + 1))
            fresh = True
        elif inside and found and fresh and line.startswith("> "):
            found[-1].command += "\n" + line[2:]
            found[-1].first = found[-1].last = number + 1
        elif inside and found:
            fresh = False
            found[-1].last = number + 1
    return found


def fences_are_closed(lines: list[str]) -> bool:
    return sum(line.startswith("```") for line in lines) % 2 == 0


def normal(line: str) -> str:
    return EPOCH.sub("<time>", TIME.sub("<time>", line.rstrip()))


def agree(shown: list[str], real: list[str]) -> bool:
    """Whether the shown lines describe the real ones; `...` stands for any number of lines."""
    if not shown:
        return not real
    if shown[0].strip() == ANYTHING:
        return any(agree(shown[1:], real[skip:]) for skip in range(len(real) + 1))
    return bool(real) and normal(shown[0]) == normal(real[0]) and agree(shown[1:], real[1:])


class Shell:
    """One bash in an empty directory of its own; variables and directories carry over."""

    def __init__(self, program: pathlib.Path, examples: pathlib.Path):
        self.directory = tempfile.TemporaryDirectory(prefix="vestige-")
        self.mark = f"--end-{os.getpid()}--"
        home = pathlib.Path(self.directory.name)
        if examples.is_dir():
            (home / examples.name).symlink_to(examples)
        extension = program.parent.parent / "sqlite" / "vestige0.so"
        if extension.exists():
            (home / extension.name).symlink_to(extension)
        environment = {
            "PATH": f"{program.parent}:{os.environ.get('PATH', '/usr/bin:/bin')}",
            "HOME": str(home), "TMPDIR": str(home), "USER": "ann", "LOGNAME": "ann",
            "LC_ALL": "C.UTF-8", "TZ": "UTC", "TERM": "dumb",
            **{name: value for name, value in os.environ.items() if name in SERVER},
        }
        self.bash = subprocess.Popen(["bash", "--norc", "--noprofile"], cwd=home, env=environment,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT)

    def run(self, command: str) -> list[str]:
        quoted = "'" + command.replace("'", "'\\''") + "'"
        script = f"eval {quoted} </dev/null\nprintf '\\n%s\\n' '{self.mark}'\n"
        self.bash.stdin.write(script.encode())
        self.bash.stdin.flush()
        output = b""
        while not output.endswith(b"\n" + self.mark.encode() + b"\n"):
            line = self.bash.stdout.readline()
            if not line:
                break
            output += line
        text = output.decode("utf-8", "replace").removesuffix(f"\n{self.mark}\n")
        return text.removesuffix("\n").split("\n") if text else []

    def close(self) -> None:
        self.bash.stdin.close()
        self.bash.wait()
        self.bash.stdout.close()
        self.directory.cleanup()


def check(page: str, shell: Shell) -> tuple[list[tuple[Step, list[str]]], str]:
    """Runs every command of a page: the steps that differ with what they printed, and the page as
    it should be."""
    lines = page.split("\n")
    wrong = []
    for step in steps(lines):
        real = shell.run(step.command)
        if not agree(lines[step.first:step.last], real):
            wrong.append((step, real))
    fresh = list(lines)
    for step, real in reversed(wrong):
        fresh[step.first:step.last] = real
    return wrong, "\n".join(fresh)
