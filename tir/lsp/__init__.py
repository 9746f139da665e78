"""The language server `tir-lsp`: what editors ask about a .tir file.

The answers are plain functions of a `Document` (positions are offsets into its text) that need no package besides tir's
own; `server.py` alone knows the protocol and pygls.
"""
