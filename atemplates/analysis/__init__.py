"""What templates read, found without rendering them. No render imports this."""
