#!/usr/bin/python3
"""A trail that moves, sealed on with the same key: the server crashes with a transaction that is prepared; xids go into the next epoch; a
standby is promoted; the database is dumped and restored into a new cluster, where xids begin anew, and into its own place. Every change is
sealed exactly once, and a checkpoint that was kept from the beginning is extended by each."""
import json
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
        raise SystemExit(f"seal_moves: {what}")


def as_server(*words, **more):
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    return subprocess.run([*user, *map(str, words)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)


class Cluster:
    def __init__(self, top, name, port):
        self.data = top / name
        self.top, self.port = top, port
        self.url = f"postgresql:///shop?host={top}&port={port}&user=postgres"

    def init(self):
        as_server(BIN / "initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C")
        with open(self.data / "postgresql.conf", "a", encoding="ascii") as conf:
            conf.write(f"listen_addresses=''\nunix_socket_directories='{self.top}'\nmax_prepared_transactions=10\n"
                       "shared_buffers=16MB\nmax_wal_size=64MB\ndynamic_shared_memory_type=mmap\n")
        return self

    def start(self):
        as_server(BIN / "pg_ctl", "-D", self.data, "-o", f"-p {self.port}", "-l", self.top / f"log{self.port}", "-w", "start")
        return self

    def stop(self, mode="fast"):
        as_server(BIN / "pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

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


def outlives_an_erasure(cluster, key):
    """--follow waits for an erasure that takes longer than its patience, says so, and goes on."""
    with subprocess.Popen([BIN / "psql", "-XqAt", "-d", cluster.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as eraser:
        eraser.stdin.write("begin; lock table vestige.sealer in share row exclusive mode; select 'held';\n")
        eraser.stdin.flush()
        check(eraser.stdout.readline() == "held\n", "the lock was not taken")
        with subprocess.Popen([VESTIGE, "--db", cluster.url, "seal", "--key", key, "--follow", "--every", "0.01"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as sealer:
            said = sealer.stderr.readline()
            check("it is waited for" in said, f"--follow said {said!r}")
            eraser.stdin.write("commit;\n")
            eraser.stdin.close()
            printed = sealer.stdout.readline()
            sealer.terminate()
            check(printed == "log.example/p\n", f"--follow printed {printed!r}")


class Story:
    def __init__(self, top, cluster):
        self.top, self.row = top, 0
        cluster.sql("create database shop", "postgres")
        cluster.sql("create table p (id int primary key)")
        cluster.vestige("init")
        cluster.vestige("track", "p")
        (top / "vkey").write_text(cluster.vestige("keygen", "--origin", "log.example/p", "--out", top / "key"))
        self.write(cluster)
        (top / "kept").write_text(self.seal(cluster, 0, "the beginning"))

    def write(self, cluster, before="", after=""):
        self.row += 1
        cluster.sql(f"{before} insert into p values ({self.row}); {after}")

    def seal(self, cluster, waiting, where):
        """Everything is sealed that is not waiting in a transaction, and nothing twice."""
        checkpoint = cluster.vestige("seal", "--key", self.top / "key")
        size = int(checkpoint.split("\n")[1])
        check(size == self.row - waiting, f"{where}: {size} of {self.row} changes are sealed, and {waiting} wait")
        kept = ["--checkpoint", self.top / "kept"] if (self.top / "kept").exists() else []
        verdict = json.loads(cluster.vestige("verify", "--vkey", self.top / "vkey", "--format", "json", *kept).splitlines()[-1])
        check(verdict["verified"] == size and not verdict["discrepancies"] and not verdict["unsealed"], f"{where}: {verdict}")
        print(f"{where}: {size} sealed, {waiting} wait", flush=True)
        return checkpoint


def main():
    with tempfile.TemporaryDirectory(prefix="vestige-moves-") as made:
        top = pathlib.Path(made)
        if os.geteuid() == 0:
            shutil.chown(top, "postgres")
        running = []
        try:
            first = Cluster(top, "first", 5801).init().start()
            running.append(first)
            story = Story(top, first)
            story.write(first)
            outlives_an_erasure(first, top / "key")

            story.write(first, "begin;", "prepare transaction 'long';")
            story.write(first)
            story.seal(first, 1, "prepared")
            first.stop("immediate")
            first.start()
            story.write(first)
            story.seal(first, 1, "crashed")
            first.sql("commit prepared 'long'")
            story.seal(first, 0, "its prepared transaction is at an end")

            first.stop()
            as_server(BIN / "pg_resetwal", "-e", "3", "-D", first.data)
            first.start()
            story.write(first)
            story.write(first, "begin;", "prepare transaction 'long';")
            story.write(first)
            story.seal(first, 1, "another epoch")
            newest = int(first.sql("select c.xid::text from vestige.change c order by c.xid desc limit 1"))
            check(newest > 3 << 32, f"{newest} is no xid of that epoch")

            as_server(BIN / "pg_basebackup", "-D", top / "second", "-R", "-c", "fast", "-d", f"host={top} port=5801 user=postgres")
            second = Cluster(top, "second", 5802).start()
            running.append(second)
            story.write(first)
            story.seal(first, 1, "with a standby")
            story.write(first)
            at = first.sql("select pg_current_wal_flush_lsn()")
            second.sql(f"do $$ begin for i in 1..600 loop exit when pg_last_wal_replay_lsn() >= '{at}';"
                       " perform pg_sleep(0.1); end loop; end $$")
            first.stop("immediate")
            running.remove(first)
            second.sql("select pg_promote()")
            story.write(second)
            story.seal(second, 1, "promoted")
            second.sql("commit prepared 'long'")
            story.seal(second, 0, "its prepared transaction is at an end")

            # Restored where xids begin anew, far below those of the rows, while others are at work there.
            story.write(second)
            dump = subprocess.run([BIN / "pg_dump", "-d", second.url], stdout=subprocess.PIPE, text=True, check=True).stdout
            third = Cluster(top, "third", 5803).init().start()
            running.append(third)
            third.sql("create role vestige_reader; create role vestige_auditor; create role vestige_admin; create database shop", "postgres")
            third.sql(dump)
            check(int(third.sql("select pg_current_xact_id()::text")) < 1 << 32, "xids did not begin anew")
            third.vestige("init")
            story.write(third, "begin;", "prepare transaction 'there';")
            story.write(third)
            story.seal(third, 1, "restored in another cluster")
            story.write(third)
            story.seal(third, 1, "gone on with there")
            third.sql("commit prepared 'there'")
            story.write(third)
            story.seal(third, 0, "its prepared transaction is at an end")

            # And in its own place: the same cluster and database.
            story.write(third)
            dump = subprocess.run([BIN / "pg_dump", "-d", third.url], stdout=subprocess.PIPE, text=True, check=True).stdout
            third.sql("drop table p; drop schema vestige cascade")
            third.sql(dump)
            third.vestige("init")
            story.write(third)
            story.seal(third, 0, "restored in its own place")
            story.write(third)
            story.seal(third, 0, "gone on with there")
        finally:
            for cluster in running:
                cluster.stop("immediate")


if __name__ == "__main__":
    sys.exit(main())
