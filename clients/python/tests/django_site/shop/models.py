from __future__ import annotations

from django.db import models

from vestige.django import Track


class Tag(models.Model):
    word = models.CharField(max_length=50, unique=True)

    def __str__(self) -> str:
        return self.word


class Product(models.Model):
    name = models.CharField(max_length=255)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    stock = models.IntegerField(default=0, db_column="in_stock")
    seen_at = models.DateTimeField(auto_now=True)
    tags = models.ManyToManyField(Tag, blank=True)

    def __str__(self) -> str:
        return self.name


class Order(models.Model):
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="orders")
    amount = models.IntegerField()


class Strict(models.Model):
    """Nothing of it is changed without an actor."""

    note = models.TextField()


class Letter(models.Model):
    """Its policy stands in the migrations."""

    text = models.TextField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (Track(name="letter_history", exclude_fields=["read_at"]),)
