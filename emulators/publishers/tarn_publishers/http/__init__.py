"""What every publisher's HTTP has in common: files with ranges and conditions, and faults on demand."""
