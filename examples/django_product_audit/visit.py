"""What the audit says of a product: `python manage.py shell -c "import visit"`."""

import vestige
from myapp.models import Product, ProductAudit

with vestige.context(actor="ann", reason="new in the catalogue"):
    product = Product.objects.create(name="Teapot", price="999.50", stock=4)
with vestige.context(actor="bob", reason="summer sale"):
    Product.objects.filter(pk=product.pk).update(price="899.00")  # also what passes by save() and signals
pk, _ = product.pk, product.delete()

for row in ProductAudit.objects.filter(product_id=pk).order_by("changed_at", "id"):
    print(row.product_id, row.action, row.changed_by, row.old_data, row.new_data)

last = ProductAudit.objects.filter(product_id=pk, action="UPDATE").latest("changed_at")
print(repr(last.new_data["price"]), last.reason)
