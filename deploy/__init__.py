"""What puts the desk on machines."""
