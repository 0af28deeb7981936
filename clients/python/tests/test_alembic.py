"""Alembic's migrations: written by autogenerate, gone forward and back, as scripts, and of SQLite's copied tables."""

from __future__ import annotations

import contextlib
import io
import pathlib
import sqlite3
import subprocess
from collections.abc import Iterator
from typing import Any

import alembic.command
import alembic.config
import alembic.util
import pytest
import sqlalchemy as sa
from sqlalchemy_models import EXTENSION, database, made, marks, server  # noqa: F401

import vestige
import vestige.sqlalchemy as va

pytestmark = marks
ENV = """
from alembic import context
import vestige.sqlalchemy.alembic

at = context.config.attributes
if context.is_offline_mode():
    context.configure(dialect_name=at["engine"].dialect.name, target_metadata=at["metadata"], literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with at["engine"].connect() as connection:
        context.configure(connection=connection, target_metadata=at["metadata"], render_as_batch=True, **at["options"])
        with context.begin_transaction():
            context.run_migrations()
        if hasattr(connection, "commit"):
            connection.commit()
"""
SCRIPT = """\"\"\"${message}\"\"\"
from alembic import op
import sqlalchemy as sa
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade():
    ${upgrades if upgrades else "pass"}


def downgrade():
    ${downgrades if downgrades else "pass"}
"""


class Project:
    """A program with migrations, whose models change."""

    def __init__(self, engine: Any, path: pathlib.Path) -> None:
        self.engine, self.path = engine, path
        (path / "versions").mkdir(parents=True)
        (path / "env.py").write_text(ENV)
        (path / "script.py.mako").write_text(SCRIPT)
        self.options: dict[str, Any] = {}

    def config(self, metadata: sa.MetaData) -> alembic.config.Config:
        config = alembic.config.Config(output_buffer=io.StringIO(), stdout=io.StringIO())
        config.set_main_option("script_location", str(self.path))
        config.attributes.update(engine=self.engine, metadata=metadata, options=self.options)
        return config

    def write(self, name: str, metadata: sa.MetaData) -> str:
        """Has autogenerate write a migration, and takes it; its two functions."""
        made = alembic.command.revision(self.config(metadata), name, autogenerate=True)
        alembic.command.upgrade(self.config(metadata), "head")
        text = pathlib.Path(made.path).read_text()
        return text[text.index("def upgrade") :]

    def quiet(self, metadata: sa.MetaData) -> None:
        alembic.command.check(self.config(metadata))

    def policies(self) -> dict[str, Any]:
        from vestige.sqlalchemy._policy import recorded

        with self.engine.connect() as connection:
            return {name: policy for (_, name), policy in recorded(connection).items()}


@pytest.fixture(params=["postgresql", "sqlite"])
def project(request: Any, tmp_path: pathlib.Path) -> Iterator[Project]:
    if request.param == "postgresql":
        request.getfixturevalue("database")
    engine = va.install(made(request.param, tmp_path), extension=str(EXTENSION))
    yield Project(engine, tmp_path / "migrations")
    engine.dispose()


def accounts(*more: Any, **policy: Any) -> sa.MetaData:
    metadata = sa.MetaData()
    table = sa.Table("accounts", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("seen", sa.Integer), *more)
    return va.track(table, **policy).metadata


def test_autogenerate(project: Project) -> None:
    first = accounts(exclude=["seen"], tags=["SOX"])
    written = project.write("accounts", first)
    track = "op.vestige_track('accounts', exclude=['seen'], tags=['SOX'])"
    assert written.index("op.create_table('accounts'") < written.index(track)
    assert written.index("op.vestige_untrack('accounts', exclude=['seen'], tags=['SOX'])") < written.index(
        "op.drop_table('accounts')"
    )
    assert ("op.vestige_install()" in written) == (project.engine.dialect.name == "sqlite")
    assert project.policies() == {"accounts": {"exclude": ["seen"], "tags": ["SOX"]}}
    project.quiet(first)

    second = accounts(require=["actor"])
    written = project.write("policy", second)
    assert "op.vestige_track('accounts', require=['actor'], was={'exclude': ['seen'], 'tags': ['SOX']})" in written
    assert "op.vestige_track('accounts', exclude=['seen'], tags=['SOX'], was={'require': ['actor']})" in written
    assert "drop" not in written
    assert project.policies() == {"accounts": {"require": ["actor"]}}
    project.quiet(second)

    alembic.command.downgrade(project.config(second), "-1")
    assert project.policies() == {"accounts": {"exclude": ["seen"], "tags": ["SOX"]}}
    alembic.command.upgrade(project.config(second), "head")
    third = va.untracked(accounts().tables["accounts"]).metadata
    assert "op.vestige_untrack('accounts', require=['actor'])" in project.write("none", third)
    assert project.policies() == {}
    project.quiet(third)

    alembic.command.downgrade(project.config(third), "base")
    with project.engine.connect() as connection:
        assert sa.inspect(connection).has_table("accounts") is False
        assert va.changes(connection) == []  # the trail stays


