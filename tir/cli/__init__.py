"""The command-line tools: tir-opt, tir-run, tir-translate."""
