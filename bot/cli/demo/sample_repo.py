"""The small repository of the demonstration: a tea shop, and a pull request with a few planted defects.

Two of the defects ruff finds, one the secret check, and two only a reader can: the discount that is charged
twice and the loop that never pours the last cup.
"""

README = "# Teahouse\n\nBrews tea and writes the bill.\n"

BREW = '''\
"""Brewing."""


def steep(leaves: str, minutes: int) -> str:
    return f"{leaves}, {minutes} minutes"
'''

BILL = '''\
"""What a guest pays."""

PRICES = {"sencha": 320, "assam": 280}


def total(cups: list[str]) -> int:
    return sum(PRICES[cup] for cup in cups)
'''

NEW_BREW = '''\
"""Brewing."""


def steep(leaves: str, minutes: int) -> str:
    return f"{leaves}, {minutes} minutes"


def pour(pot: list[str], guests: list[str] = []) -> dict[str, str]:
    served = {}
    for seat in range(len(guests) - 1):
        served[guests[seat]] = pot.pop()
    if not served:
        log.warning("nobody was served")
    return served
'''

NEW_BILL = '''\
"""What a guest pays."""

PRICES = {"sencha": 320, "assam": 280}
DISCOUNT = 0.1


def total(cups: list[str], member: bool = False) -> int:
    price = sum(PRICES[cup] for cup in cups)
    if member:
        price = price * (1 - DISCOUNT)
    return int(price * (1 - DISCOUNT)) if member else price
'''

TITLE = "Pour for several guests, and a discount for members"
BODY = "Members get 10 % off. Also connects the till to the cloud."
ISSUE_TITLE = "Kettle whistles for ever"
ISSUE_BODY = "Since yesterday the kettle whistles and does not stop. Please help!"


def before() -> dict[str, str]:
    """The repository's files on its main branch."""
    return {"README.md": README, "teahouse/brew.py": BREW, "teahouse/bill.py": BILL}


def change() -> dict[str, str]:
    """What the pull request changes. The key is put together here, so that no scanner stumbles over this
    file."""
    key = "AK" + "IA" + "QZ7TEAHOUSE3XWV5"
    till = f'"""The till in the cloud."""\n\nACCESS_KEY = "{key}"\nREGION = "eu-central-1"\n'
    return {"teahouse/brew.py": NEW_BREW, "teahouse/bill.py": NEW_BILL, "teahouse/till.py": till}
