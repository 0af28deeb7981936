from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.serializers import ModelSerializer
from rest_framework.viewsets import ModelViewSet

from django_site.shop.models import Product
from vestige.django.rest import HistoryMixin


class ProductSerializer(ModelSerializer):
    class Meta:
        model = Product
        fields = ("id", "name", "price")


class Token(BaseAuthentication):
    """As a token or JWT does: the user is known in the view, not before."""

    def authenticate(self, request: Any) -> Any:
        name = request.headers.get("Authorization", "").removeprefix("Token ")
        return (User.objects.get(username=name), None) if name else None


class ProductViewSet(HistoryMixin, ModelViewSet):
    queryset = Product.objects.all()
    serializer_class = ProductSerializer
    authentication_classes = (Token,)
    permission_classes = (IsAuthenticated,)
