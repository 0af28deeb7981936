"""Runs docs/django.md in a project of its own: `django_page.py PAGE DIRECTORY DATABASE`.

A block of Python that begins with the name of a file is that file; the others are run, and print what stands below them. A session
calls commands of manage.py. What a block leaves out is the beginning that `manage.py startproject` writes.
"""

from __future__ import annotations

import contextlib
import io
import os
import pathlib
import re
import shlex
import sys
from typing import Any

BLOCK = re.compile(r"^```(python|shellsession|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\S+\.py)\n")
STARTED = """SECRET_KEY = "of a test"
USE_TZ = True
ROOT_URLCONF = "urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": %r}}
INSTALLED_APPS = ["django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
                  "django.contrib.messages"]
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware",
              "django.contrib.messages.middleware.MessageMiddleware"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": {"context_processors": [
    "django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages"]}}]
"""


def main(page: str, directory: str, database: str) -> None:
    top = pathlib.Path(directory)
    (top / "settings.py").write_text(STARTED % database)
    (top / "urls.py").write_text("urlpatterns = []\n")
    for app in ("shop", "shop/migrations"):
        (top / app).mkdir()
        (top / app / "__init__.py").touch()
    sys.path.insert(0, directory)
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    blocks = BLOCK.findall(pathlib.Path(page).read_text(encoding="utf-8"))
    for kind, text in blocks:
        named = FILE.match(text) if kind == "python" else None
        if named is not None:
            path = top / named[1]
            path.parent.mkdir(exist_ok=True)
            known = path.read_text() if path.exists() else ""
            path.write_text(
                known
                + text.replace("INSTALLED_APPS = [..., ", "INSTALLED_APPS += [").replace("MIDDLEWARE = [..., ", "MIDDLEWARE += [")
            )
    import django

    django.setup()
    names: dict[str, Any] = {}
    printed, ran = "", 0
    for kind, text in blocks:
        if kind == "text":
            assert printed == text, f"printed:\n{printed}\nthe page has:\n{text}"
            printed = ""
        elif kind == "shellsession":
            printed = commands(text)
            ran += 1
        elif kind == "python" and not FILE.match(text):
            assert printed == "", f"what a block prints has to stand below it: {printed}"
            with contextlib.redirect_stdout(io.StringIO()) as into:
                exec(compile(text, "docs/django.md", "exec"), names)
            printed = into.getvalue()
            ran += 1
    assert printed == "", f"what a block prints has to stand below it: {printed}"
    print(ran)


def commands(text: str) -> str:
    """Runs what stands behind `$`, and gives what differs from what stands below each."""
    from django.core.management import call_command

    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        line, _, wanted = part.partition("\n")
        words = shlex.split(line)
        assert words[:2] == ["python", "manage.py"], line
        with contextlib.redirect_stdout(io.StringIO()) as into:
            call_command(*words[2:], stdout=into)
        printed = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "2026-11-29 12:00:00", into.getvalue())
        if wanted:
            assert printed == wanted, f"{line} printed:\n{printed}\nthe page has:\n{wanted}"
    return ""


if __name__ == "__main__":
    main(*sys.argv[1:])
