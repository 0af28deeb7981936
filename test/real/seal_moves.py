#!/usr/bin/python3
"""A trail that moves, sealed on with the same key: the server crashes with a transaction that is prepared; xids go into the next epoch; a
standby is promoted; the database is dumped and restored into a new cluster, where xids begin anew, and into its own place. Every change is
sealed exactly once, and a checkpoint that was kept from the beginning is extended by each."""
import json
import subprocess
import sys

from clusters import BIN, VESTIGE, Cluster, as_server, check, folder


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
    with folder("vestige-moves-") as top:
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

            second = first.standby("second", 5802).start()
            running.append(second)
            story.write(first)
            story.seal(first, 1, "with a standby")
            story.write(first)
            at = first.sql("select pg_current_wal_flush_lsn()")
            second.sql(f"do $$ begin for i in 1..600 loop exit when pg_last_wal_replay_lsn() >= '{at}';"
                       " perform pg_sleep(0.1); end loop; end $$")
            first.stop("immediate")
            running.remove(first)
            second.promote()
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
