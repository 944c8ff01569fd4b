"""A customer at the bank's pages who does not give up: what failed is looked up, then repeated."""

import http.client
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from uuid import uuid4

from lxml import html

ENTITY = "meridian-nl"
PAUSE_SECONDS = 0.2
ANSWER_SECONDS_MAX = 20
# What a browser shows when the bank is away: nothing is known then, and the customer looks again.
AWAY = (OSError, http.client.HTTPException, urllib.error.URLError)


class PageFailed(Exception):
    """The bank answered with an error; what became of the wish is not known."""

    code = "page_failed"
    is_retryable = True

    def __init__(self, path: str, status: int) -> None:
        super().__init__(path, status)
        self.path, self.status = path, status


@dataclass(slots=True)
class WebCustomer:
    """One customer with one browser; `address` may change while the bank is started again."""

    address: Callable[[], str]
    username: str
    password: str
    name: str
    savings_iban: str
    stopping: threading.Event
    paid: set[int] = field(default_factory=set)
    repeats: int = 0
    sent: dict[int, str] = field(default_factory=dict)
    confirmed: dict[int, str] = field(default_factory=dict)
    _browser: urllib.request.OpenerDirector | None = None

    def pay_all(self, cents: list[int], deadline: float) -> None:
        """Bring a payment of each amount to its end, each looked up before it is repeated."""
        for amount in cents:
            while not self._is_paid(amount):
                if time.monotonic() > deadline or self.stopping.is_set():
                    return
                self.repeats += 1
                self.stopping.wait(PAUSE_SECONDS)
            self.paid.add(amount)

    def _is_paid(self, amount: int) -> bool:
        """Take the next step of one payment; say whether its receipt is there."""
        try:
            card = self.confirmed.get(amount) or self._card_of(amount) or self._order(amount)
            if card is None:
                return False
            page = self._page(card)
            for form in page.xpath('//form[.//button[@name="answer" and @value="confirm"]]'):
                # From here on only this card is looked at, whatever else may come up.
                self.confirmed[amount] = card
                self._page(form.get("action"), {**_hidden(form), "answer": "confirm"})
                page = self._page(card)
            return bool(page.xpath('//div[contains(@class, "receipt")]'))
        except (*AWAY, PageFailed):
            return False

    def _card_of(self, amount: int) -> str | None:
        """Return the page of the payment of this amount, if there is one that still counts."""
        page = self._page("/app/payments/")
        for row in page.xpath('//main//li[.//a[contains(@class, "cover")]]'):
            words = row.text_content()
            if _shown(amount) in words and not any(end in words for end in ("Expired", "Not paid")):
                return str(row.xpath('.//a[contains(@class, "cover")]')[0].get("href"))
        return None

    def _order(self, amount: int) -> str | None:
        """Send the payment form; the same form again where it is not known what became of it."""
        page = self._page("/app/payments/new/")
        typed = {
            "sent_id": self.sent.setdefault(amount, str(uuid4())),
            "payee": "new",
            "name": self.name,
            "iban": self.savings_iban,
            "amount": _shown(amount),
            "execution_date": page.xpath('//input[@name="execution_date"]')[0].get("value"),
            "remittance": f"Savings {amount}",
            "account": page.xpath('//select[@name="account"]/option')[0].get("value"),
            "csrfmiddlewaretoken": page.xpath('//input[@name="csrfmiddlewaretoken"]')[0].get(
                "value"
            ),
        }
        self._page("/app/payments/new/", typed)
        card = self._card_of(amount)
        if card is None:
            # The bank took the form and says that nothing is under way: a new form is a new wish.
            del self.sent[amount]
        return card

    def _page(self, path: str, form: dict[str, str] | None = None) -> html.HtmlElement:
        """Return a page, signing in where the bank has forgotten us."""
        address, page = self._fetched(path, form)
        if "/sign-in/" not in address:
            return page
        (asked,) = page.xpath('//form[.//input[@name="password"]]')
        entered = {"entity": ENTITY, "username": self.username, "password": self.password}
        self._fetched("/sign-in/", {**_hidden(asked), **entered})
        raise PageFailed(path, 401)

    def _fetched(self, path: str, form: dict[str, str] | None) -> tuple[str, html.HtmlElement]:
        if self._browser is None:
            cookies = urllib.request.HTTPCookieProcessor(CookieJar())
            self._browser = urllib.request.build_opener(cookies)
        address = self.address()
        if not address:
            raise PageFailed(path, 0)
        body = urllib.parse.urlencode(form).encode() if form else None
        asked = urllib.request.Request(f"{address}{path}", data=body)
        try:
            with self._browser.open(asked, timeout=ANSWER_SECONDS_MAX) as answer:
                return answer.geturl(), html.fromstring(answer.read())
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise PageFailed(path, refusal.code) from refusal


def _hidden(form: html.HtmlElement) -> dict[str, str]:
    return {
        each.get("name"): each.get("value") or "" for each in form.xpath('.//input[@type="hidden"]')
    }


def _shown(amount: int) -> str:
    return f"{amount // 100}.{amount % 100:02}"
