"""Columns that are redacted or encrypted: declared beside the models, by migrations, and as a history has them."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from conftest import vestige_program
from sqlalchemy import orm
from sqlalchemy_models import database, marks, server  # noqa: F401
from test_alembic import Project, project  # noqa: F401

import vestige
import vestige.sqlalchemy as va
from vestige.sqlalchemy._trail import Trail
from vestige.trail import REDACTED, Encrypted

pytestmark = marks
POLICY = {"redact": ["card"], "encrypt": {"ssn": "phi"}}


def patients(*more: Any, **policy: Any) -> sa.MetaData:
    metadata = sa.MetaData()
    columns = [sa.Column(name, sa.Text) for name in ("ssn", "card", "note")]
    return va.track(
        sa.Table("patients", metadata, sa.Column("id", sa.Integer, primary_key=True), *columns, *more), **policy
    ).metadata


@pytest.fixture
def project_with_a_key(project: Project, recipient: str) -> Project:  # noqa: F811
    va.init(project.engine)
    if project.engine.dialect.name == "sqlite":
        vestige_program(f"sqlite:{project.engine.url.database}", "keys", "add", "phi", recipient.split()[0])
    else:
        with project.engine.begin() as connection:
            connection.execute(sa.text("create extension pgcrypto"))
            connection.execute(sa.text("select vestige.add_recipient('phi', :key)"), {"key": recipient})
    return project


def test_what_a_model_says_is_what_stands(project_with_a_key: Project) -> None:
    project, metadata = project_with_a_key, patients(**POLICY)  # noqa: F811
    written = project.write("first", metadata)
    assert "redact=['card'], encrypt={'ssn': 'phi'}" in written
    assert project.policies()["patients"] == POLICY
    project.quiet(metadata)
    assert va.reconcile(project.engine, metadata) == []
    if project.engine.dialect.name == "sqlite":  # which drops no column that a trigger names
        return
    # Another part of it changes, and a column is gone: it stays redacted, since it may come back.
    there = {"redact": ["card", "pin"], "encrypt": {"ssn": "phi"}}
    with project.engine.begin() as connection:
        table = Trail(connection)
        connection.execute(sa.text("alter table patients add column pin text"))
        table.track("patients", **there)
        connection.execute(sa.text("alter table patients drop column pin"))
    project.quiet(metadata)
    assert va.reconcile(project.engine, patients(tags=["SOX"], **POLICY)) == ["patients"]
    assert project.policies()["patients"] == {**there, "tags": ["SOX"]}


def test_a_history_and_the_past_say_what_is_not_given(project_with_a_key: Project) -> None:
    class Base(orm.DeclarativeBase if hasattr(orm, "DeclarativeBase") else object):  # type: ignore[misc]
        pass

    base: Any = Base if hasattr(orm, "DeclarativeBase") else orm.declarative_base()

    class Patient(base):
        __tablename__ = "patients"
        id = sa.Column(sa.Integer, primary_key=True)
        number = sa.Column("ssn", sa.Integer)
        day = sa.Column("card", sa.DateTime)

    va.track(Patient, redact=[Patient.day], encrypt={Patient.number: "phi"})
    engine = project_with_a_key.engine
    base.metadata.create_all(engine)
    with vestige.context(actor="ann"), orm.Session(engine, future=True) as session:
        patient = Patient(id=1, number=78051120)
        session.add(patient)
        session.commit()
        first = session.connection().exec_driver_sql("select 1") and va.history(session, Patient, 1)[0]
        patient.number = 5
        session.commit()
        changed, made = va.history(session, Patient, 1)
        assert made.id == first.id
        assert isinstance(made.new["number"], Encrypted)
        assert isinstance(changed.old["number"], Encrypted)
        assert made.new["day"] is REDACTED
        with pytest.raises(sa.exc.DBAPIError):  # neither the token nor null would be true
            session.scalars(sa.select(va.as_of(Patient, made.id))).all()
        session.rollback()


def test_a_table_that_the_program_tracks_so_is_left_as_it_is(project_with_a_key: Project) -> None:
    """Its policy has what no model says."""
    project, metadata = project_with_a_key, patients()  # noqa: F811
    metadata.tables["patients"].info.clear()
    metadata.create_all(project.engine)
    with project.engine.begin() as connection:
        Trail(connection).track("patients", **POLICY)
    assert project.policies()["patients"] == POLICY
    other = sa.MetaData()
    va.track(sa.Table("others", other, sa.Column("id", sa.Integer, primary_key=True)))
    other.create_all(project.engine)
    assert va.reconcile(project.engine, other) == []
