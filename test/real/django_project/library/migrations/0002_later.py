"""What Django does to SQLite by building tables anew: their triggers go without a word."""
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("library", "0001_initial")]
    operations = [
        migrations.AddField("Book", "pages", models.PositiveIntegerField(default=1)),
        migrations.AlterField("Author", "name", models.CharField(max_length=200)),
        migrations.RenameField("Book", "title", "name"),
    ]
