"""Where code of others runs, the event loop or the request's thread: found, learned, tried."""
