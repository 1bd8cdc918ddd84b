"""Why a rule of ruff's matters, a sentence each: the code of a rule, or how several begin."""

WHY = {
    "S102": "What reaches `exec` is run with all the rights of this process.",
    "S307": "What reaches `eval` is run with this process's rights; `ast.literal_eval` reads values only.",
    "S602": "A shell reads the command, so that a `;` or `$(…)` in a value becomes a command of its own.",
    "S605": "A shell reads the command, so that a `;` or `$(…)` in a value becomes a command of its own.",
    "B002": "Python has no such operator: this is a sign twice, and changes nothing.",
    "B003": "The new dictionary is not the process's environment: programs that are started do not see it.",
    "B004": "An object can have `__call__` and not be callable: Python looks for it on the class.",
    "B005": "It takes away any of these characters, in any order, and not this text; `removeprefix` and "
    "`removesuffix` do.",
    "B006": "The default is made once, and every call without this argument shares and changes it.",
    "B008": "The default is computed once, when the module is loaded, and stays the same for every call.",
    "B012": "It ends `finally`, and with that swallows whatever exception was on its way.",
    "B015": "The comparison is made and its result thrown away; an `assert` or an assignment may be missing.",
    "B018": "The value is computed and thrown away; a call or an assignment may be missing.",
    "B020": "The loop replaces what it goes through by the last of its items.",
    "B021": "Python takes an f-string for no docstring, so there is none.",
    "B022": "Without an exception to suppress it suppresses nothing.",
    "B023": "The function sees the loop's variable as it is when it is called, mostly its last value.",
    "B025": "The first of the two handlers always runs, the other never.",
    "B029": "An empty tuple names no exception: nothing is ever caught here.",
    "B030": "What stands behind `except` is no class of exceptions: TypeError when something is "
    "to be caught.",
    "B031": "The groups share one iterator: at the second use there is nothing left in it.",
    "B035": "Each turn writes the same key, so that only the last value is kept.",
    "F401": "Nothing in this file uses it, and nothing says that others import it from here "
    "(`__all__`, `import … as …`).",
    "F402": "The loop's variable replaces the module of that name from here on.",
    "F403": "Nobody can tell which names this brings, nor which of this file's it replaces.",
    "F404": "Python takes `from __future__` only before all other statements: this is a syntax error.",
    "F405": "Whether this name exists is decided by another module.",
    "F406": "`import *` is allowed at the top of a module only: this is a syntax error.",
    "F407": "There is no such feature in `__future__`: the module cannot be imported.",
    "F50": "The text and its values do not fit together: it fails when it runs, or leaves a value out.",
    "F52": "The text and its values do not fit together: it fails when it runs, or leaves a value out.",
    "F541": "There is nothing in braces, so that the `f` does nothing; a value may have been forgotten.",
    "F601": "Of two equal keys only the last one's value is kept.",
    "F602": "Of two equal keys only the last one's value is kept.",
    "F62": "Python refuses this assignment: it is a syntax error.",
    "F631": "A tuple that is not empty is always true, so that this never fails.",
    "F632": "`is` asks whether it is the same object, for a literal that is chance; `==` compares values.",
    "F633": "`print >> …` is Python 2's: today it fails when this line runs.",
    "F634": "A tuple that is not empty is always true, so that the other branch never runs.",
    "F70": "Python refuses it at this place: the file cannot be imported.",
    "F722": "The text is no type: whoever evaluates the annotation gets a syntax error.",
    "F811": "The earlier definition of this name is never used: this one replaces it.",
    "F821": "Nothing in this file defines it or imports it: NameError when this line runs.",
    "F822": "`import *` from this module fails with AttributeError.",
    "F823": "The name is assigned further down in this function, so that it is local and has no value yet: "
    "UnboundLocalError.",
    "F841": "It is given a value that nobody reads; the value may have been meant to be used.",
    "F842": "It is declared and neither set nor read.",
    "F901": "`NotImplemented` is no exception: this raises TypeError; `NotImplementedError` is meant.",
    "PLE0100": "A generator is no `__init__`: TypeError when the object is made.",
    "PLE0101": "`__init__` may return nothing: TypeError when the object is made.",
    "PLE011": "Python refuses this: the file cannot be imported.",
    "PLE0237": "The class has `__slots__` without this name: AttributeError when this line runs.",
    "PLE0241": "Python refuses a class with the same base twice: the file cannot be imported.",
    "PLE030": "Python calls this method itself and expects another signature or value: TypeError.",
    "PLE060": "`import *` from this module fails: names in `__all__` are texts in a list or a tuple.",
    "PLE0643": "There are not so many items: IndexError when this line runs.",
    "PLE0704": "There is no exception that could be raised again: RuntimeError when this line runs.",
    "PLE1132": "The same argument is given twice: the call fails.",
    "PLE1142": "`await` stands in a function that is not `async`: the file cannot be imported.",
    "PLE120": "The message and its arguments do not fit together: the line is lost from the log.",
    "PLE13": "The text and its values do not fit together, or characters are taken for a text.",
    "PLE1507": "The environment takes names as texts only: TypeError.",
    "PLE151": "The decorator expects the other kind of function: it looks at the wrong argument.",
    "PLE152": "The decorator expects the other kind of function: it looks at the wrong argument.",
    "PLE1700": "`yield from` is not allowed in an `async` function: the file cannot be imported.",
    "PLE25": "A character that nobody sees stands in the source.",
}
BROKEN = "Python cannot read the file, so that nothing in it can run."


def why(code: str) -> str:
    """The sentence of a rule, or nothing; a broken file has a sentence and no rule."""
    if not code or not code[-1].isdigit() or code.startswith("E9"):
        return BROKEN
    return next((WHY[code[:end]] for end in range(len(code), 2, -1) if code[:end] in WHY), "")
