"""Lowering of the loops level to LLVM IR text. Nothing here knows llvmlite: the text is the output."""
