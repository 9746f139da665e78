"""Are rewrite rules right? Each is tried on programs made from its own declaration.

    truth.py    what an expression is, in real arithmetic of 60 digits (mpmath)
    draw.py     programs that an expression fits, and hard inputs for them
    prove.py    both sides of a rule compared, by its class; gradients, too
"""
