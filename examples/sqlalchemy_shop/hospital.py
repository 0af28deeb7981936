"""The hospital of the tutorial: records that only their key opens, changes that need a reason, a report, and the right to be forgotten."""

import os
from datetime import datetime, timedelta, timezone

from cryptography.fernet import Fernet
from sqlalchemy import Column, Integer, LargeBinary, TypeDecorator, create_engine
from sqlalchemy.orm import Session, declarative_base

import vestige
import vestige.sqlalchemy as va

fernet = Fernet(os.environ.get("PHI_KEY") or Fernet.generate_key())
Base = declarative_base()


class Encrypted(TypeDecorator):
    """Text that is encrypted before it reaches the database: the trail has it as the row has it, and never in clear."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return None if value is None else fernet.encrypt(value.encode())

    def process_result_value(self, value, dialect):
        return None if value is None else fernet.decrypt(bytes(value)).decode()


class Patient(Base):
    __tablename__ = "patient_records"
    __vestige__ = va.Track(classification="PHI", require=["actor", "reason"], tags=["HIPAA"])

    id = Column(Integer, primary_key=True)
    diagnosis = Column(Encrypted)


class SecureAuditTrail:
    def __init__(self, session):
        self.session = session

    def track_patient_update(self, patient_id, field_name, new_value, changed_by, reason):
        with vestige.context(actor=changed_by, reason=reason, business_process="PHI_UPDATE"):
            setattr(self.session.get(Patient, patient_id), field_name, new_value)
            self.session.commit()
        print(f"Secure audit logged for patient {patient_id}")
        print(f"  Field: {field_name}\n  Changed by: {changed_by}\n  Reason: {reason}")

    def generate_compliance_report(self, start_date, end_date):
        counts = va.report(self.session, start_date, end_date, by="actor", target=Patient)
        print("\nHIPAA Compliance Report")
        print(f"Total PHI changes: {sum(count.changes for count in counts)}\nBy user:")
        for count in counts:
            print(f"  {count.by}: {count.changes} {count.op}")


if __name__ == "__main__":
    engine = va.install(create_engine(os.environ.get("DATABASE_URL", "sqlite:///hospital.db")))
    va.init(engine)
    Base.metadata.create_all(engine)
    session = Session(engine)

    with vestige.context(actor="reception", reason="admission"):
        session.add(Patient(id=12345, diagnosis="Hypertension"))
        session.commit()
    SecureAuditTrail(session).track_patient_update(
        patient_id=12345,
        field_name="diagnosis",
        new_value="Hypertension, Type 2 Diabetes",
        changed_by="dr_smith",
        reason="Annual checkup - new diagnosis",
    )

    # Who has the key reads the history; the trail itself has no word of it.
    newest = va.history(session, Patient, 12345)[0]
    print(f"\n{newest.old['diagnosis']} -> {newest.new['diagnosis']}")
    raw = va.history(session, Patient.__table__, 12345)[0].new_json
    print("in clear in the trail:", "Diabetes" in raw or b"Diabetes".hex() in raw)

    # Nobody changes a record without saying why.
    session.get(Patient, 12345).diagnosis = "none"
    try:
        session.commit()
    except vestige.MissingContext as refused:
        print(f"refused: {refused.table.removeprefix('public.')} wants {refused.field}")
        session.rollback()

    now = datetime.now(timezone.utc)
    SecureAuditTrail(session).generate_compliance_report(now - timedelta(days=1), now + timedelta(days=1))

    with vestige.context(actor="privacy_office"):
        va.erase(session, Patient, 12345, reason="GDPR 4711")
        session.commit()
    print("\nafter the erasure:", [change.new for change in va.history(session, Patient, 12345)])
