"""Responses that leave in pieces: a streamed template, a stream of events."""
