"""One server by several aliases: as it is, counted by a proxy, with bound parameters, out of a pool; and a file of SQLite."""

from __future__ import annotations

import os
from typing import Any

SECRET_KEY = "of the tests"
DEBUG = False
USE_TZ = True
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "django_site.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "/static/"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

_SERVER: dict[str, Any] = {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": f"django_site_{os.environ.get('DJANGO_PSYCOPG', '3')}",
    "HOST": os.environ.get("PGHOST", ""),
    "PORT": os.environ.get("PGPORT", ""),
}
DATABASES: dict[str, dict[str, Any]] = {
    "default": {**_SERVER},
    "counted": {**_SERVER, "HOST": "127.0.0.1", "PORT": os.environ.get("COUNTED_PORT", "1"), "OPTIONS": {"sslmode": "disable"}},
    "plain": {**_SERVER, "HOST": "127.0.0.1", "PORT": os.environ.get("COUNTED_PORT", "1"), "OPTIONS": {"sslmode": "disable"}},
    "lite": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ.get("DJANGO_LITE", ":memory:")},
}
if os.environ.get("DJANGO_PSYCOPG") != "2":
    DATABASES["binding"] = {**_SERVER, "OPTIONS": {"server_side_binding": True}}
DATABASE_ROUTERS = ["django_site.router.Router"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "vestige.django",
    "django_site.shop",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "vestige.django.middleware.ContextMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
VESTIGE = {
    "DATABASES": [alias for alias in DATABASES if alias != "plain"],
    "EXTENSION": os.environ.get("VESTIGE_EXTENSION"),
    "TESTS": "on",
}
