"""Reads `text/event-stream` as the HTML standard says a client does, written from its text alone."""

from dataclasses import dataclass


@dataclass
class Message:
    """What ``EventSource`` dispatches."""

    data: str
    type: str = "message"
    last_event_id: str = ""


class Reader:
    """Takes bytes as they come; ``messages`` holds what they have completed.

    The algorithm is that of "Interpreting an event stream", step by step. It keeps the bytes of a
    line that has not ended, and does not know what ends a line from anything else than the bytes.
    """

    def __init__(self):
        self.rest = b""
        self.begun = False
        self.data, self.type, self.id = "", "", ""
        self.last_event_id = ""
        self.retry = None
        self.comments = 0
        self.messages = []

    def feed(self, chunk):
        self.rest += chunk
        if not self.begun and len(self.rest) >= 3:
            self.begun = True
            self.rest = self.rest.removeprefix(b"\xef\xbb\xbf")
        while True:
            ends = [at for at in (self.rest.find(b"\r"), self.rest.find(b"\n")) if at >= 0]
            if not ends:
                return
            end = min(ends)
            if self.rest[end:] == b"\r":
                return  # a LF may follow, and would belong to it
            width = 2 if self.rest[end : end + 2] == b"\r\n" else 1
            line, self.rest = self.rest[:end], self.rest[end + width :]
            self.take_line(line.decode("utf-8", "replace"))

    def take_line(self, line):
        if not line:
            self.dispatch()
        elif line[0] == ":":
            self.comments += 1
        elif ":" in line:
            at = line.index(":")
            value = line[at + 1 :]
            self.take_field(line[:at], value[1:] if value[:1] == " " else value)
        else:
            self.take_field(line, "")

    def take_field(self, name, value):
        if name == "event":
            self.type = value
        elif name == "data":
            self.data += value + "\n"
        elif name == "id":
            if "\0" not in value:
                self.id = value
        elif name == "retry" and value and all(each in "0123456789" for each in value):
            self.retry = int(value)

    def dispatch(self):
        self.last_event_id = self.id
        if self.data:
            data = self.data[:-1]
            self.messages.append(Message(data, self.type or "message", self.last_event_id))
        self.data, self.type = "", ""


def read(content):
    """Return the messages of a whole stream."""
    reader = Reader()
    reader.feed(content)
    return reader.messages
