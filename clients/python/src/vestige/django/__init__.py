"""Django: who acts is said by a middleware, which models are tracked by audit.py, and the rest by `migrate`.

    INSTALLED_APPS = [..., "vestige.django"]
    MIDDLEWARE = [..., "vestige.django.middleware.ContextMiddleware"]

The manual is docs/django.md.
"""

from vestige.django.errors import Conflict, MissingContext
from vestige.django.index import Track
from vestige.django.policy import register, track, unregister

__all__ = ["Conflict", "MissingContext", "Track", "register", "track", "unregister"]
