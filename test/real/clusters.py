"""PostgreSQL clusters that a test may stop, crash, copy and promote: in one folder, with their sockets there, each by its port."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

VESTIGE = os.environ["VESTIGE"]
BIN = pathlib.Path(subprocess.run(["sh", "-c", "ls -d /usr/lib/postgresql/*/bin | tail -1"], stdout=subprocess.PIPE,
                                  text=True, check=True).stdout.strip())


def check(good, what):
    if not good:
        raise SystemExit(f"{pathlib.Path(sys.argv[0]).stem}: {what}")


@contextlib.contextmanager
def folder(prefix):
    """One that the server's user owns; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=prefix) as made:
        top = pathlib.Path(made)
        if os.geteuid() == 0:
            shutil.chown(top, "postgres")
        yield top


def as_server(*words, **more):
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    return subprocess.run([*user, *map(str, words)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)


class Cluster:
    def __init__(self, top, name, port):
        self.data = top / name
        self.top, self.port = top, port
        self.place = f"host={top} port={port} user=postgres dbname=shop"
        self.url = f"postgresql:///shop?host={top}&port={port}&user=postgres"

    def init(self, **settings):
        as_server(BIN / "initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C")
        self.configure(listen_addresses="", unix_socket_directories=self.top, max_prepared_transactions=10, shared_buffers="16MB",
                       max_wal_size="64MB", dynamic_shared_memory_type="mmap", **settings)
        return self

    def configure(self, **settings):
        with open(self.data / "postgresql.conf", "a", encoding="ascii") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def start(self):
        as_server(BIN / "pg_ctl", "-D", self.data, "-o", f"-p {self.port}", "-l", self.top / f"log{self.port}", "-w", "start")
        return self

    def stop(self, mode="fast"):
        as_server(BIN / "pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def standby(self, name, port):
        """A copy that follows this one; yet to be started."""
        as_server(BIN / "pg_basebackup", "-D", self.top / name, "-R", "-c", "fast", "-d",
                  f"host={self.top} port={self.port} user=postgres")
        return Cluster(self.top, name, port)

    def promote(self):
        self.sql("select pg_promote()")

    def sql(self, text, database="shop"):
        done = subprocess.run([BIN / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", self.url.replace("/shop?", f"/{database}?")],
                              input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        check(done.returncode == 0, f"{text}: {done.stderr}")
        return done.stdout.strip()

    def vestige(self, *words):
        done = subprocess.run([VESTIGE, "--db", self.url, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              check=False)
        check(done.returncode == 0, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout
