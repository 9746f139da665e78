"""Rewrite rules, one algebraic fact each, and the proof of them.

    expression.py   the language of rules: `log(1 + x)`
    pattern.py      an expression matched with the IR, and built
    declared.py     rules from text: `name: before => after`, a class with its reason, conditions
    *.rules         the facts
    families.py     which pass applies which
"""
