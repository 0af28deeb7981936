"""A Django project that the tests use: a shop on PostgreSQL and on SQLite, set up once a run by `site` in conftest.py."""
