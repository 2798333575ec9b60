"""Actions of the bot in a business's systems, written with rasa-sdk.

The actions of a home import what they need from here.
"""

from bot.actions.context import ActionContext, ActionRequest
from bot.actions.effects import EffectKey, EffectStore, Transaction
from bot.actions.records import ProofField, Record, RecordSource, RecordValue

__all__ = [
    "ActionContext",
    "ActionRequest",
    "EffectKey",
    "EffectStore",
    "ProofField",
    "Record",
    "RecordSource",
    "RecordValue",
    "Transaction",
]
