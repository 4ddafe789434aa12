"""What is judged: measures, and what follows from them."""
