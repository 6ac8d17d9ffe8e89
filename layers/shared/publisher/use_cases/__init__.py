"""What the service does: one verb a file, each a function of (request, ports) that returns an answer."""
