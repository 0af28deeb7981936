from __future__ import annotations

from django.contrib import admin
from django.urls import path

from django_site.shop import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("products/<int:pk>/price/<str:price>/", views.set_price, name="set-price"),
    path("products/<int:pk>/", views.show, name="show"),
    path("async/products/<int:pk>/price/<str:price>/", views.set_price_async, name="set-price-async"),
    path("late/<str:name>/<int:pk>/", views.late_user, name="late"),
    path("stream/<int:pk>/", views.stream, name="stream"),
]
