"""Builder methods by family of ops, in a chain of classes that ends in `TensorBuilder`."""
