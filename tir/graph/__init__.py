"""Symbolic expressions: variables that stand in no function yet, and what makes functions of them.

`tir/tensor/` gives this the names of Theano; here is how it works:

    graph.py       the builder: its ops stand in no block, and placeholders are arguments of blocks of their own
    variable.py    a variable: a `Tensor` with Theano's operators and methods
    typing.py      which element types come out: Theano's rules for numbers, integers and floats
    copying.py     copies of a graph, with some values replaced
    shared.py      shared variables
    function.py    `function`: from inputs, outputs and updates to something that can be called
"""
