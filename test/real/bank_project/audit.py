"""What a project adds for Vestige: every request says who it is from, by plain SQL. No application code changes."""
import json

from django.db import connection, transaction


class Context:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        """One transaction for each request, which says its context first; it ends with the transaction."""
        fields = {"actor": request.user.get_username(), "reason": f"{request.method} {request.path}",
                  "request_id": request.headers.get("X-Request-Id"), "ip_address": request.META.get("REMOTE_ADDR"),
                  "user_agent": request.META.get("HTTP_USER_AGENT")}
        with transaction.atomic():
            if request.user.is_authenticated:
                with connection.cursor() as cursor:
                    cursor.execute("select set_config('vestige.context', %s, true)",
                                   [json.dumps({name: value for name, value in fields.items() if value})])
            return view(request, *args, **kwargs)
