"""The bank, as somebody writes it who never heard of an audit trail."""
import decimal
import uuid

from bank.models import Account, Transfer
from django.db import IntegrityError, transaction
from django.db.models import F
from django.http import HttpResponse, HttpResponseBadRequest


def transfer(request):
    amount = decimal.Decimal(request.POST["amount"])
    numbers = sorted([request.POST["from"], request.POST["to"]])
    accounts = {a.number: a for a in Account.objects.select_for_update().filter(number__in=numbers).order_by("number")}
    source, target = accounts[request.POST["from"]], accounts[request.POST["to"]]
    token = uuid.UUID(request.POST["token"]) if "token" in request.POST else uuid.uuid4()
    source.balance -= amount
    source.save(update_fields=["balance"])
    Account.objects.filter(pk=target.pk).update(balance=F("balance") + amount)
    try:
        with transaction.atomic():  # a savepoint: the same token twice is answered, not an error
            Transfer.objects.create(source=source, target=target, amount=amount, token=token)
    except IntegrityError:
        transaction.set_rollback(True)
        return HttpResponse("done before")
    if source.balance < 0:
        transaction.set_rollback(True)
        return HttpResponseBadRequest("not enough money")
    return HttpResponse("done")


def close(request, number):
    Account.objects.get(number=number).delete()
    return HttpResponse("closed")


def interest(request):
    for account in Account.objects.order_by("pk").select_for_update():
        account.balance = (account.balance * decimal.Decimal("1.01")).quantize(decimal.Decimal("0.01"))
        account.details["interest"] = account.details.get("interest", 0) + 1
        account.save()
    return HttpResponse("paid")