def test_the_trail_is_left_alone(project: Project) -> None:
    """Also where no filter is configured, and where the trail's schema is read."""
    va.init(project.engine)
    project.options["include_schemas"] = hasattr(alembic.util, "DispatchPriority")
    project.quiet(sa.MetaData())
    project.options["include_schemas"] = True
    from vestige.sqlalchemy.alembic import include_name

    project.options["include_name"] = include_name
    project.quiet(sa.MetaData())


def test_what_is_left_out_is_left_alone(project: Project) -> None:
    va.init(project.engine)
    metadata = accounts()
    metadata.create_all(project.engine)
    sa.Table("more", metadata, sa.Column("id", sa.Integer, primary_key=True))
    va.track(metadata)
    project.options["include_object"] = lambda thing, name, kind, reflected, other: name != "more"
    project.quiet(metadata)


def test_a_table_that_is_copied_goes_on_being_recorded(project: Project) -> None:
    metadata = accounts(exclude=["seen"])
    project.write("accounts", metadata)
    with vestige.context(actor="ann"), project.engine.begin() as connection:
        connection.execute(sa.text("insert into accounts (id) values (1)"))
    changed = accounts(sa.Column("owner", sa.String(20), server_default="x"), exclude=["seen"])
    project.write("owner", changed)
    with project.engine.begin() as connection:
        connection.execute(sa.text("update accounts set owner = 'bob'"))
    gone = sa.MetaData()
    va.track(sa.Table("accounts", gone, sa.Column("id", sa.Integer, primary_key=True), sa.Column("owner", sa.String(30))))
    project.options["compare_type"] = True
    project.write("narrower", gone)
    project.quiet(gone)
    with project.engine.begin() as connection:
        connection.execute(sa.text("update accounts set owner = 'eve'"))
        newest, older, first = va.history(connection, gone.tables["accounts"], 1)
    assert (newest.old, newest.new) == ({"owner": "bob"}, {"owner": "eve"})
    assert (older.new, first.new["id"], first.actor) == ({"owner": "bob"}, 1, "ann")


def test_a_script(project: Project, tmp_path: pathlib.Path) -> None:
    """What is written for somebody else to run does the same."""
    metadata = accounts(exclude=["seen"], when="NEW.id > 0", tags=["it's", 'a "tag"'])
    alembic.command.revision(project.config(metadata), "first", autogenerate=True)
    with project.engine.begin() as connection:
        connection.execute(sa.text("drop table if exists alembic_version"))
    config = project.config(metadata)
    with contextlib.redirect_stdout(config.output_buffer):
        alembic.command.upgrade(config, "head", sql=True)
    script = config.output_buffer.getvalue()
    if project.engine.dialect.name == "sqlite":
        database = sqlite3.connect(tmp_path / "shop.db")
        database.enable_load_extension(True)
        database.load_extension(str(EXTENSION))
        database.executescript(script)
        database.close()
    else:
        psql = ["psql", "-qX", "-v", "ON_ERROR_STOP=1", "models"]
        ran = subprocess.run(psql, input=script, text=True, check=False, capture_output=True)
        assert ran.returncode == 0, ran.stderr
    assert project.policies() == {"accounts": {"exclude": ["seen"], "when": "NEW.id > 0", "tags": ["it's", 'a "tag"']}}
