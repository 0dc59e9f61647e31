"""What is measured against others, each one command."""
