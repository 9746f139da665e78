"""Does a pass keep what a program computes? `--check-semantics`: every pass is checked by running the program.

    outcome.py      inputs for a module, and what it computes on them
    widen.py        the same program one precision wider, with roundings made visible
    gradients.py    what stands for `tir.grad`, and central differences to check it by
    judge.py        two modules compared, element by element, by the numeric class of a pass
    bisect.py       the first change of a wrong pass that is wrong
    instrument.py   the instrumentation that does all this behind each pass of a pipeline, and the report
"""
