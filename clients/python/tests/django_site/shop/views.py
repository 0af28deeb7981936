from __future__ import annotations

from collections.abc import Iterator

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

import vestige
from django_site.shop.models import Product


def set_price(request: HttpRequest, pk: int, price: str) -> HttpResponse:
    with vestige.context(reason=request.GET.get("reason")):
        Product.objects.filter(pk=pk).update(price=price)
    return HttpResponse("done")


def show(request: HttpRequest, pk: int) -> HttpResponse:
    return HttpResponse(Product.objects.get(pk=pk).name)


async def set_price_async(request: HttpRequest, pk: int, price: str) -> HttpResponse:
    product = await Product.objects.aget(pk=pk)
    product.price = price  # type: ignore[assignment]
    await product.asave()
    return HttpResponse("done")


def late_user(request: HttpRequest, name: str, pk: int) -> HttpResponse:
    """As DRF and JWT do: something was written before it is known who asks."""
    Product.objects.filter(pk=pk).update(stock=1)
    with vestige.context(reason="late"):
        request.user = User.objects.get(username=name)
        Product.objects.filter(pk=pk).update(stock=2)
    Product.objects.filter(pk=pk).update(stock=3)
    return HttpResponse("done")


def stream(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    def parts() -> Iterator[str]:
        for stock in (11, 12):
            Product.objects.filter(pk=pk).update(stock=stock)
            yield f"{stock}\n"

    return StreamingHttpResponse(parts())
