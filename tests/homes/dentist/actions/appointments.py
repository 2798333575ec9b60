"""What patients do with appointments, and what the reception sees of them."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.actions import ActionContext, ActionRequest, ProofField, Record, RecordValue, Transaction

from .diary import Appointment, find

Result = tuple[str, dict[str, str], dict[str, str | None]]  # template, its variables, slots
TREATMENTS = {"check-up": "检查", "cleaning": "洗牙", "filling": "补牙"}
UNKNOWN: Result = ("appointment_unknown", {}, {"appointment_code": None, "patient_phone": None})


class AppointmentAction(Action):  # type: ignore[misc] # rasa_sdk ships no types
    """An action that happens once per message."""

    action: ClassVar[str]

    def __init__(self, context: ActionContext) -> None:
        """Take the context."""
        self.context = context

    def name(self) -> str:
        """Return the name the policy refers to."""
        return self.action

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Do it, and say what came of it."""
        del domain
        request = ActionRequest.of(tracker)
        template, values, slots = self.context.once(
            tracker, self.action, lambda transaction: self.perform(request, transaction)
        )
        dispatcher.utter_message(response=template, **values)
        return [SlotSet(name, value) for name, value in slots.items()]

    def perform(self, request: ActionRequest, transaction: Transaction) -> Result:
        """Do it within a transaction."""
        raise NotImplementedError

    def found(self, request: ActionRequest, transaction: Transaction) -> Appointment | None:
        """Return the patient's appointment."""
        slots = request.slots
        code, phone = slots.get("appointment_code", ""), slots.get("patient_phone", "")
        return find(transaction, code, phone, request.conversation_id)


class Book(AppointmentAction):
    """Books an appointment; shows the reception those of a patient."""

    action = "action_book_appointment"
    titles: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "records": {"en": "Appointments", "zh": "预约"},
        "none": {"en": "No appointment is proven here.", "zh": "尚未验证任何预约。"},
        "no_match": {"en": "No appointment has this code and number.", "zh": "没有相符的预约。"},
    }
    proof_fields: ClassVar[Sequence[ProofField]] = (
        ProofField("code", {"en": "Code of the appointment", "zh": "预约编号"}),
        ProofField("phone", {"en": "Telephone", "zh": "电话"}),
    )

    def perform(self, request: ActionRequest, transaction: Transaction) -> Result:
        """Enter it in the diary."""
        slots = request.slots
        treatment, time = slots["treatment"], slots["appointment_time"]
        number = transaction.execute(
            "INSERT INTO appointments (treatment, time, phone, conversation, customer) "
            "VALUES (?, ?, ?, ?, ?)",
            (
                *(treatment, time, slots["patient_phone"]),
                *(request.conversation_id, slots.get("customer")),
            ),
        ).lastrowid
        (booked,) = Appointment.read(transaction, "id = ?", number)
        values = {"code": booked.code, "treatment": treatment, "time": time}
        return "appointment_booked", values, {"identified": booked.code}

    def records(self, customer: str | None, conversation: str, /) -> list[Record]:
        """Return the appointments of a patient."""
        with self.context.effects.reading() as transaction:
            where = "conversation = ? OR customer = ?"
            return list(map(_record, Appointment.read(transaction, where, conversation, customer)))

    def prove(self, fields: Mapping[str, str], /) -> list[Record]:
        """Return the appointment with this code and telephone number."""
        with self.context.effects.reading() as transaction:
            appointment = find(transaction, fields["code"], fields["phone"], "")
            return [_record(appointment)] if appointment else []


class Move(AppointmentAction):
    """Moves an appointment."""

    action = "action_move_appointment"

    def perform(self, request: ActionRequest, transaction: Transaction) -> Result:
        """Change its time in the diary."""
        appointment, time = self.found(request, transaction), request.slots["appointment_time"]
        if appointment is None:
            return UNKNOWN
        change = "UPDATE appointments SET time = ? WHERE id = ?"
        transaction.execute(change, (time, appointment.number))
        values = {"code": appointment.code, "time": time}
        return "appointment_moved", values, {"identified": appointment.code}


class Cancel(AppointmentAction):
    """Cancels an appointment."""

    action = "action_cancel_appointment"

    def perform(self, request: ActionRequest, transaction: Transaction) -> Result:
        """Cross it out in the diary."""
        appointment = self.found(request, transaction)
        if appointment is None:
            return UNKNOWN
        change = "UPDATE appointments SET cancelled = 1 WHERE id = ?"
        transaction.execute(change, (appointment.number,))
        slots = {"identified": appointment.code}
        return "appointment_cancelled", {"code": appointment.code}, dict(slots)


def _record(appointment: Appointment) -> Record:
    state = "cancelled" if appointment.cancelled else "booked"
    status = {"en": state, "zh": {"cancelled": "已取消", "booked": "已预约"}[state]}
    treatment = {"en": appointment.treatment, "zh": TREATMENTS.get(appointment.treatment, "")}
    values = (
        RecordValue({"en": "Treatment", "zh": "项目"}, treatment),
        RecordValue({"en": "Time", "zh": "时间"}, {"en": appointment.time}),
    )
    proof = {"en": "booked by this patient", "zh": "本人预约"}
    data = {"code": appointment.code, "time": appointment.time, "status": state}
    return Record(appointment.code, status, proof, values, data)
