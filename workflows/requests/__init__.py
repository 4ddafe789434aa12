"""What people asked for in the web page: durable requests, and the worker that works them off."""
