"""Addresses of the customer app, and of what anybody sees before signing in."""

from django.urls import path

from apps.customer import chat, own_data, views
from apps.customer.front import design, privacy, security
from apps.customer.front import views as front

app_name = "customer"

urlpatterns = [
    path("", views.overview, name="overview"),
    path("accounts/<uuid:account_id>/", views.account, name="account"),
    path("payments/", views.payments, name="payments"),
    path("payments/new/", views.new_payment, name="new_payment"),
    path("payments/<uuid:card_id>/", views.payment, name="payment"),
    path("payments/<uuid:card_id>/thread/", views.payment_thread, name="payment_thread"),
    path("payments/<uuid:payment_id>/receipt/", views.receipt, name="receipt"),
    path("payees/", views.payees, name="payees"),
    path("cards/", views.cards, name="cards"),
    path("cards/<uuid:card_id>/block/", views.block, name="block"),
    path("my-data/", own_data.show, name="own_data"),
    path("chat/", chat.page, name="chat"),
    path("chat/thread/", chat.thread, name="thread"),
    path("chat/person/", chat.person, name="person"),
    path("chat/cards/<uuid:card_id>/", chat.answer, name="answer"),
    path("chat/cards/<uuid:card_id>/passkey/", chat.passkey, name="passkey"),
]

root_urlpatterns = [
    path("", front.front_page, name="front"),
    path("sign-in/", front.sign_in, name="sign-in"),
    path("sign-out/", front.sign_out, name="sign-out"),
    path("tour/", front.tour, name="tour"),
    path("tour/invoice.pdf", front.sample_invoice, name="sample-invoice"),
    path("simulators/phone/", front.phone, name="phone"),
    path("security/", security.show, name="security"),
    path("security/options/", security.options, name="security-options"),
    path("security/add/", security.add, name="security-add"),
    path("security/remove/", security.remove, name="security-remove"),
    path("privacy/", privacy.show, name="privacy"),
    path("privacy/say/", privacy.say, name="privacy-say"),
    path("design/", design.page, name="design"),
]
