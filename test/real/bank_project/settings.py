"""A Django project as startproject makes it, on PostgreSQL behind PgBouncer in transaction mode."""
import os

SECRET_KEY = "only for the test"
DEBUG = False
ALLOWED_HOSTS = ["testserver"]
ROOT_URLCONF = "bank.urls"
USE_TZ = True
DATABASES = {"default": {
    "ENGINE": "django.db.backends.postgresql", "NAME": os.environ["BANK_DB"], "USER": os.environ["BANK_USER"],
    "HOST": os.environ["BANK_HOST"], "PORT": os.environ["BANK_PORT"],
    "DISABLE_SERVER_SIDE_CURSORS": True,  # as Django's documentation asks for, behind PgBouncer
}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the others are slow on purpose
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "bank",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "audit.Context",
]
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "APP_DIRS": True,
    "OPTIONS": {"context_processors": [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]},
}]
