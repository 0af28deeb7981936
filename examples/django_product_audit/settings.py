import os

SECRET_KEY = "of an example"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ.get("DATABASE", "products")}}
INSTALLED_APPS = ["django.contrib.contenttypes", "vestige.django", "myapp"]
MIDDLEWARE = ["vestige.django.middleware.ContextMiddleware"]
