"""As makemigrations makes it."""

from django.conf import settings
from django.db import migrations, models
import django.db.models.deletion


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=24, unique=True)),
                ('balance', models.DecimalField(decimal_places=2, max_digits=18)),
                ('note', models.TextField(blank=True)),
                ('details', models.JSONField(default=dict)),
                ('opened', models.DateTimeField(auto_now_add=True)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Transfer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=18)),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('token', models.UUIDField(unique=True)),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sent', to='bank.account')),
                ('target', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='received', to='bank.account')),
            ],
        ),
    ]
