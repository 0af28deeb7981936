import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def key():
    return ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))


class Migration(migrations.Migration):
    initial = True
    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [
        migrations.CreateModel("Author", [
            key(),
            ("name", models.CharField(max_length=80)),
            ("born", models.DateField(null=True)),
        ]),
        migrations.CreateModel("Tag", [("slug", models.SlugField(primary_key=True, serialize=False))]),
        migrations.CreateModel("Book", [
            key(),
            ("uuid", models.UUIDField(default=uuid.uuid4, unique=True)),
            ("title", models.CharField(max_length=200)),
            ("price", models.DecimalField(decimal_places=2, default=0, max_digits=10)),
            ("rating", models.FloatField(null=True)),
            ("cover", models.BinaryField(null=True)),
            ("data", models.JSONField(default=dict)),
            ("added", models.DateTimeField(auto_now_add=True)),
            ("author", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="library.author")),
            ("tags", models.ManyToManyField(to="library.Tag")),
        ]),
        migrations.CreateModel("Loan", [
            key(),
            ("days", models.SmallIntegerField(default=14)),
            ("book", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to="library.book")),
            ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
        ]),
        migrations.AddConstraint("Loan", models.UniqueConstraint(fields=("book", "user"), name="one_loan")),
    ]
