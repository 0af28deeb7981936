from django.http import HttpResponse

from vestige.compat.pg_audit.context import audit_context, with_change_reason

from .models import Product, Subscription, User


@with_change_reason("User requested password reset")
def reset_password(user_id):
    User.objects.filter(pk=user_id).update(email="reset@example.com")


def reset(request, user_id):
    reset_password(user_id)
    return HttpResponse(request.request_id)


def activate(request, pk):
    with audit_context.use_change_reason("Bulk update for compliance"):
        Subscription.objects.filter(pk=pk).update(is_active=True)
        Product.objects.update(price=2)
    return HttpResponse(request.request_id)
