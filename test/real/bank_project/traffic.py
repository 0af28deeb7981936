"""People at work in the bank, through Django's test client. usage: traffic.py people | busy | admin | anonymous

busy prints, a line for each request that was answered with "done": its id and its user."""
import random
import sys
import threading
import time
import uuid

import django

django.setup()

from bank.models import Account  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402


def client(name):
    one = Client(HTTP_USER_AGENT="test client")
    one.force_login(User.objects.get(username=name))
    return one


def people():
    User.objects.create_superuser("root", "root@example.org", "secret")
    for n in range(4):
        user = User.objects.create_user(f"teller{n}", f"teller{n}@example.org", "secret")
        for k in range(3):
            Account.objects.create(number=f"DE{n}{k}", owner=user, balance="1000.00", details={"näme": f"Konto “{k}”", "limits": [1, 2.50]})


def teller(name, seed, said, failed):
    try:
        dice = random.Random(seed)
        me = client(name)
        for turn in range(25):
            source, target = dice.sample([f"DE{n}{k}" for n in range(4) for k in range(3)], 2)
            request = str(uuid.uuid4())
            form = {"from": source, "to": target, "amount": dice.choice(["0.01", "12.50", "99999"])}
            if dice.random() < 0.2:
                form["token"] = "00000000-0000-0000-0000-00000000000" + str(dice.randrange(3))
            answer = me.post("/transfer/", form, HTTP_X_REQUEST_ID=request)
            if answer.content == b"done":
                said.append((request, name))
            elif answer.content not in (b"done before", b"not enough money"):
                failed.append(answer.content)
    except Exception as error:
        failed.append(error)
    finally:
        connection.close()


def busy():
    said, failed = [], []
    threads = [threading.Thread(target=teller, args=(f"teller{n % 4}", n, said, failed)) for n in range(6)]
    for thread in threads:
        thread.start()
    turn = 0
    while turn < 10 or any(thread.is_alive() for thread in threads):  # somebody says nothing, through the same pool
        Account.objects.filter(number="DE00").update(note=f"turn {turn}")
        turn += 1
        time.sleep(0.05)
    for thread in threads:
        thread.join()
    if failed:
        sys.exit(f"requests failed: {failed}")
    for request, name in said:
        print(request, name)


def admin():
    root = client("root")
    user = User.objects.get(username="teller0")
    page = "/admin/bank/account/"
    form = {"number": "NEW1", "owner": user.pk, "balance": "5.00", "note": "by hand", "details": '{"a": 1}'}
    assert root.post(page + "add/", form, HTTP_X_REQUEST_ID="admin-add").status_code == 302
    new = Account.objects.get(number="NEW1")
    form |= {"balance": "6.00", "note": "by hand, twice"}
    assert root.post(f"{page}{new.pk}/change/", form, HTTP_X_REQUEST_ID="admin-change").status_code == 302
    assert root.post("/interest/", HTTP_X_REQUEST_ID="interest").content == b"paid"
    assert root.post("/close/DE11/", HTTP_X_REQUEST_ID="close").content == b"closed"  # and its transfers, by Django's cascade
    assert root.post(f"{page}{new.pk}/delete/", {"post": "yes"}, HTTP_X_REQUEST_ID="admin-delete").status_code == 302


def anonymous():
    assert Client().post("/transfer/", {"from": "DE00", "to": "DE01", "amount": "1"}).content == b"done"


{"people": people, "busy": busy, "admin": admin, "anonymous": anonymous}[sys.argv[1]]()
