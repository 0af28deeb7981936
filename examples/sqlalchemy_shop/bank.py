"""The bank of the tutorial's exercise: every movement of money, by whom and from where; alerts, a daily report, and a way back."""

import os
from datetime import datetime, timedelta, timezone

from sqlalchemy import Column, Integer, create_engine
from sqlalchemy.orm import Session, declarative_base

import vestige
import vestige.sqlalchemy as va

Base = declarative_base()


class Account(Base):
    __tablename__ = "accounts"
    __vestige__ = va.Track(require=["actor", "business_process"], tags=["SOX"], retention="7 years")

    id = Column(Integer, primary_key=True)
    balance = Column(Integer, nullable=False)  # in cents


def amount(change):
    return change.new["balance"] - change.old["balance"]


class BankingAuditSystem:
    alert_threshold = 10000  # $100
    most_in_an_hour = 5

    def __init__(self, session):
        self.session = session
        self.flagged = {}
        va.on_change(Account, op="update")(self.look)

    # Track money movement
    def move(self, transaction_type, user_id, ip_address, amounts):
        """A deposit, a withdrawal or a transfer: one transaction, and its changes carry one context."""
        context = vestige.context(actor=user_id, ip_address=ip_address, business_process=transaction_type, session_id="s-1")
        with context, self.session.begin():
            for account_id, cents in amounts.items():
                self.session.get(Account, account_id, with_for_update=True).balance += cents
        print(f"Transaction audited: {transaction_type} ${max(map(abs, amounts.values())) / 100}")

    # Check for suspicious activity, once it is committed
    def look(self, change):
        if change.context["business_process"] == "reversal":
            return
        if abs(amount(change)) > self.alert_threshold:
            self.flag(change, "high_value")
        hour = change.at - timedelta(hours=1)
        with Session(self.session.get_bind()) as session:
            recent = va.changes(session, Account, op="UPDATE", since=hour)
        if sum(one.key == change.key for one in recent) > self.most_in_an_hour:
            self.flag(change, "high_frequency")

    def flag(self, change, reason):
        self.flagged.setdefault(change.id, reason)
        print(f"  FLAGGED: {reason}, account {change.key['id']}, by {change.who}")

    # Daily compliance report
    def generate_daily_report(self, date):
        start = datetime.combine(date, datetime.min.time(), timezone.utc)
        changes = va.changes(self.session, Account, op="UPDATE", since=start, until=start + timedelta(days=1))
        kinds = {}
        for change in changes:
            kinds.setdefault(change.context["business_process"], set()).add(change.tx)
        print("\nDaily Banking Audit Report")
        print(f"Total Volume: ${sum(abs(amount(change)) for change in changes) / 100:,.2f}")
        print(f"Total Transactions: {len({change.tx for change in changes})}")
        print(f"Flagged Changes: {len(self.flagged)}")
        print("Transaction Breakdown:")
        for kind, transactions in kinds.items():
            print(f"  {kind}: {len(transactions)}")
        self.session.rollback()

    # Integrity check: each balance goes on from the one before, up to the one that stands. That nobody has rewritten the record
    # itself is proved by `vestige verify`.
    def verify_audit_integrity(self, account_id):
        account = self.session.get(Account, account_id)
        expected = None
        for change in reversed(va.history(account)):
            assert change.old is None or change.old["balance"] == expected, f"integrity violation at {change.at}"
            expected = change.new["balance"]
        assert account.balance == expected
        print(f"Account {account_id}: integrity check complete, ${expected / 100}")
        self.session.rollback()

    # Rollback mechanism
    def take_back(self, change, user_id, reason):
        with vestige.context(actor=user_id, reason=reason, business_process="reversal"), self.session.begin():
            return va.revert(self.session, change.tx)


if __name__ == "__main__":
    engine = va.install(create_engine(os.environ.get("DATABASE_URL", "sqlite:///bank.db")))
    va.init(engine)
    Base.metadata.create_all(engine)
    session = Session(engine)
    with vestige.context(actor="branch", business_process="opening"), session.begin():
        session.add_all([Account(id=12345, balance=100000), Account(id=67890, balance=5000)])

    bank = BankingAuditSystem(session)
    bank.move("deposit", "john_doe", "192.168.1.100", {12345: 50000})
    bank.move("transfer", "john_doe", "192.168.1.100", {12345: -2500, 67890: 2500})
    for _ in range(4):
        bank.move("withdrawal", "eve", "10.6.6.6", {12345: -100})
    bank.generate_daily_report(datetime.now(timezone.utc).date())
    bank.verify_audit_integrity(12345)

    suspicious = va.changes(session, Account, actor="eve")
    session.rollback()
    undone = sum(bank.take_back(change, "fraud_team", "case 17") for change in reversed(suspicious))
    print(f"\nTaken back of what eve did: {undone} of {len(suspicious)}")
    bank.verify_audit_integrity(12345)
