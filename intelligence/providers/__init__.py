"""Where models run, one module per backend; hosted ones may open sockets here only."""
