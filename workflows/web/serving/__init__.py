"""What serves the page: the server and its supervisor, the scheduler's process and its proxy, logs and metrics."""
