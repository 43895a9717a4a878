"""What a plan writes to while its page is sent: the text that waits to be sent, and its parts."""
