"""The practice's diary: appointments in the store of the home's actions."""

from dataclasses import dataclass
from typing import Self

from bot.actions import Transaction

FIRST = 1000
TABLE = (
    "CREATE TABLE IF NOT EXISTS appointments (id INTEGER PRIMARY KEY, treatment TEXT NOT NULL, "
    "time TEXT NOT NULL, phone TEXT NOT NULL, conversation TEXT NOT NULL, customer TEXT, "
    "cancelled INTEGER NOT NULL DEFAULT 0)"
)
COLUMNS = "id, treatment, time, phone, conversation, customer, cancelled"


def digits(phone: str) -> str:
    """Return a telephone number as it is compared."""
    return "".join(filter(str.isdigit, phone))


@dataclass(frozen=True)
class Appointment:
    """An appointment."""

    number: int
    treatment: str
    time: str
    phone: str
    conversation: str
    customer: str | None
    cancelled: bool

    @classmethod
    def read(cls, transaction: Transaction, where: str, *values: object) -> list[Self]:
        """Return the appointments that fulfil a condition."""
        query = f"SELECT {COLUMNS} FROM appointments WHERE {where} ORDER BY id"
        return [cls(*row) for row in transaction.execute(query, values)]

    @property
    def code(self) -> str:
        """The code the patient is told."""
        return f"K{FIRST + self.number}"


def find(transaction: Transaction, code: str, phone: str, conversation: str) -> Appointment | None:
    """Return an appointment that is proven by its phone number, or by being booked right here."""
    number = int(code.upper().removeprefix("K") or 0) - FIRST
    for appointment in Appointment.read(transaction, "id = ? AND NOT cancelled", number):
        if appointment.conversation == conversation or digits(phone) == digits(appointment.phone):
            return appointment
    return None
