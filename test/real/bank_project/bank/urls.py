from bank import views
from django.contrib import admin
from django.urls import path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("transfer/", views.transfer),
    path("close/<str:number>/", views.close),
    path("interest/", views.interest),
]
