from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from rest_framework.routers import SimpleRouter

from django_site.shop import rest, views

router = SimpleRouter()
router.register("products", rest.ProductViewSet)

urlpatterns = [
    path("api/", include(router.urls)),
    path("admin/", admin.site.urls),
    path("products/<int:pk>/price/<str:price>/", views.set_price, name="set-price"),
    path("products/<int:pk>/", views.show, name="show"),
    path("async/products/<int:pk>/price/<str:price>/", views.set_price_async, name="set-price-async"),
    path("late/<str:name>/<int:pk>/", views.late_user, name="late"),
    path("stream/<int:pk>/", views.stream, name="stream"),
]
