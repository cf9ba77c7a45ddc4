"""Running jobs in this process: taking them, watching over them, and writing down what comes of them."""
