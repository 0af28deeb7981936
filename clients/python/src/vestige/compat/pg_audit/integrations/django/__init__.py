"""pg-audit's app, which is vestige.django (docs/django.md): INSTALLED_APPS names either, not both."""
