"""Lays out Graphviz text and draws it: standard input -> standard output; the format is the argument, svg or png.

This file runs as a program of its own (`picture.py` starts it), so that a crash or a hang in the library costs a picture
and not the tool. It imports nothing of tir. pygraphviz brings Graphviz with it, as a library.
"""

import sys

import pygraphviz


def main() -> None:
    graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode("utf-8"))
    sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog="dot", args="-Gdpi=110" if sys.argv[1] == "png" else ""))


if __name__ == "__main__":
    main()
