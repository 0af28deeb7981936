from django.contrib.auth.models import User as Account
from django.db import models


class User(models.Model):
    account = models.OneToOneField(Account, null=True, on_delete=models.SET_NULL)
    name = models.CharField(max_length=100)
    email = models.EmailField()
    last_seen = models.DateTimeField(null=True)


class Product(models.Model):
    name = models.CharField(max_length=100)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)


class Subscription(models.Model):
    plan = models.CharField(max_length=20)
    is_active = models.BooleanField(default=False)
