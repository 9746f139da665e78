"""Pictures of a module: Graphviz text, SVG and PNG, and a page that shows every level and every rewrite."""
