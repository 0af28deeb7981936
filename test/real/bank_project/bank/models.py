"""Accounts, and the money that moves between them."""
from django.contrib.auth.models import User
from django.db import models


class Account(models.Model):
    number = models.CharField(max_length=24, unique=True)
    owner = models.ForeignKey(User, on_delete=models.PROTECT)
    balance = models.DecimalField(max_digits=18, decimal_places=2)
    note = models.TextField(blank=True)
    details = models.JSONField(default=dict)
    opened = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return self.number


class Transfer(models.Model):
    source = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="sent")
    target = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="received")
    amount = models.DecimalField(max_digits=18, decimal_places=2)
    at = models.DateTimeField(auto_now_add=True)
    token = models.UUIDField(unique=True)
