"""What makes two results the same: code, environment, and the version over all of it."""
