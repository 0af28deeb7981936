"""The shop of the tutorial: who changed which price, when and why, and what the products were at any time."""

import os
import time
from datetime import datetime, timezone

from sqlalchemy import Column, Integer, String, create_engine, select, update
from sqlalchemy.orm import declarative_base, sessionmaker

import vestige
import vestige.sqlalchemy as va

Base = declarative_base()


class Product(Base):
    __tablename__ = "products"

    id = Column(Integer, primary_key=True)
    name = Column(String(100))
    price = Column(Integer)  # in cents
    stock = Column(Integer)


# Instead of a table audit_logs, and of events on each model: also what goes around the models is recorded.
va.track(Base)


# Pattern 1: tracking changes with a decorator
def track_changes(user_id):
    return vestige.context(actor=user_id)


@track_changes("stock_keeper")
def restock(session, product_id, count):
    session.execute(update(Product).where(Product.id == product_id).values(stock=Product.stock + count))
    session.commit()


# Pattern 2: automatic tracking with events, once a change is committed
@va.on_change(Product, op="update", when=lambda change: "price" in change.changed)
def price_changed(change):
    old_price, new_price = change.old["price"], change.new["price"]
    if abs(new_price - old_price) > old_price * 0.5:
        print(f"Large price change detected! Old: ${old_price / 100}, New: ${new_price / 100}")


# Pattern 3: query audit history
def get_audit_history(session, model, record_id):
    return va.history(session, model, record_id)


# Example 1: e-commerce price tracking
class PriceTracker:
    def __init__(self, session):
        self.session = session

    def update_price(self, product_id, new_price, changed_by):
        product = self.session.get(Product, product_id)
        if not product:
            print(f"Product {product_id} not found!")
            return
        old_price = product.price
        percentage = round((new_price - old_price) / old_price * 100, 2)
        with vestige.context(actor=changed_by, business_process="PRICE_CHANGE", change_percentage=percentage):
            product.price = new_price
            self.session.commit()
        print(f"Price updated! {product.name}: ${old_price / 100} -> ${new_price / 100}")

    def get_price_history(self, product_id):
        print(f"\nPrice History for Product {product_id}:")
        for change in reversed(va.history(self.session, Product, product_id)):
            if "price" in (change.new or {}):
                print(f"  {change.at:%Y-%m-%d %H:%M:%S}: ${change.new['price'] / 100} (by {change.who})")


# Advanced topic 2: time-travel queries
class TimeTravelDB:
    def __init__(self, session):
        self.session = session

    def get_record_at_time(self, model, record_id, timestamp):
        past = va.as_of(model, timestamp)
        return self.session.scalars(select(past).where(past.id == record_id)).one_or_none()

    def visualize_history(self, model, record_id, field_name):
        print(f"\nHistory of {field_name} for {model.__tablename__}#{record_id}:")
        for change in reversed(va.history(self.session, model, record_id)):
            if field_name in (change.new or {}):
                value = change.new[field_name]
                print(f"{change.at:%Y-%m-%d}: {'#' * min(int(value / 5000), 40)} {value}")


if __name__ == "__main__":
    engine = va.install(create_engine(os.environ.get("DATABASE_URL", "sqlite:///shop.db")))
    va.init(engine)
    Base.metadata.create_all(engine)
    session = sessionmaker(bind=engine)()

    with vestige.context(actor="catalogue"):
        laptop = Product(name="Gaming Laptop", price=99900, stock=10)
        session.add(laptop)
        session.commit()

    tracker = PriceTracker(session)
    tracker.update_price(laptop.id, 89900, "sale_system")  # sale!
    opening_night = datetime.now(timezone.utc)
    time.sleep(0.01)  # SQLite's clock has milliseconds
    tracker.update_price(laptop.id, 39900, "intern")  # too much of a sale
    tracker.update_price(laptop.id, 94900, "manager_john")  # partial restore
    restock(session, laptop.id, 5)
    tracker.get_price_history(laptop.id)

    travel = TimeTravelDB(session)
    print(f"\nOn opening night: ${travel.get_record_at_time(Product, laptop.id, opening_night).price / 100}")
    travel.visualize_history(Product, laptop.id, "price")
    print(f"\nThe stock is {laptop.stock}, and that is by {next(b.who for b in va.blame(laptop) if b.column == 'stock')}")
