"""Two requests, by a person who is logged in."""

from django.contrib.auth.models import User as Account
from django.db import connection
from django.test import Client
from shop.models import Product, Subscription, User

account = Account.objects.create_user("ann", password="secret")
User.objects.create(name="Ann", email="a@example.com", account=account)
Product.objects.create(name="Teapot", price=1)
Subscription.objects.create(plan="basic")

client = Client()
client.force_login(account)
client.get(f"/reset/{User.objects.get().pk}")
client.get(f"/activate/{Subscription.objects.get().pk}")

with connection.cursor() as cursor:
    cursor.execute("select action, table_name, changed_by, business_process, reason, changed_fields from vestige.audit_log order by id")
    for row in cursor:
        print(*row)
