"""A small application beside Django's own: every kind of column and reference."""
import os
import uuid

from django.conf import settings
from django.db import models

LATER = os.environ.get("LIBRARY_LATER") == "1"  # the models as after migration 0002


class Author(models.Model):
    name = models.CharField(max_length=200 if LATER else 80)
    born = models.DateField(null=True)


class Tag(models.Model):
    slug = models.SlugField(primary_key=True)


class Book(models.Model):
    uuid = models.UUIDField(default=uuid.uuid4, unique=True)
    author = models.ForeignKey(Author, models.CASCADE)
    tags = models.ManyToManyField(Tag)
    price = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    rating = models.FloatField(null=True)
    cover = models.BinaryField(null=True)
    data = models.JSONField(default=dict)
    added = models.DateTimeField(auto_now_add=True)


if LATER:
    Book.add_to_class("name", models.CharField(max_length=200))
    Book.add_to_class("pages", models.PositiveIntegerField(default=1))
else:
    Book.add_to_class("title", models.CharField(max_length=200))


class Loan(models.Model):
    book = models.ForeignKey(Book, models.SET_NULL, null=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    days = models.SmallIntegerField(default=14)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["book", "user"], name="one_loan")]
