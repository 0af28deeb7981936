from django.db import models
from vestige.django import Track
from vestige.django.models import audit_model


class Product(models.Model):
    name = models.CharField(max_length=255)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    stock = models.IntegerField()

    class Meta:
        # Was: a trigger in SQL that inserted into product_audit.
        indexes = [Track(name="audit_changes")]


class ProductAudit(audit_model(Product)):
    """product_id, action, old_data, new_data, changed_at, and who and why besides: the trail, as the table that it was."""
