"""The one door to Interaction: what a person sees, and what they mean."""

from interaction.banking import (
    AccountPage,
    AccountUnknown,
    Asked,
    Holdings,
    Home,
    account_page,
    holdings,
    home,
    is_under_way,
    payments,
)
from interaction.channels.line import CustomerLine, NewsLine, news_line
from interaction.channels.web import (
    ATTACHMENT_BYTES_MAX,
    TEXT_LENGTH_MAX,
    MessageRefused,
    Upload,
)
from interaction.conversation import ConversationUnknown, Exchange, Said
from interaction.delivery import run_delivery_once
from interaction.front import Bank, Phone, banks, landing, phones
from interaction.guards import requires_customer, requires_role
from interaction.identity import (
    Credentials,
    Person,
    SignInRefused,
    TooManyAttempts,
    person_of,
    principal_of,
    sign_in,
    sign_out,
)
from interaction.payment_form import FormRefused
from interaction.people import NewPerson, SignIn, create_people, sign_ins
from interaction.screens import announced, initials
from interaction.session import (
    SlipUnknown,
    answer_card,
    block_card,
    current_thread,
    new_sent_id,
    order_payment,
    payment_slips,
    receive_message,
)
from interaction.widgets.activity import category_name, month_before
from interaction.widgets.thread import Slip, Thread
from interaction.work import (
    AccountRow,
    BookingRow,
    CustomerScreen,
    EmployeesOnly,
    customer_bookings,
    customer_screen,
    find_customers,
)
from sentinel.public import legal_entity
from sentinel.vocabulary import Principal

__all__ = [
    "ATTACHMENT_BYTES_MAX",
    "TEXT_LENGTH_MAX",
    "AccountPage",
    "AccountRow",
    "AccountUnknown",
    "Asked",
    "Bank",
    "BookingRow",
    "ConversationUnknown",
    "Credentials",
    "CustomerLine",
    "CustomerScreen",
    "EmployeesOnly",
    "Exchange",
    "FormRefused",
    "Holdings",
    "Home",
    "MessageRefused",
    "NewPerson",
    "NewsLine",
    "Person",
    "Phone",
    "Principal",
    "Said",
    "SignIn",
    "SignInRefused",
    "Slip",
    "SlipUnknown",
    "Thread",
    "TooManyAttempts",
    "Upload",
    "account_page",
    "announced",
    "answer_card",
    "banks",
    "block_card",
    "category_name",
    "create_people",
    "current_thread",
    "customer_bookings",
    "customer_screen",
    "find_customers",
    "holdings",
    "home",
    "initials",
    "is_under_way",
    "landing",
    "legal_entity",
    "month_before",
    "new_sent_id",
    "news_line",
    "order_payment",
    "payment_slips",
    "payments",
    "person_of",
    "phones",
    "principal_of",
    "receive_message",
    "requires_customer",
    "requires_role",
    "run_delivery_once",
    "sign_in",
    "sign_ins",
    "sign_out",
]
