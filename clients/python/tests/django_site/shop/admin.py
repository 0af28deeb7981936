from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User

from django_site.shop.models import Order, Product, Tag
from vestige.django.admin import HistoryMixin


class OrderInline(admin.TabularInline):
    model = Order
    extra = 0


@admin.register(Product)
class ProductAdmin(HistoryMixin, admin.ModelAdmin):
    list_display = ("name", "price", "stock")
    inlines = (OrderInline,)
    history_per_page = 5

    def has_view_permission(self, request: Any, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and not _secret(obj)

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not _secret(obj)


def _secret(obj: Any) -> bool:
    return obj is not None and obj.name == "Secret"


admin.site.register(Tag)
admin.site.unregister(User)


@admin.register(User)
class HistoryUserAdmin(HistoryMixin, UserAdmin):
    pass
