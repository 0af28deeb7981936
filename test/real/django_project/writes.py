"""What an application does through the ORM. usage: writes.py main | after"""
import datetime
import random
import sys

import django

django.setup()

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry  # noqa: E402
from django.contrib.auth.models import Group, Permission, User  # noqa: E402
from django.contrib.contenttypes.models import ContentType  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.contrib.sessions.models import Session  # noqa: E402
from django.db import IntegrityError, connection, transaction  # noqa: E402
from django.db.models import F, Value  # noqa: E402
from django.db.models.functions import Concat, Upper  # noqa: E402
from library.models import Author, Book, Loan, Tag  # noqa: E402


class said:
    """Context by plain SQL, in one transaction with what it is about."""

    def __init__(self, actor, reason):
        self.words = [actor, reason]
        self.atomic = transaction.atomic()

    def __enter__(self):
        self.atomic.__enter__()
        with connection.cursor() as cursor:
            cursor.execute("insert into vestige_session (actor, reason) values (%s, %s)", self.words)

    def __exit__(self, *error):
        if error[0] is None:
            with connection.cursor() as cursor:
                cursor.execute("delete from vestige_session")
        return self.atomic.__exit__(*error)


def people():
    staff = Group.objects.create(name="Staff")
    with said("admin", "a group for the readers"):
        readers = Group.objects.create(name="Leser ☕")
        readers.permissions.set(Permission.objects.filter(content_type__app_label="library"))
    users = [User.objects.create_user(f"user{n}", f"user{n}@example.org", "secret") for n in range(12)]
    for n, user in enumerate(users):
        user.groups.add(readers, *([staff] if n % 4 == 0 else []))
        user.user_permissions.set(Permission.objects.order_by("id")[n:n + 5])
    readers.permissions.remove(*readers.permissions.order_by("id")[:3])
    with said("admin", "new names"):
        for user in users[::3]:
            user.first_name, user.is_staff = "Zoë", True
            user.save(update_fields=["first_name", "is_staff"])
    users[1].set_password("other")
    users[1].save()
    User.objects.filter(username__endswith="2").update(last_name=Upper("username"), is_active=False)
    return users


def books(users):
    rng = random.Random(7)
    authors = [Author.objects.create(name=f"Autor {n} Ü", born=datetime.date(1900 + n, 1, 31)) for n in range(8)]
    Tag.objects.bulk_create([Tag(slug=f"tag-{n}") for n in range(15)])
    Book.objects.bulk_create([
        Book(title=f"Book {n} “quoted” 'n' 北京", author=authors[n % 8], price=n * 3, rating=rng.random() * 5,
             cover=bytes(rng.randrange(256) for _ in range(n)), data={"n": n, "of": ["a", None, 1.5]})
        for n in range(60)])
    everything = list(Book.objects.order_by("id"))
    for book in everything[:30]:
        book.tags.set([f"tag-{n}" for n in rng.sample(range(15), 3)])
    with said("import", "prices of 2026"):
        Book.objects.update(price=F("price") + 1)
        Book.objects.filter(id__in=[book.id for book in everything[::2]]).update(title=Concat("title", Value(" (new)")))
    for book in everything[10:40]:
        book.rating = None if book.id % 3 == 0 else -0.0
        book.data = {}
    Book.objects.bulk_update(everything[10:40], ["rating", "data"], batch_size=7)
    Loan.objects.bulk_create([Loan(book=everything[n], user=users[n % 12], days=n) for n in range(40)])
    Loan.objects.bulk_create([Loan(book=everything[n], user=users[n % 12]) for n in range(50)], ignore_conflicts=True)
    return authors, everything


def nothing_left(users):
    """Rolled back, wholly or in part."""
    try:
        with transaction.atomic():
            User.objects.update(is_active=False)
            Book.objects.all().delete()
            raise IntegrityError("on purpose")
    except IntegrityError:
        pass
    with transaction.atomic():
        users[5].email = "kept@example.org"
        users[5].save()
        try:
            with transaction.atomic():
                Group.objects.create(name="Staff")
        except IntegrityError:
            pass
        users[6].email = "kept@example.org"
        users[6].save()
    try:
        with said("nobody", "never"):
            Tag.objects.all().delete()
            raise IntegrityError("on purpose")
    except IntegrityError:
        pass


def sessions_and_log(users):
    for user in users[:6]:
        session = SessionStore()
        session["user"], session["cart"] = user.id, list(range(user.id))
        session.create()
        session["cart"] = []
        session.save()
        LogEntry.objects.log_action(user.id, ContentType.objects.get_for_model(User).id, user.id, str(user), ADDITION, "made")
    LogEntry.objects.filter(user=users[0]).update(action_flag=CHANGE, change_message='[{"changed": {}}]')
    Session.objects.order_by("session_key").first().delete()


def deletes(users, authors, everything):
    authors[0].delete()  # its books, their tags, loans set to null
    with said("admin", "left the company"):
        users[3].delete()
    everything[21].tags.clear()
    Tag.objects.filter(slug__in=["tag-1", "tag-2"]).delete()
    Group.objects.get(name="Staff").delete()
    # A key that moves: the ORM writes a new row; the old one goes.
    tag = Tag.objects.get(slug="tag-3")
    with transaction.atomic():
        Tag.objects.create(slug="tag-drei")
        Book.tags.through.objects.filter(tag_id="tag-3").update(tag_id="tag-drei")
        tag.delete()
    # And one that really moves; the references follow later in the transaction (they are deferred).
    with said("admin", "another key"):
        Tag.objects.filter(slug="tag-4").update(slug="tag-vier")
        Book.tags.through.objects.filter(tag_id="tag-4").update(tag_id="tag-vier")
    Loan.objects.filter(book=None).delete()


def after_the_migration():
    author = Author.objects.create(name="x" * 150)
    book = Book.objects.create(name="After the migration", author=author, pages=321)
    book.tags.add(Tag.objects.first())
    Book.objects.filter(id=book.id).update(pages=322, name="After it")
    Author.objects.filter(id=2).update(name="Renamed later")
    print(book.id)


if sys.argv[1] == "main":
    readers = people()
    writers, shelf = books(readers)
    nothing_left(readers)
    sessions_and_log(readers)
    deletes(readers, writers, shelf)
else:
    after_the_migration()
