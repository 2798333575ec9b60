"""Actions: what the bot does in a business's systems, written with rasa-sdk.

A home's own actions import from here what they need.
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
