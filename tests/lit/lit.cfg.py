"""How `lit tests/lit` runs the .tir files. pytest runs the same files in one process: see tests/lit_runner.py."""

import os
import sys

import lit.formats

root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

config.name = "tir"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".tir"]
config.excludes = ["Inputs", "Output"]
config.test_source_root = os.path.dirname(os.path.abspath(__file__))
# Where the tests' temporary files go; two runs at one time need two folders: `lit --param output=FOLDER tests/lit`.
config.test_exec_root = lit_config.params.get("output") or os.path.join(root, "build", "lit")
# The tools of this checkout, and the Python and filecheck beside the lit that runs this.
config.environment["PATH"] = os.pathsep.join(
    [os.path.join(root, "tools"), os.path.dirname(sys.executable), config.environment.get("PATH", "")]
)
config.substitutions.append((r"(?<![\w./-])FileCheck(?![\w./-])", "filecheck"))
