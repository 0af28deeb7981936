from bank.models import Account, Transfer
from django.contrib import admin

admin.site.register(Account)
admin.site.register(Transfer)
