"""Where models run, one module per backend; hosted backends may open sockets here and nowhere else."""
