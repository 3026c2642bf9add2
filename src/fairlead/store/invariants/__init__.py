"""What must hold of the rows, each as a query."""
