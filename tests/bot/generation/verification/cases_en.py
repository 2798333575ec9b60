"""Replies written by hand: what each passage supports, and what it does not, and why not.

Half of them, every second one, was never looked at while the check was being made.
"""

from typing import Final

# passage, then statements it supports, then those it does not, each with the kind of flaw
ENGLISH: Final[tuple[tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]], ...]] = (
    (
        (
            "Returns\nYou have 60 days from delivery to return an item. It must be unused and "
            "still have its tags. In the US and Canada the return label is free. From all "
            "other countries $9.95 is deducted from your refund."
        ),
        (
            "You can return an item within 60 days of delivery.",
            "Items can be sent back for sixty days after delivery.",
            "To return something, it has to be unused, with the tags still on.",
            "If you live in the US or Canada, the return label costs nothing.",
            "From other countries we deduct $9.95 from the refund.",
            "Return it within 60 days; the item must be unused and have its tags.",
        ),
        (
            ("You can return an item within 90 days of delivery.", "number"),
            ("Items can be sent back for 60 weeks after delivery.", "unit"),
            ("The item may be used, and the tags need not be on.", "negation"),
            ("In the US and Canada you pay for the return label.", "negation"),
            ("In the US and Canada $9.95 is deducted from your refund.", "money"),
            ("From Germany the return label is free.", "name"),
            ("You can return an item 60 days before delivery.", "condition"),
        ),
    ),
    (
        (
            "Gift cards\nGift cards are valid for 5 years and cannot be exchanged for cash. "
            "You choose any amount from $25 to $500. The card comes by e-mail within 15 "
            "minutes."
        ),
        (
            "A gift card is valid for five years.",
            "You can't exchange a gift card for cash.",
            "Pick an amount between $25 and $500.",
            "The gift card arrives by email within 15 minutes.",
            "Gift cards start at $25 and go up to $500.",
        ),
        (
            ("Gift cards can be exchanged for cash.", "negation"),
            ("A gift card is valid for 5 months.", "unit"),
            ("Pick an amount between $25 and $5,000.", "money"),
            ("The gift card arrives by post within 15 minutes.", "name"),
            ("The card comes by e-mail within 15 hours.", "unit"),
            ("Gift cards never expire.", "meaning"),
        ),
    ),
    (
        (
            "Changing an order\nItems can be added or removed within 2 hours of ordering if "
            "the order has not been packed. After packing, please return what you do not want."
        ),
        (
            (
                "Within two hours of ordering you can add or remove items, as long as the order "
                "has not been packed."
            ),
            "Once it is packed, please return what you do not want.",
            "If the order isn't packed yet, you can add or remove items within 2 hours.",
        ),
        (
            ("You can add or remove items within 2 hours of ordering.", "condition"),
            (
                ("Items can be added within 2 hours of ordering if the order has been packed."),
                "negation",
            ),
            (
                (
                    "Items can be added or removed within 2 hours unless the order has "
                    "not been packed."
                ),
                "condition",
            ),
            (
                ("Items can be added or removed within 12 hours if the order has not been packed."),
                "number",
            ),
            ("Before packing, please return what you do not want.", "condition"),
        ),
    ),
    (
        (
            "Opening hours\nOur shop in Portland is open Monday to Saturday, 10:00 to 19:00. "
            "It is closed on Sundays. The Denver shop opens at 9:00."
        ),
        (
            "The Portland shop is open from Monday to Saturday between 10 am and 7 pm.",
            "We are closed on Sundays in Portland.",
            "In Portland the shop isn't open on Sundays.",
            "Our Denver shop opens at 9 am.",
        ),
        (
            ("The Portland shop is open on Sundays.", "negation"),
            ("The shop in Portland opens at 9:00.", "date"),
            ("The Portland shop is open Monday to Friday, 10:00 to 19:00.", "date"),
            ("Our shop in Boston is open Monday to Saturday.", "name"),
            ("The Denver shop is closed on Mondays.", "date"),
            ("The Portland shop is open until 9 pm.", "date"),
        ),
    ),
    (
        (
            "Roaming\nRoaming in the EU is included in all plans except Basic. Outside the EU, "
            "data costs £2 per day, up to a maximum of 500 MB. Calls to the helpline on 0800 "
            "123 456 are free."
        ),
        (
            "All plans except Basic include EU roaming.",
            "With every plan other than Basic, roaming in the EU is included.",
            "Data outside the EU is £2 a day.",
            "You can call the helpline on 0800 123 456 free of charge.",
        ),
        (
            ("EU roaming is included in all plans.", "condition"),
            ("Roaming in the EU is included in the Basic plan.", "condition"),
            ("Inside the EU, data costs £2 per day.", "condition"),
            ("Data outside the EU costs $2 per day.", "money"),
            ("Outside the EU you get at least 500 MB.", "condition"),
            ("Calls to the helpline on 0800 123 465 are free.", "number"),
        ),
    ),
    (
        (
            "Check-in\nCheck-in starts at 3 pm. Guests who arrive after 10 pm must call "
            "reception in advance. Pets are not allowed, with the exception of guide dogs. "
            "Breakfast is served until 10:30."
        ),
        (
            "You can check in from 3 pm.",
            "If you arrive after 10 pm, please call reception in advance.",
            "Pets are not allowed except guide dogs.",
            "Breakfast is available until 10:30 am.",
            "We do not allow pets, apart from guide dogs.",
        ),
        (
            ("Check-in starts at 2 pm.", "date"),
            ("Guests who arrive before 10 pm must call reception in advance.", "condition"),
            ("Guests who arrive after 10 pm need not call reception.", "negation"),
            ("Pets are allowed, with the exception of guide dogs.", "negation"),
            ("Pets are not allowed, including guide dogs.", "condition"),
            ("Breakfast is served from 10:30.", "condition"),
        ),
    ),
    (
        (
            "Transfers\nTransfers made before 2 pm on a business day arrive the same day. "
            "There is no fee for transfers in euros. Transfers over €10,000 need a second "
            "approval by Ms Keller."
        ),
        (
            "Transfers in euros are free.",
            "If you make the transfer before 2 pm on a business day, it arrives that day.",
            "A second approval is needed for transfers above €10,000.",
            "We charge no fee for transfers in euros.",
        ),
        (
            ("There is a fee for transfers in euros.", "negation"),
            ("Transfers made after 2 pm on a business day arrive the same day.", "condition"),
            ("Transfers over €1,000 need a second approval.", "money"),
            ("Transfers over €10,000 need a second approval by Mr Braun.", "name"),
            ("Transfers under €10,000 need a second approval.", "condition"),
            ("Transfers over €10,000 do not need a second approval.", "negation"),
        ),
    ),
    (
        (
            "Warranty\nThe warranty covers faults in material and workmanship for two years. "
            "It does not cover normal wear. Write to care@fernway.example or use "
            "https://fernway.example/claim and include your order number."
        ),
        (
            "Faults in material and workmanship are covered for 24 months.",
            "Normal wear is not covered by the warranty.",
            "Please write to care@fernway.example and include your order number.",
            "You have a two-year warranty on faults in material and workmanship.",
            "Normal wear is excluded.",
        ),
        (
            ("Faults in material are covered for three years.", "number"),
            ("The warranty also covers normal wear.", "negation"),
            ("Write to help@fernway.example with your order number.", "link"),
            ("Use https://fernway.example/claims to report a fault.", "link"),
            ("The warranty covers faults in material for two months.", "unit"),
            ("The warranty covers theft and accidental damage as well.", "meaning"),
        ),
    ),
    (
        (
            "Care\nWash the jacket at 30 °C with a liquid detergent. Never use fabric "
            "softener. Tumble dry on low only if the label allows it. The jacket weighs 420 g."
        ),
        (
            "The jacket should be washed at 30 °C with liquid detergent.",
            "Do not use fabric softener.",
            "You may tumble dry it on low if the label allows it.",
            "It weighs 420 grams.",
        ),
        (
            ("Wash the jacket at 60 °C.", "number"),
            ("Use fabric softener.", "negation"),
            ("Tumble dry on low.", "condition"),
            ("Tumble dry on high only if the label allows it.", "negation"),
            ("The jacket weighs 420 kg.", "unit"),
            ("The jacket weighs 30 g.", "number"),
        ),
    ),
)
