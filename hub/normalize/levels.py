"""Graded tests for a first rules file, by kind of field, best first, as (name, test) of the grammar in hub.scoring.measure."""

_TYPO = "osa <= 1 and length >= 4 or osa <= 2 and length >= 9"
WORDS = (
    ("same", "same"),
    ("reordered", "token_sort >= 0.93"),
    ("contained", "token_set >= 0.96"),
    ("close", "token_sort >= 0.8 or jaro_winkler >= 0.92"),
    ("related", "token_set >= 0.75"),
    ("weak", "token_set >= 0.55"),
)
PERSON = (
    ("same", "same"),
    ("reordered", "token_sort >= 0.97 or characters"),
    ("typo", _TYPO),
    ("close", "token_sort >= 0.85 or jaro_winkler >= 0.92"),
    ("contained", "token_set >= 0.97"),
    # 董华怡 and 董华艳
    ("weak", "token_set >= 0.7 or osa <= 1 and length >= 3"),
    ("spelled", "spells"),
    ("script", "scripts"),
)
#: levels of one word of a person's name
SINGLE_NAME = (
    ("same", "same"),
    ("typo", _TYPO),
    ("close", "jaro_winkler >= 0.88 or initial"),
    ("weak", "jaro_winkler >= 0.7"),
)
CODE = (("same", "same"), ("typo", "osa <= 1 and length >= 5"), ("close", "osa <= 2 and length >= 7"))
# +44 114 637 1543 and 0114 637 1543
LANDLINE = (("same", "same .national"),)
PHONE = (*LANDLINE, *CODE[1:], ("exchange", "prefix >= 5"))
NUMBER = (("same", "same"), ("near", "percent <= 1"), ("close", "percent <= 5"), ("rough", "percent <= 20"))
DATE = (
    ("same", "same"),
    ("typo", "osa <= 1 or swapped"),
    ("near", "days <= 31"),
    ("partly", "parts >= 2"),
    ("year", "days <= 366"),
)
PLACE = (("same", "same"), ("typo", _TYPO), ("close", "jaro_winkler >= 0.88 or token_set >= 0.97"))
ADDRESS = (
    ("same", "same"),
    ("spelling", "numbers and token_set >= 0.93"),
    ("close", "numbers and token_set >= 0.75"),
    ("typo", "token_sort >= 0.88"),
    ("number", "numbers"),
    ("street", "token_set >= 0.75"),
)
ZIP = (("same", "same"), ("typo", "osa <= 1"), ("area", "prefix >= 3"))
EMAIL = (("same", "same"), ("typo", "osa <= 2 and length >= 9"), ("close", "jaro_winkler >= 0.9"))
