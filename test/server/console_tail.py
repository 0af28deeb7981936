#!/usr/bin/python3
"""The live tail: each change once, in the order of the feed, whatever becomes of the server meanwhile."""
import http.client
import random
import signal
import sys
import threading
import time

from served import Shop, check, quoted

ROUNDS = 6
EACH = 15


def follow(console, seen, after, stop):
    for index, name, data in console.events(after=after):
        if name == "change":
            seen.append((index, data["id"]))
        if stop():
            return


def begun(console):
    """A tail that has begun. Those of before go when the server has seen that nobody reads them."""
    while True:
        tail = console.events()
        try:
            next(tail)
            return tail
        except SystemExit:
            time.sleep(0.1)


def main():
    shop = Shop("--postgres" in sys.argv)
    shop.sql("create table products (id integer primary key, name text, price integer); insert into products values (1, 'Teapot', 0)")
    shop.vestige("init")
    shop.vestige("track", "products")
    shop.exec("ann", "update products set price = -1")
    rng = random.Random(7)
    seen, after, price, port = [], -1, 0, 0
    for n in range(ROUNDS):
        console = shop.serve(port=port)
        port = console.port
        last = ROUNDS * EACH + 1

        def writes():
            nonlocal price
            for _ in range(EACH):
                price += 1
                shop.exec("ann" if price % 3 else "bob", f"update products set price = {price}")

        writer = threading.Thread(target=writes)
        writer.start()
        wanted = rng.randrange(1, EACH)
        here = len(seen)
        if n + 1 < ROUNDS:
            # Killed while it tails and others write.
            follow(console, seen, after, lambda: len(seen) - here >= wanted)
            console.end(signal.SIGKILL)
            writer.join()
        else:
            writer.join()
            follow(console, seen, after, lambda: len(seen) == last)
        after = seen[-1][0]
    check([index for index, _ in seen] == list(range(last)), f"a gap, or one twice: {seen}")
    check([change for _, change in seen] == [one["id"] for one in reversed(shop.lines("log"))], "each change, in its order")

    # A filter; and what was passed over is not lost by coming again.
    found = []
    for index, name, data in console.events("?q=" + quoted("who:bob") + "&after=-1"):
        if name == "change":
            found.append(data)
        if len(found) == len(shop.lines("log", "-q", "who:bob")):
            break
    check([{key: value for key, value in one.items() if key != "index"} for one in found] == shop.lines("log", "-q", "who:bob", "--reverse"), "a filter")
    check(all((one["index"], one["id"]) in seen for one in found), "with its index")
    events = console.events()
    index, name, data = next(events)
    check((index, name, data) == (last - 1, "at", {"index": last - 1}), f"who comes without a place is told where it is: {index} {name}")
    shop.exec("ann", "update products set price = 1000000")
    index, name, data = next(events)
    check(name == "change" and index == last and data["new_values"] == {"price": 1000000} and data["index"] == index, f"what comes now: {data}")
    events.close()
    check(console.ask("/api/v1/events?after=99999").status == 503 or console.ask("/api/v1/events?after=99999").status == 409, "an index that never was")
    check(console.ask("/api/v1/events?after=x").status == 400 and console.ask("/api/v1/events?q=" + quoted("nobody:1")).status == 400, "no index, no filter")

    # No more than 32 of them; those that go make room.
    tails = [begun(console) for _ in range(32)]
    refused = console.ask("/api/v1/events")
    check(refused.status == 503 and refused.headers["Retry-After"], f"one too many: {refused}")
    check(console.ask("/api/v1/changes").status == 200, "others are answered beside them")
    for one in tails:
        one.close()
    begun(console).close()
    # A stop ends tails, too.
    standing = begun(console)
    console.end()
    standing.close()
    # No more than 8 of them are one user's.
    console = shop.serve("--auth", "header", "--proxy", "127.0.0.1/32")
    tails = []
    for user, status in [("ann", 200)] * 8 + [("ann", 503), ("bob", 200)]:
        tails.append(http.client.HTTPConnection("127.0.0.1", console.port, timeout=60))
        tails[-1].request("GET", "/api/v1/events", headers={"X-Forwarded-User": user})
        answer = tails[-1].getresponse()
        check(answer.status == status, f"a tail of {user}: {answer.status}")
        tails.append(answer)
    for one in tails:
        one.close()
    console.end()
    shop.remove()
    print(f"console: {len(seen)} changes, each once, over {ROUNDS - 1} kills")


main()
