#!/usr/bin/python3
"""Runs the transcripts of the command line, test/cli/*.txt, and compares what they print.

    run.py [--rewrite] [--postgres] [NAME...]
                VESTIGE names the binary; SOURCE_DIR the repository
                --postgres: test/cli/postgres/*.txt, each in a database of its own on the server of
                PGHOST and PGUSER (see test/scripts/cli_postgres.sh)

A transcript is a list of `$ command` lines, continued by `> `, each followed by what it printed:
stdout first, then stderr with `! ` before each line, then [N] when the exit code is not 0. Lines that
start with `## ` are remarks. Each transcript runs in a directory of its own; `export A=b` holds for the
commands after it. Times of today are shown with # for digits, control characters as ␛ and the like.
The command `terminal` (terminal.py) runs another on a terminal, `said` (said.py) is an application that signs.

The files made by vestige itself (docs/cli.md, the man page, the completions) are compared as well.
"""
import datetime
import difflib
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = pathlib.Path(os.environ.get("SOURCE_DIR", HERE.parent.parent)).resolve()
VESTIGE = pathlib.Path(os.environ.get("VESTIGE", SOURCE / "build/bin/vestige")).resolve()
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?Z?)?")
EPOCH = re.compile(r"(?<=[:=])1[7-9]\d{11}(\d{3}|\d{6})?\b")  # milli-, micro-, nanoseconds: of this decade
GENERATED = {
    "docs/cli.md": ["help", "--markdown"],
    "share/man/vestige.1": ["help", "--man"],
    "share/completions/vestige.bash": ["completion", "bash"],
    "share/completions/_vestige": ["completion", "zsh"],
}


def mask_time(match):
    text = match.group()
    when = datetime.datetime.fromisoformat(text[:19])
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    recent = abs(now - when) < datetime.timedelta(days=1)
    return re.sub(r"\d", "#", text) if recent else text


def visible(data, directory):
    text = data.decode("utf-8", "backslashreplace").replace(directory, "DIR")
    if "PGHOST" in os.environ:
        text = re.sub(r"postgresql://\S*?/(?=[a-z])", "postgresql://SERVER/", text)
    text = EPOCH.sub(lambda c: "#" * len(c.group()), TIME.sub(mask_time, text))
    return re.sub(r"[\x00-\x09\x0b-\x1f]", lambda c: chr(0x2400 + ord(c.group())), text)


def marked(lines, prefix):
    return "".join(prefix + line + "\n" for line in lines)


class Shell:
    """A directory and an environment in which commands run one after the other."""

    def __init__(self, directory, database=None):
        self.directory = directory
        tools = pathlib.Path(directory, ".tools")
        tools.mkdir()
        (tools / "vestige").symlink_to(VESTIGE)
        for name in ("said", "terminal"):
            (tools / name).symlink_to(HERE / f"{name}.py")
        self.environment = {
            "PATH": f"{tools}:/usr/local/bin:/usr/bin:/bin", "HOME": directory, "LC_ALL": "C.UTF-8",
            "TERM": "xterm", "PAGER": "cat", "TZ": "UTC", "VESTIGE_DB": "shop.db", "SOURCE": str(SOURCE),
        }
        if database:
            server = {name: os.environ[name] for name in ("PGHOST", "PGPORT", "PGUSER") if name in os.environ}
            self.environment.update(server, PGDATABASE=database, VESTIGE_DB=f"postgresql:///{database}",
                                    PGOPTIONS="-c client_min_messages=warning")

    def run(self, command):
        if command.startswith("export "):
            for word in shlex.split(command)[1:]:
                name, _, value = word.partition("=")
                self.environment[name] = value
            return ""
        done = subprocess.run(["bash", "-c", command], cwd=self.directory, env=self.environment,
                              stdin=subprocess.DEVNULL, capture_output=True)
        out = visible(done.stdout, self.directory)
        if out and not out.endswith("\n"):
            out += "⏎\n"  # the last line was not ended
        talk = visible(done.stderr, self.directory)
        code = f"[{done.returncode}]\n" if done.returncode else ""
        return out + marked(talk.splitlines(), "! ") + code


def blocks(text):
    """The transcript as (kind, lines): remarks and commands; output is left out."""
    found = []
    for line in text.splitlines():
        if line.startswith("## "):
            found.append(("remark", [line]))
        elif line.startswith("$ "):
            found.append(("command", [line]))
        elif line.startswith("> ") and found and found[-1][0] == "command":
            found[-1][1].append(line)
        elif found and found[-1][0] == "command":
            found.append(("output", []))
    return [block for block in found if block[0] != "output"]


def replay(path, postgres):
    out = ""
    database = f"shop_{path.stem}" if postgres else None
    if database:
        subprocess.run(["createdb", database], check=True)
    with tempfile.TemporaryDirectory() as directory:
        shell = Shell(directory, database)
        previous = ""
        for kind, lines in blocks(path.read_text()):
            if out and (kind == "remark" and previous != "remark" or previous == "command"):
                out += "\n"
            out += marked(lines, "")
            if kind == "command":
                out += shell.run("\n".join(line[2:] for line in lines))
            previous = kind
    return out


def compare(name, expected, actual):
    if expected == actual:
        return True
    sys.stdout.writelines(difflib.unified_diff(expected.splitlines(True), actual.splitlines(True),
                                               f"{name}, expected", f"{name}, now"))
    return False


def main():
    words = sys.argv[1:]
    rewrite = "--rewrite" in words
    postgres = "--postgres" in words
    names = [word for word in words if not word.startswith("--")]
    good = True
    for path in sorted((HERE / "postgres" if postgres else HERE).glob("*.txt")):
        if names and path.stem not in names:
            continue
        actual = replay(path, postgres)
        if rewrite:
            path.write_text(actual)
        else:
            good = compare(str(path.relative_to(SOURCE)), path.read_text(), actual) and good
    for name, command in GENERATED.items() if not names and not postgres else ():
        made = subprocess.run([VESTIGE, *command], capture_output=True, check=True).stdout.decode()
        path = SOURCE / name
        if rewrite:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(made)
        else:
            good = compare(name, path.read_text() if path.exists() else "", made) and good
    if not good:
        print("\nIf the new output is right: test/cli/run.py --rewrite, and read the difference.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
