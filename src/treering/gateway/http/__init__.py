"""HTTP itself: addresses, bodies, parameters, problems, tags, and the web server."""
