from django.urls import path
from shop import views

urlpatterns = [path("reset/<int:user_id>", views.reset, name="reset"), path("activate/<int:pk>", views.activate, name="activate")]
