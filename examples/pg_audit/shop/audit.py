from vestige.compat.pg_audit.integrations.django.audit import register

from .models import Product, Subscription, User

register(User, track_only=["name", "email"])
register(Product, exclude_fields=["created_at", "updated_at"])
register(Subscription, log_conditions="NEW.is_active = TRUE")
