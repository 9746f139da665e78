"""The dialects: op classes with their types, text, meaning and, at the tensor level, gradients."""
