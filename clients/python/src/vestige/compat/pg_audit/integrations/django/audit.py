"""register(): in an app's audit.py, which is found as admin.py is."""

from vestige.django.policy import register

__all__ = ["register"]
