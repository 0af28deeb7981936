from __future__ import annotations

import vestige.django
from django_site.shop.models import Order, Product, Strict, Tag

vestige.django.register(Product, exclude_fields=["seen_at"])
vestige.django.register(Tag)
vestige.django.register(Order)
vestige.django.register(Strict, require=["actor"])
